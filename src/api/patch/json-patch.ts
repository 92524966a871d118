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

/** An operation does not apply. */
export class JsonPatchError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "JsonPatchError";
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
        return this.#add(pointer(path), value ?? null);
      case "remove":
        return this.#remove(pointer(path));
      case "replace":
        return this.#replace(pointer(path), value ?? null);
      case "move": {
        const moved = this.#get(pointer(from));
        this.#remove(pointer(from));
        return this.#add(pointer(path), moved ?? null);
      }
      case "copy":
        return this.#copy(pointer(from), pointer(path));
      case "test":
        return this.#test(pointer(path), value ?? null);
      default:
        throw new JsonPatchError(`Unexpected kind: ${typeof op === "string" ? op : "unknown"}`);
    }
  }

  /** The container that the pointer's last segment is in. */
  #find(path: string): { container: Container; key: string } {
    const segments = path.split("/");
    if (segments.length < 2) throw new JsonPatchError(`doc is missing path: "${path}"`);
    let container = this.root;
    for (const segment of segments.slice(1, -1)) {
      const key = decodeSegment(segment);
      const next = memberOf(container, key);
      if (!isContainer(next)) throw new JsonPatchError(`doc is missing path: "${path}"`);
      const touched = this.#touched(next);
      if (touched !== next) setExisting(container, key, touched);
      container = touched;
    }
    return { container, key: decodeSegment(segments.at(-1)!) };
  }

  #get(path: string): unknown {
    const { container, key } = this.#find(path);
    return memberOf(container, key);
  }

  #add(path: string, value: unknown): void {
    const { container, key } = this.#find(path);
    if (!Array.isArray(container)) return setMember(container, key, value);
    if (key === "-") container.push(value);
    else container.splice(boundedIndex(key, container.length + 1), 0, value);
  }

  #remove(path: string): void {
    const { container, key } = this.#find(path);
    if (Array.isArray(container)) container.splice(boundedIndex(key, container.length), 1);
    else if (Object.hasOwn(container, key)) delete container[key];
    else throw new JsonPatchError(`Unable to remove nonexistent key: ${key}`);
  }

  #replace(path: string, value: unknown): void {
    if (path === "") {
      if (!isContainer(value)) throw new JsonPatchError("replace operation value must be object or array");
      this.root = this.#touched(value);
      return;
    }
    const { container, key } = this.#find(path);
    if (Array.isArray(container)) container[boundedIndex(key, container.length)] = value;
    else setMember(container, key, value);
  }

  #copy(from: string, path: string): void {
    const value = this.#get(from) ?? null;
    this.#copiedBytes += JSON.stringify(value).length;
    if (this.#copiedBytes > copiedBytesMax) {
      throw new JsonPatchError(
        `Unable to complete the copy, the accumulated size increase of copy is ${this.#copiedBytes}, exceeding the limit ${copiedBytesMax}`,
      );
    }
    this.#add(path, structuredCopy(value));
  }

  #test(path: string, expected: unknown): void {
    const actual = path === "" ? this.root : (this.#get(path) ?? null);
    if (!equalJson(actual, expected)) throw new JsonPatchError(`testing value ${path} failed`);
  }
}

function pointer(path: unknown): string {
  if (typeof path !== "string") throw new JsonPatchError("operation failed to decode path");
  return path;
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

/** strconv.Atoi, and negative numbers from the end. */
function boundedIndex(key: string, length: number): number {
  if (!/^[+-]?[0-9]+$/.test(key)) throw new JsonPatchError(`value was not a proper array index: '${key}'`);
  const index = Number(key);
  if (index >= length || index < -length) throw new JsonPatchError(`Unable to access invalid index: ${index}`);
  return index < 0 ? index + length : index;
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
