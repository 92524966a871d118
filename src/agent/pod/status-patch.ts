/** The smallest strategic merge patch that turns the status which the API has into the one that is wished. Pure. */
import { isDeepStrictEqual } from "node:util";
import type { Pod } from "#api/core/pod.ts";
import type { V1PodStatus } from "#api/generated/types.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Lists that the API merges by a key; all others are replaced whole. */
const mergeKeys: Readonly<Record<string, string>> = { conditions: "type", podIPs: "ip", hostIPs: "ip" };

/** Undefined: nothing to change. The uid guards against another pod of the same name. */
export function statusPatch({ metadata, status: old = {} }: Pod, wished: V1PodStatus): object | undefined {
  const status = fieldsPatch(old as Fields, wished as Fields, mergeKeys);
  return Object.keys(status).length === 0 ? undefined : { metadata: { uid: metadata.uid }, status };
}

/** A field that is gone is null in the patch. */
function fieldsPatch(old: Fields, wished: Fields, keys: Readonly<Record<string, string>>): Record<string, unknown> {
  const patch: Record<string, unknown> = {};
  for (const field of new Set([...Object.keys(old), ...Object.keys(wished)])) {
    const [before, after] = [old[field], wished[field]];
    if (isDeepStrictEqual(before, after)) continue;
    const key = keys[field];
    if (after === undefined) patch[field] = null;
    else if (key !== undefined) Object.assign(patch, listPatch(field, key, asList(before), asList(after)));
    else if (isFields(before) && isFields(after)) patch[field] = fieldsPatch(before, after, {});
    else patch[field] = after;
  }
  return patch;
}

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const asList = (value: unknown): Fields[] => (Array.isArray(value) ? (value as Fields[]) : []);

function listPatch(field: string, key: string, old: readonly Fields[], wished: readonly Fields[]): Fields {
  const changed = wished.flatMap((entry) => {
    const before = old.find((one) => one[key] === entry[key]);
    if (before === undefined) return [entry];
    const patch = fieldsPatch(before, entry, {});
    return Object.keys(patch).length === 0 ? [] : [{ [key]: entry[key], ...patch }];
  });
  const removed = old
    .filter((entry) => !wished.some((one) => one[key] === entry[key]))
    .map((entry) => ({ $patch: "delete", [key]: entry[key] }));
  const order = wished.map((entry) => ({ [key]: entry[key] }));
  return { [`$setElementOrder/${field}`]: order, [field]: [...changed, ...removed] };
}
