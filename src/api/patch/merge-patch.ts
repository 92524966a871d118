/** RFC 7386 as evanphx/json-patch v4 does it; members of objects that the patch touches come out sorted. */
import { JsonNumber, setMember } from "#api/decode/json-value.ts";
import { compareText } from "#api/go-text.ts";

type JsonObject = Record<string, unknown>;

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber);

/** The patched document; `document` is not changed. */
export function applyMergePatch(document: JsonObject, patch: JsonObject): JsonObject {
  const members = new Map(Object.entries(document));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) members.delete(key);
    else members.set(key, mergedMember(members.get(key), value));
  }
  const merged: JsonObject = {};
  for (const key of [...members.keys()].sort(compareText)) setMember(merged, key, members.get(key));
  return merged;
}

function mergedMember(current: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return isObject(current) ? patch : withoutNulls(patch);
  return isObject(current) ? applyMergePatch(current, patch) : withoutNulls(patch);
}

/** New values come without members that are null; items of lists keep their nulls. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const kept: JsonObject = {};
  for (const key of Object.keys(value).sort(compareText)) {
    if (value[key] !== null) setMember(kept, key, withoutNulls(value[key]));
  }
  return kept;
}
