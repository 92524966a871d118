/**
 * JSON patches (RFC 6902) with the habits of the library kustomize uses: replacing a missing field of a mapping adds it, negative
 * list positions count from the end, `test` takes an absent value and null as equal.
 */
import { RenderError } from "#git/render/render-error.ts";
import { readConfig } from "#git/render/yaml/config-value.ts";
import { isPlainMap, jsonText, type Plain, type PlainMap } from "#git/render/yaml/value.ts";

export interface Operation {
  readonly op: string;
  readonly path: string | undefined;
  readonly from: string | undefined;
  /** Undefined when the operation has no value. */
  readonly value: Plain | undefined;
}

/** The operations of a patch in JSON or YAML; throws when the text is no list of mappings. */
export function parseJsonPatch(text: string): Operation[] {
  if (text === "") throw new RenderError("empty json patch operations");
  if (text.startsWith("[")) requireJson(text);
  const value = readConfig(text);
  if (value === null) return [];
  if (!Array.isArray(value))
    throw new RenderError("json: cannot unmarshal object into Go value of type jsonpatch.Patch");
  return value.map((item) => {
    if (item === null) return operationOf(new Map());
    if (!isPlainMap(item)) throw new RenderError("json: cannot unmarshal into Go value of type jsonpatch.Operation");
    return operationOf(item);
  });
}

/** What begins like JSON must be JSON, though YAML would allow more. */
function requireJson(text: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    throw new RenderError(`decoding ${text}: ${(error as Error).message}`, { cause: error });
  }
}

function operationOf(item: PlainMap): Operation {
  const word = (name: string): string | undefined => {
    const value = item.get(name);
    return typeof value === "string" ? value : undefined;
  };
  return { op: word("op") ?? "unknown", path: word("path"), from: word("from"), value: item.get("value") };
}

type Container = PlainMap | Plain[];

/** The document after all operations; the given one is consumed. */
export function applyJsonPatch(document: PlainMap, operations: readonly Operation[]): Plain {
  let root: Container = document;
  for (const operation of operations) root = applyOperation(root, operation);
  return root;
}

function applyOperation(root: Container, operation: Operation): Container {
  const { op, path, value } = operation;
  if (path === undefined) throw new RenderError(`${op} operation failed to decode path: missing value`);
  switch (op) {
    case "add":
      addTo(parentOf(root, path, op), path, clone(value));
      return root;
    case "remove":
      removeFrom(parentOf(root, path, op), path);
      return root;
    case "replace":
      if (path === "") return wholeReplacement(value);
      replaceIn(parentOf(root, path, op), path, clone(value));
      return root;
    case "move":
    case "copy":
      relocate(root, operation);
      return root;
    case "test":
      test(root, path, value);
      return root;
    default:
      throw new RenderError(`Unexpected kind: ${op}`);
  }
}

const clone = (value: Plain | undefined): Plain => (value === undefined ? null : structuredClone(value));

function wholeReplacement(value: Plain | undefined): Container {
  if (isPlainMap(value) || Array.isArray(value)) return clone(value) as Container;
  if (value === null) return new Map();
  throw new RenderError("replace operation value must be object or array");
}

const unescape = (part: string): string => part.replaceAll("~1", "/").replaceAll("~0", "~");
const lastPart = (path: string): string => unescape(path.slice(path.lastIndexOf("/") + 1));

function parentOf(root: Container, path: string, op: string): Container {
  const missing = (): RenderError =>
    new RenderError(`${op} operation does not apply: doc is missing path: "${path}": missing value`);
  const parts = path.split("/");
  if (parts.length < 2) throw missing();
  let container = root;
  for (const part of parts.slice(1, -1)) {
    let next: Plain | undefined;
    try {
      next = valueAt(container, unescape(part));
    } catch {
      throw missing();
    }
    if (!isPlainMap(next) && !Array.isArray(next)) throw missing();
    container = next;
  }
  return container;
}

const indexPattern = /^[-+]?\d+$/;

/** The position a list index means; beyond `limit` it is refused. */
function indexIn(key: string, length: number, limit: number): number {
  if (!indexPattern.test(key)) throw new RenderError(`value was not a proper array index: '${key}'`);
  const index = Number(key);
  if (index >= limit || index < -length)
    throw new RenderError(`Unable to access invalid index: ${index}: invalid index referenced`);
  return index < 0 ? index + length : index;
}

function valueAt(container: Container, key: string): Plain | undefined {
  if (isPlainMap(container)) return container.get(key);
  return container[indexIn(key, container.length, container.length)];
}

function addTo(container: Container, path: string, value: Plain): void {
  const key = lastPart(path);
  if (isPlainMap(container)) container.set(key, value);
  else if (key === "-") container.push(value);
  else container.splice(indexIn(key, container.length + 1, container.length + 1), 0, value);
}

function removeFrom(container: Container, path: string): void {
  const key = lastPart(path);
  if (!isPlainMap(container)) container.splice(indexIn(key, container.length, container.length), 1);
  else if (!container.delete(key))
    throw new RenderError(
      `error in remove for path: '${path}': Unable to remove nonexistent key: ${key}: missing value`,
    );
}

function replaceIn(container: Container, path: string, value: Plain): void {
  const key = lastPart(path);
  if (isPlainMap(container)) container.set(key, value);
  else container[indexIn(key, container.length, container.length)] = value;
}

function relocate(root: Container, { op, path = "", from }: Operation): void {
  if (from === undefined) throw new RenderError(`${op} operation failed to decode from: missing value`);
  const source = parentOf(root, from, op);
  const value = valueAt(source, lastPart(from)) ?? null;
  if (op === "move") removeFrom(source, from);
  addTo(parentOf(root, path, op), path, op === "copy" ? clone(value) : value);
}

function test(root: Container, path: string, wanted: Plain | undefined): void {
  const found = path === "" ? root : valueAt(parentOf(root, path, "test"), lastPart(path));
  const isEqual = jsonText(found ?? null) === jsonText(wanted ?? null);
  if (!isEqual) throw new RenderError(`testing value ${path} failed: test failed`);
}
