/**
 * RFC 6902 as evanphx/json-patch v4 does it: `replace` adds, indexes may be negative, a pointer's first segment counts for
 * nothing. What a patch does not touch keeps the order of its members, what it touches is sorted: error texts show that.
 */
import { JsonNumber, setMember } from "#api/decode/json-value.ts";
import { compareText } from "#api/go-text.ts";

export interface JsonPatchOperation {
  op?: unknown;
  path?: unknown;
  from?: unknown;
  value?: unknown;
}

/** Operations in one patch. */
export const jsonPatchOperationsMax = 10_000;
/** What all copies of one patch may add together. */
export const copiedBytesMax = 3 * 1024 * 1024;

/** An operation does not apply; the message is that of the library that upstream uses. */
export class JsonPatchError extends Error {
  /** A `test` found something else. */
  readonly isFailedTest: boolean;

  constructor(message: string, isFailedTest = false) {
    super(message);
    this.name = "JsonPatchError";
    this.isFailedTest = isFailedTest;
  }
}

const missing = (what: string): JsonPatchError => new JsonPatchError(`${what}: missing value`);

/** Faults of one step, told as a part of a larger one. */
function within<T>(what: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof JsonPatchError)) throw error;
    throw new JsonPatchError(`${what}: ${error.message}`);
  }
}

type Container = Record<string, unknown> | unknown[];

const isContainer = (value: unknown): value is Container =>
  typeof value === "object" && value !== null && !(value instanceof JsonNumber);

/** The patched document; `document` is not changed. Throws JsonPatchError. */
export function applyJsonPatch(document: object, operations: readonly JsonPatchOperation[]): unknown {
  const patching = new Patching(document as Container);
  for (const operation of operations) patching.apply(operation);
  return patching.finished(patching.root);
}

class Patching {
  root: Container;
  readonly #own = new WeakSet<object>();
  #copiedBytes = 0;

  constructor(document: Container) {
    this.root = this.#touched(document);
  }

  /** A copy that may be changed. */
  #touched(container: Container): Container {
    if (this.#own.has(container)) return container;
    const copy = Array.isArray(container) ? [...container] : { ...container };
    this.#own.add(copy);
    return copy;
  }

  /** Objects that were touched with their members sorted. */
  finished(value: unknown): unknown {
    if (!isContainer(value) || !this.#own.has(value)) return value;
    if (Array.isArray(value)) return value.map((item) => this.finished(item));
    const sorted: Record<string, unknown> = {};
    for (const key of Object.keys(value).sort(compareText)) setMember(sorted, key, this.finished(value[key]));
    return sorted;
  }

  apply({ op, path, from, value }: JsonPatchOperation): void {
    switch (op) {
      case "add":
        return this.#add(pointer(path, "add", "path"), value ?? null);
      case "remove":
        return this.#remove(pointer(path, "remove", "path"));
      case "replace":
        return this.#replace(pointer(path, "replace", "path"), value ?? null);
      case "move":
        return this.#move(pointer(from, "move", "from"), path);
      case "copy":
        return this.#copy(pointer(from, "copy", "from"), pointer(path, "copy", "path"));
      case "test":
        return this.#test(pointer(path, "test", "path"), value ?? null);
      default:
        throw new JsonPatchError(`Unexpected kind: ${typeof op === "string" ? op : "unknown"}`);
    }
  }

  /** The container that the pointer's last segment is in; undefined: there is none. */
  #find(path: string): { container: Container; key: string } | undefined {
    const segments = path.split("/");
    if (segments.length < 2) return undefined;
    let container = this.root;
    for (const segment of segments.slice(1, -1)) {
      const key = decodeSegment(segment);
      const next =
        Array.isArray(container) && indexOf(key, container.length) === undefined ? undefined : memberOf(container, key);
      if (!isContainer(next)) return undefined;
      const touched = this.#touched(next);
      if (touched !== next) setExisting(container, key, touched);
      container = touched;
    }
    return { container, key: decodeSegment(segments.at(-1)!) };
  }

  #add(path: string, value: unknown): void {
    const found = this.#find(path);
    if (found === undefined) throw missing(`add operation does not apply: doc is missing path: "${path}"`);
    within(`error in add for path: '${path}'`, () => addTo(found.container, found.key, value));
  }

  #remove(path: string): void {
    const found = this.#find(path);
    if (found === undefined) throw missing(`remove operation does not apply: doc is missing path: "${path}"`);
    within(`error in remove for path: '${path}'`, () => removeFrom(found.container, found.key));
  }

  #replace(path: string, value: unknown): void {
    if (path === "") {
      if (!isContainer(value)) throw new JsonPatchError("replace operation value must be object or array");
      this.root = this.#touched(value);
      return;
    }
    const found = this.#find(path);
    if (found === undefined) throw missing(`replace operation does not apply: doc is missing path: ${path}`);
    const { container, key } = found;
    if (Array.isArray(container) && indexOf(key, container.length) === undefined)
      throw missing(`replace operation does not apply: doc is missing key: ${path}`);
    setExisting(container, key, value);
  }

  #move(from: string, to: unknown): void {
    const source = this.#find(from);
    if (source === undefined) throw missing(`move operation does not apply: doc is missing from path: ${from}`);
    const { container, key } = source;
    const moved = within(`error in move for path: '${key}'`, () => {
      const value = memberOf(container, key);
      removeFrom(container, key);
      return value ?? null;
    });
    const path = pointer(to, "move", "path");
    const target = this.#find(path);
    if (target === undefined) throw missing(`move operation does not apply: doc is missing destination path: ${path}`);
    within(`error in move for path: '${path}'`, () => addTo(target.container, target.key, moved));
  }

  #copy(from: string, path: string): void {
    const source = this.#find(from);
    if (source === undefined) throw missing(`copy operation does not apply: doc is missing from path: ${from}`);
    const value = within(`error in copy for from: '${from}'`, () => memberOf(source.container, source.key)) ?? null;
    const target = this.#find(path);
    if (target === undefined) throw missing(`copy operation does not apply: doc is missing destination path: ${path}`);
    this.#copiedBytes += JSON.stringify(value).length;
    if (this.#copiedBytes > copiedBytesMax) {
      throw new JsonPatchError(
        `Unable to complete the copy, the accumulated size increase of copy is ${this.#copiedBytes}, exceeding the limit ${copiedBytesMax}`,
      );
    }
    within("error while adding value during copy", () => addTo(target.container, target.key, structuredCopy(value)));
  }

  #test(path: string, expected: unknown): void {
    const actual = path === "" ? this.root : this.#tested(path);
    if (!equalJson(actual, expected)) throw new JsonPatchError(`testing value ${path} failed: test failed`, true);
  }

  #tested(path: string): unknown {
    const found = this.#find(path);
    if (found === undefined) throw missing(`test operation does not apply: is missing path: ${path}`);
    return within(`error in test for path: '${path}'`, () => memberOf(found.container, found.key)) ?? null;
  }
}

function pointer(path: unknown, operation: string, field: "path" | "from"): string {
  if (typeof path !== "string") throw missing(`${operation} operation failed to decode ${field}`);
  return path;
}

function addTo(container: Container, key: string, value: unknown): void {
  if (!Array.isArray(container)) return setMember(container, key, value);
  if (key === "-") container.push(value);
  else
    container.splice(
      isIndex(key)
        ? boundedIndex(key, container.length + 1)
        : within(`value was not a proper array index: '${key}'`, () => boundedIndex(key, container.length + 1)),
      0,
      value,
    );
}

function removeFrom(container: Container, key: string): void {
  if (Array.isArray(container)) container.splice(boundedIndex(key, container.length), 1);
  else if (Object.hasOwn(container, key)) delete container[key];
  else throw missing(`Unable to remove nonexistent key: ${key}`);
}

const decodeSegment = (segment: string) => segment.replaceAll("~1", "/").replaceAll("~0", "~");

function memberOf(container: Container, key: string): unknown {
  if (Array.isArray(container)) return container[boundedIndex(key, container.length)];
  return Object.hasOwn(container, key) ? container[key] : undefined;
}

function setExisting(container: Container, key: string, value: unknown): void {
  if (Array.isArray(container)) container[boundedIndex(key, container.length)] = value;
  else setMember(container, key, value);
}

const isIndex = (key: string): boolean => /^[+-]?[0-9]+$/.test(key);

/** strconv.Atoi, and negative numbers from the end; undefined: outside. */
function indexOf(key: string, length: number): number | undefined {
  const index = isIndex(key) ? Number(key) : Number.NaN;
  if (Number.isNaN(index) || index >= length || index < -length) return undefined;
  return index < 0 ? index + length : index;
}

function boundedIndex(key: string, length: number): number {
  if (!isIndex(key)) throw new JsonPatchError(`strconv.Atoi: parsing ${JSON.stringify(key)}: invalid syntax`);
  const index = indexOf(key, length);
  if (index === undefined)
    throw new JsonPatchError(`Unable to access invalid index: ${Number(key)}: invalid index referenced`);
  return index;
}

const numberText = (value: unknown): string | undefined =>
  value instanceof JsonNumber ? value.text : typeof value === "number" ? JSON.stringify(value) : undefined;

const structuredCopy = (value: unknown): unknown => (isContainer(value) ? JSON.parse(JSON.stringify(value)) : value);

/** Numbers are equal if they are written alike. */
function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a instanceof JsonNumber || b instanceof JsonNumber)
    return numberText(a) !== undefined && numberText(a) === numberText(b);
  if (!isContainer(a) || !isContainer(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every(
    (key) =>
      Object.hasOwn(b, key) && equalJson((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]),
  );
}
