/** The smallest strategic merge patch that turns the status which the API has into the one that is wished. Pure. */
import { isDeepStrictEqual } from "node:util";
import type { Pod } from "#api/core/pod.ts";
import type { V1PodCondition, V1PodStatus } from "#api/generated/types.ts";

/** Undefined: nothing to change. The uid guards against another pod of the same name. */
export function statusPatch({ metadata, status: old = {} }: Pod, wished: V1PodStatus): object | undefined {
  const status: Record<string, unknown> = {};
  const fields = new Set([...Object.keys(old), ...Object.keys(wished)] as (keyof V1PodStatus)[]);
  for (const field of fields) {
    if (isDeepStrictEqual(old[field], wished[field])) continue;
    if (field === "conditions") Object.assign(status, conditionsPatch(old.conditions ?? [], wished.conditions ?? []));
    else if (field === "podIPs" || field === "hostIPs")
      status[field] = [{ $patch: "replace" }, ...(wished[field] ?? [])];
    else if (field === "resources" || field === "allocatedResources")
      status[field] = wished[field] === undefined ? null : { $patch: "replace", ...wished[field] };
    else status[field] = wished[field] ?? null;
  }
  if (Object.keys(status).length === 0) return undefined;
  return { metadata: { uid: metadata.uid }, status };
}

function conditionsPatch(old: readonly V1PodCondition[], wished: readonly V1PodCondition[]): Record<string, unknown> {
  const changed = wished
    .filter((condition) => {
      const before = old.find(({ type }) => type === condition.type);
      return !isDeepStrictEqual(before, condition);
    })
    .map((condition) => {
      const before = old.find(({ type }) => type === condition.type) ?? {};
      const gone = Object.keys(before).filter((field) => !(field in condition));
      return { ...condition, ...Object.fromEntries(gone.map((field) => [field, null])) };
    });
  const removed = old
    .filter(({ type }) => !wished.some((condition) => condition.type === type))
    .map(({ type }) => ({ $patch: "delete", type }));
  const order = wished.map(({ type }) => ({ type }));
  const sameOrder = isDeepStrictEqual(
    old.map(({ type }) => ({ type })),
    order,
  );
  if (changed.length + removed.length === 0 && sameOrder) return {};
  return { conditions: [...changed, ...removed], "$setElementOrder/conditions": order };
}
