/**
 * Strategic merge patch: like a merge patch, but lists with a merge key merge item by item, and `$` directives delete,
 * replace, retain and order. Upstream: apimachinery/pkg/util/strategicpatch/patch.go, whose texts these are.
 */
import { JsonNumber, setMember } from "#api/decode/json-value.ts";
import { goQuote, goValue } from "#api/go-text.ts";
import { type Schema, type StructType, anySchema } from "#api/schema/model.ts";
import { type IdentityOf, identityOf, mergeOrdered, orderedBy, placesOf } from "./list-order.ts";

/** `badRequest`: upstream answers 400, else 500. */
export class StrategicMergeError extends Error {
  readonly badRequest: boolean;
  constructor(message: string, badRequest = false) {
    super(message);
    this.name = "StrategicMergeError";
    this.badRequest = badRequest;
  }
}

type JsonObject = Record<string, unknown>;
const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber);

const patchDirective = "$patch";
const retainKeysDirective = "$retainKeys";
/** Directives that name a list: "$setElementOrder/containers". */
const deleteFrom = "$deleteFromPrimitiveList";
const setOrderOf = "$setElementOrder";
const badRetainKeys = "invalid patch format of retainKeys";
const badFormats = {
  [deleteFrom]: "invalid patch format of primitive list",
  [setOrderOf]: "invalid patch format of setElementOrder list",
};

function listNamed(key: string, directive: keyof typeof badFormats): string {
  if (key.startsWith(`${directive}/`)) return key.slice(directive.length + 1);
  throw new StrategicMergeError(badFormats[directive], true);
}

/** The patched object; neither argument is changed. Throws StrategicMergeError. */
export function applyStrategicMerge(object: JsonObject, patch: JsonObject, struct: StructType): JsonObject {
  return mergeMap(object, patch, (name) => metaOf(struct, name));
}

/** How the values of one field merge. */
interface PatchMeta {
  merges: boolean;
  replaces: boolean;
  mergeKey: string;
  /** For the members of the value, or of its items. */
  inner: Lookup;
  /** What upstream says of a member that the type does not have, when it comes to merge it. */
  fault?: string;
}
type Lookup = (name: string) => PatchMeta;

function metaOf(struct: StructType, name: string): PatchMeta {
  const field = struct.field(name);
  if (field === undefined) {
    return { ...metaOfSchema(anySchema), fault: noField(struct.goName, name) };
  }
  const { patchMerge: merges, patchReplace: replaces, mergeKey = "" } = field;
  return { ...metaOfSchema(field.schema), merges, replaces, mergeKey };
}

function metaOfSchema(schema: Schema): PatchMeta {
  const of = schema.kind === "list" ? (schema.of ?? anySchema) : schema;
  const inner: Lookup = (name) => {
    if (of.kind === "struct") return metaOf(of.struct, name);
    const fault = memberFault(of, name);
    return { ...metaOfSchema(of.kind === "map" ? (of.of ?? anySchema) : anySchema), ...(fault && { fault }) };
  };
  return { merges: false, replaces: false, mergeKey: "", inner };
}

/** Upstream merges into fields of structs only; a member of what is none may be set, but merged no further. */
function memberFault(schema: Schema, name: string): string | undefined {
  if (schema.kind === "map") return "merging an object in json but data type is not struct, instead is: map";
  return schema.kind === "raw" ? noField(schema.goType, name) : undefined;
}

const noField = (goType: string, name: string) =>
  `unable to find api field in struct ${goType.slice(goType.indexOf(".") + 1)} for the json field ${goQuote(name)}`;

function mergeMap(original: JsonObject, patch: JsonObject, lookup: Lookup): JsonObject {
  if (Object.hasOwn(patch, patchDirective)) return directed(patch);
  const merged = new Map(Object.entries(original));
  const rest = new Map(Object.entries(patch));
  retainKeys(merged, rest);
  for (const [key, order] of rest) if (key.startsWith(setOrderOf)) setOrder(merged, rest, key, order, lookup);
  for (const [key, value] of rest) mergeMember(merged, key, value, lookup);
  return toObject(merged);
}

function toObject(members: Iterable<[string, unknown]>): JsonObject {
  const object: JsonObject = {};
  for (const [key, value] of members) setMember(object, key, value);
  return object;
}

function directed(patch: JsonObject): JsonObject {
  const directive = patch[patchDirective];
  if (directive === "replace") {
    const { [patchDirective]: _, ...rest } = patch;
    return rest;
  }
  if (directive === "delete") return {};
  throw unknownDirective(directive, patch);
}

const unknownDirective = (directive: unknown, map: JsonObject) =>
  new StrategicMergeError(`unknown patch type: ${asGoString(directive)} in map: ${goValue(map)}`);

/** Go's `%s` of a value that should have been a string. */
function asGoString(value: unknown): string {
  if (typeof value === "string") return value;
  return value === null ? "%!s(<nil>)" : `%!s(${shapeName(value)}=${goValue(value)})`;
}

function retainKeys(merged: Map<string, unknown>, patch: Map<string, unknown>): void {
  if (!patch.has(retainKeysDirective)) return;
  const list = patch.get(retainKeysDirective);
  patch.delete(retainKeysDirective);
  if (!Array.isArray(list)) throw new StrategicMergeError(badRetainKeys, true);
  const retained = new Set<unknown>(list);
  for (const [key, value] of patch) {
    if (value === null || key.startsWith(deleteFrom) || key.startsWith(setOrderOf)) continue;
    if (!retained.has(key)) throw new StrategicMergeError(badRetainKeys, true);
  }
  for (const key of merged.keys()) if (!retained.has(key)) merged.delete(key);
}

function mergeMember(merged: Map<string, unknown>, patchKey: string, value: unknown, lookup: Lookup): void {
  const isDeleteList = patchKey.startsWith(deleteFrom);
  const key = isDeleteList ? listNamed(patchKey, deleteFrom) : patchKey;
  if (value === null) {
    merged.delete(key);
    return;
  }
  const current = merged.get(key);
  if (!merged.has(key) || shapeName(current) !== shapeName(value)) {
    if (isDeleteList) return;
    const plain = withoutDirectives(withoutNulls(value));
    if (plain === undefined) merged.delete(key);
    else merged.set(key, plain);
    return;
  }
  if (!isObject(value) && !Array.isArray(value)) {
    merged.set(key, value);
    return;
  }
  const meta = lookup(key);
  if (meta.fault !== undefined) throw new StrategicMergeError(meta.fault);
  if (isObject(value)) merged.set(key, meta.replaces ? value : mergeMap(current as JsonObject, value, meta.inner));
  else merged.set(key, mergeList(current as unknown[], value, meta, isDeleteList));
}

/** reflect.TypeOf, as far as it tells maps, lists and scalars apart. */
function shapeName(value: unknown): string {
  if (Array.isArray(value)) return "[]interface {}";
  if (isObject(value)) return "map[string]interface {}";
  return value === null ? "<nil>" : scalarName(value);
}

function scalarName(value: unknown): string {
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number") return "int64";
  return value instanceof JsonNumber ? "float64" : "string";
}

/**
 * A value that is new to the object: what has a `$patch` is not stored, while the other directives stay, as upstream leaves
 * them, to be unknown fields. undefined: nothing is left.
 */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((item) => item !== undefined);
  if (!isObject(value)) return value;
  if (Object.hasOwn(value, patchDirective)) return undefined;
  const kept: [string, unknown][] = [];
  for (const [key, item] of Object.entries(value)) {
    const plain = withoutDirectives(item);
    if (plain !== undefined) kept.push([key, plain]);
  }
  return toObject(kept);
}

/** Nulls say that a member goes; what is new has none to lose. Those in lists are values. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([, item]) => item !== null);
  return toObject(kept.map(([key, item]) => [key, withoutNulls(item)]));
}

function mergeList(original: unknown[], patch: unknown[], meta: PatchMeta, isDeleteList: boolean): unknown[] {
  if (!meta.merges && !isDeleteList) return patch;
  if (original.length === 0 && patch.length === 0) return original;
  const isMaps = elementsAreMaps(original, patch);
  if (!isMaps) {
    if (isDeleteList) {
      const gone = new Set(patch.map(identityOf));
      return original.filter((item) => !gone.has(identityOf(item)));
    }
    return inOrder(distinct([...original, ...patch]), patch, original, "");
  }
  const { mergeKey, inner } = meta;
  if (mergeKey === "") throw new StrategicMergeError("cannot merge lists without merge key for struct");
  const special = specialElements(original, patch as JsonObject[], mergeKey);
  const merged = mergeItems(special.original, special.patch, mergeKey, inner);
  return inOrder(merged, special.patch, special.original, mergeKey);
}

function elementsAreMaps(original: readonly unknown[], patch: readonly unknown[]): boolean {
  const names = [...original, ...patch].map(shapeName);
  if (names.length === 0) throw new StrategicMergeError("no elements in any of the given slices");
  if (names[0] === "[]interface {}") throw new StrategicMergeError("lists of lists are not supported");
  if (names.some((name) => name !== names[0])) {
    throw new StrategicMergeError(`list element types are not identical: ${goValue([original, patch])}`);
  }
  return names[0] === "map[string]interface {}";
}

function distinct(items: readonly unknown[]): unknown[] {
  return [...new Map(items.map((item) => [identityOf(item), item] as const)).values()];
}

/** Items with `$patch`: they delete their like, or make the rest of the patch the whole list. */
function specialElements(
  original: readonly unknown[],
  patch: readonly JsonObject[],
  mergeKey: string,
): { original: unknown[]; patch: JsonObject[] } {
  const gone = new Set<unknown>();
  const plain: JsonObject[] = [];
  let replaces = false;
  for (const item of patch) {
    const directive = item[patchDirective];
    if (!Object.hasOwn(item, patchDirective)) plain.push(item);
    else if (directive === "delete") gone.add(identityOf(keyOf(item, mergeKey)));
    else if (directive === "replace") replaces = true;
    else if (directive === "merge") throw new StrategicMergeError("merging lists cannot yet be specified in the patch");
    else throw unknownDirective(directive, item);
  }
  if (replaces) return { original: plain, patch: [] };
  const isKept = (item: unknown) => !gone.has(identityOf(keyOf(item as JsonObject, mergeKey)));
  return { original: gone.size === 0 ? [...original] : original.filter(isKept), patch: plain };
}

function keyOf(item: JsonObject, mergeKey: string): unknown {
  if (Object.hasOwn(item, mergeKey)) return item[mergeKey];
  throw new StrategicMergeError(`map: ${goValue(item)} does not contain declared merge key: ${mergeKey}`);
}

/** Items that are new to the list are taken as they came. */
function mergeItems(
  original: readonly unknown[],
  patch: readonly JsonObject[],
  mergeKey: string,
  inner: Lookup,
): unknown[] {
  const merged = [...original];
  const identity = identityBy(mergeKey);
  const places = placesOf(merged, identity);
  for (const item of patch) {
    const at = places.get(identity(item));
    if (at !== undefined) merged[at] = mergeMap(merged[at] as JsonObject, item, inner);
    else places.set(identity(item), merged.push(item) - 1);
  }
  return merged;
}

/** Items of the patch in its order, the others in the order they had, woven together. */
function inOrder(
  merged: readonly unknown[],
  patch: readonly unknown[],
  original: readonly unknown[],
  mergeKey: string,
): unknown[] {
  const identity = identityBy(mergeKey);
  const inPatch = placesOf(patch, identity);
  const isIn = (item: unknown) => inPatch.has(identity(item));
  const patched = orderedBy(merged.filter(isIn), patch, identity);
  const isOther = (item: unknown) => !isIn(item);
  const others = orderedBy(merged.filter(isOther), original, identity);
  return mergeOrdered(others, patched, original, identity);
}

const identityBy =
  (mergeKey: string): IdentityOf =>
  (item) =>
    identityOf(mergeKey === "" ? item : keyOf(item as JsonObject, mergeKey));

/** `$setElementOrder/name`: merges the list at once and puts it in the order that is given. */
function setOrder(
  merged: Map<string, unknown>,
  patch: Map<string, unknown>,
  directive: string,
  order: unknown,
  lookup: Lookup,
): void {
  patch.delete(directive);
  const orderList = listArgument(order);
  const key = listNamed(directive, setOrderOf);
  const original = merged.has(key) ? listArgument(merged.get(key)) : undefined;
  const patchList = patch.has(key) ? listArgument(patch.get(key)) : undefined;
  const meta = lookup(key);
  if (meta.fault !== undefined) throw new StrategicMergeError(meta.fault);
  checkOrder(patchList ?? [], orderList, meta.mergeKey);
  if (original === undefined && patchList === undefined) return;
  const list =
    original === undefined
      ? (withoutDirectives(patchList) as unknown[])
      : patchList === undefined
        ? original
        : mergeList(original, patchList, meta, false);
  if (meta.mergeKey !== "" && list.length > 0) {
    const odd = orderList.findIndex((item) => !isObject(item));
    if (odd >= 0) throw new StrategicMergeError(`value for key ${odd} is not a map`);
  }
  elementsAreMaps(original ?? [], patchList ?? []);
  merged.set(key, inOrder(list, orderList, original ?? [], meta.mergeKey));
  patch.delete(key);
}

function listArgument(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  throw badArgument("[]interface {}", value);
}

function mapArgument(value: unknown): JsonObject {
  if (isObject(value)) return value;
  throw badArgument("map[string]interface {}", value);
}

const badArgument = (wanted: string, value: unknown) =>
  new StrategicMergeError(`expected a ${wanted}, but received a ${value === null ? "%!s(<nil>)" : shapeName(value)}`);

/** The items of the patch must stand in the order list, in the same order; those with a directive need not. */
function checkOrder(patch: readonly unknown[], order: readonly unknown[], mergeKey: string): void {
  if (patch.length === 0 || order.length === 0) return;
  const wanted = mergeKey === "" ? patch : patch.filter((item) => mapArgument(item)[patchDirective] !== "delete");
  const identity = (item: unknown) => identityOf(mergeKey === "" ? item : keyOf(mapArgument(item), mergeKey));
  let found = 0;
  let at = 0;
  while (found < wanted.length && at < order.length) {
    const item = wanted[found];
    if (isObject(item) && Object.hasOwn(item, patchDirective)) found++;
    else if (identity(item) === identity(order[at++])) found++;
  }
  if (found === wanted.length) return;
  throw new StrategicMergeError(
    `The order in patch list:\n${goValue(patch)}\n doesn't match $setElementOrder list:\n${goValue(order)}\n`,
  );
}
