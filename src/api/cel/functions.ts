/** Functions of CEL: what they take and give, and how they do it. Overloads are found by the types of their arguments. */
import { type CelType, parseType, splitTypes } from "./types.ts";
import { Uint, typeName } from "./value.ts";

export interface Overload {
  isMember: boolean;
  /** The receiver first, if there is one. */
  params: readonly CelType[];
  result: CelType;
  run: (...args: never[]) => unknown;
}

export type Functions = ReadonlyMap<string, readonly Overload[]>;

/** "string.startsWith(string): bool", "size(string): int", "::ip.isCanonical(string): bool" with what carries it out. */
export type Declaration = readonly [signature: string, run: (...args: never[]) => unknown];

export function functionsOf(...libraries: readonly (readonly Declaration[])[]): Functions {
  const functions = new Map<string, Overload[]>();
  for (const [signature, run] of libraries.flat()) {
    const { name, ...overload } = parseSignature(signature);
    const known = functions.get(name);
    if (known === undefined) functions.set(name, [{ ...overload, run }]);
    else known.push({ ...overload, run });
  }
  return functions;
}

function parseSignature(signature: string): { name: string } & Omit<Overload, "run"> {
  const colon = signature.lastIndexOf("): ");
  const result = parseType(signature.slice(colon + 3));
  const head = signature.slice(0, colon + 1);
  const open = openOf(head);
  const params = splitTypes(head.slice(open + 1, -1)).map(parseType);
  const full = head.slice(0, open);
  if (full.startsWith("::")) return { name: full.slice(2), isMember: false, params, result };
  const dot = full.lastIndexOf(".");
  if (dot === -1 || /^[_!@-]/.test(full)) return { name: full, isMember: false, params, result };
  return { name: full.slice(dot + 1), isMember: true, params: [parseType(full.slice(0, dot)), ...params], result };
}

/** Where the last pair of brackets opens. */
function openOf(head: string): number {
  let depth = 0;
  for (let at = head.length - 1; at >= 0; at -= 1) {
    if (head[at] === ")") depth += 1;
    if (head[at] === "(") depth -= 1;
    if (depth === 0) return at;
  }
  return -1;
}

const kinds: Readonly<Record<string, (value: unknown) => boolean>> = {
  int: (value) => typeof value === "bigint",
  uint: (value) => value instanceof Uint,
  double: (value) => typeof value === "number",
  bool: (value) => typeof value === "boolean",
  string: (value) => typeof value === "string",
  null: (value) => value === null,
  bytes: (value) => value instanceof Uint8Array,
  list: Array.isArray,
  map: (value) => value instanceof Map,
  timestamp: (value) => typeName(value) === "google.protobuf.Timestamp",
  duration: (value) => typeName(value) === "google.protobuf.Duration",
  optional_type: (value) => typeName(value) === "optional_type",
  type: (value) => typeName(value) === "type",
};

/** Whether a value may be this argument, as far as that can be seen from outside. */
export function accepts(type: CelType, value: unknown): boolean {
  if (type.kind === "opaque") return typeName(value) === type.name;
  return kinds[type.kind]?.(value) ?? true;
}
