/**
 * Shapes of configuration: what fields a mapping may have and of which types. They read like Go's JSON decoder: names match without
 * regard to case, null leaves a field unset, a wrong type is refused.
 */
import { RenderError } from "./render-error.ts";
import { formatFloat } from "./yaml/go-number.ts";
import { isPlainMap, type Plain } from "./yaml/value.ts";

export interface ReadOptions {
  /** Refuses fields that are not in the shape. */
  readonly isStrict: boolean;
  /** Takes numbers and booleans where text is wanted. */
  readonly areWordsTaken: boolean;
}

export type Shape<Type> = (value: Exclude<Plain, null>, where: string, options: ReadOptions) => Type;
type ShapeOf<Fields> = { -readonly [Name in keyof Fields]?: Fields[Name] extends Shape<infer Type> ? Type : never };

function refuse(value: Plain, where: string, wanted: string): never {
  const name = value === null ? "null" : Array.isArray(value) ? "array" : isPlainMap(value) ? "object" : typeof value;
  const kind = name === "boolean" ? "bool" : name === "bigint" ? "number" : name;
  throw new RenderError(`json: cannot unmarshal ${kind} into field ${where} of type ${wanted}`);
}

export const text: Shape<string> = (value, where, { areWordsTaken }) => {
  if (typeof value === "string") return value;
  if (areWordsTaken && (typeof value === "boolean" || typeof value === "bigint")) return String(value);
  if (areWordsTaken && typeof value === "number")
    return Number.isSafeInteger(value) ? String(value) : formatFloat(Math.fround(value));
  return refuse(value, where, "string");
};

export const flag: Shape<boolean> = (value, where) =>
  typeof value === "boolean" ? value : refuse(value, where, "bool");

export const integer: Shape<number | bigint> = (value, where) => {
  if (typeof value === "bigint" || Number.isSafeInteger(value)) return value as number | bigint;
  return refuse(value, where, "int64");
};

export const anything: Shape<Plain> = (value) => value;

export const list =
  <Type>(element: Shape<Type>): Shape<Type[]> =>
  (value, where, options) => {
    if (!Array.isArray(value)) return refuse(value, where, "[]");
    return value.map((item, index) =>
      item === null ? zeroOf(element, where, options) : element(item, `${where}[${index}]`, options),
    );
  };

/** A null element stands for the type's zero: empty text, or a mapping without fields. */
function zeroOf<Type>(element: Shape<Type>, where: string, options: ReadOptions): Type {
  for (const zero of ["", new Map(), 0] as const)
    try {
      return element(zero as Exclude<Plain, null>, where, options);
    } catch {
      continue;
    }
  throw new RenderError(`null is not allowed in ${where}`);
}

export const textMap: Shape<Map<string, string>> = (value, where, options) => {
  if (!isPlainMap(value)) return refuse(value, where, "map[string]string");
  return new Map(
    Array.from(value, ([key, item]) => [key, item === null ? "" : text(item, `${where}.${key}`, options)]),
  );
};

export function struct<Fields extends Record<string, Shape<unknown>>>(fields: Fields): Shape<ShapeOf<Fields>> {
  const byFolded = new Map(Object.keys(fields).map((name) => [name.toLowerCase(), name]));
  return (value, where, options) => {
    if (!isPlainMap(value)) return refuse(value, where, "struct");
    const result: Record<string, unknown> = {};
    for (const key of [...value.keys()].sort()) {
      const name = Object.hasOwn(fields, key) ? key : byFolded.get(key.toLowerCase());
      if (name === undefined && options.isStrict) throw new RenderError(`json: unknown field "${key}"`);
      const item = value.get(key)!;
      if (name === undefined || item === null) continue;
      result[name] = fields[name]!(item, where === "" ? name : `${where}.${name}`, options);
    }
    return result as ShapeOf<Fields>;
  };
}

export type TypeOf<AnyShape> = AnyShape extends Shape<infer Type> ? Type : never;

/** Reads data by a shape; nothing at all reads as a mapping without fields. */
export const readShape = <Type>(shape: Shape<Type>, value: Plain, options: ReadOptions): Type =>
  shape(value ?? new Map(), "", options);
