/**
 * Members that an object has more than once: Go reads each into what the one before left, so structs and maps gather what
 * all of them say, and the items of lists do so place by place. Upstream: sigs.k8s.io/json, as encoding/json.
 */
import type { Field, Kind, Schema } from "#api/schema/model.ts";
import { JsonNumber, setMember } from "./json-value.ts";

type JsonObject = Record<string, unknown>;
const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber);

/** What all `values`, at least one, come to. None of them is changed. */
export function readAgain({ schema, pointer }: Field, values: readonly unknown[]): unknown {
  const [first, ...later] = values;
  return later.reduce((into, value) => readInto(schema, pointer, into, value), copyOf(first));
}

/** A null leaves these as they are, unless they are pointers. */
const keptByNull: ReadonlySet<Kind> = new Set(["struct", "string", "integer", "number", "boolean"]);

/** `into` is changed and may be the result. */
function readInto(schema: Schema, pointer: boolean, into: unknown, value: unknown): unknown {
  if (value === null) return keptByNull.has(schema.kind) && !pointer ? into : null;
  if (schema.kind === "struct" && isObject(into) && isObject(value)) {
    for (const name of Object.keys(value)) {
      const field = Object.hasOwn(into, name) ? schema.struct.field(name) : undefined;
      const item = value[name];
      setMember(into, name, field ? readInto(field.schema, field.pointer, into[name], item) : copyOf(item));
    }
    return into;
  }
  if (schema.kind === "map" && isObject(into) && isObject(value)) {
    for (const key of Object.keys(value)) setMember(into, key, copyOf(value[key]));
    return into;
  }
  if (schema.kind === "list" && Array.isArray(into) && Array.isArray(value))
    return value.map((item, at) => (at < into.length ? readInto(schema.of!, false, into[at], item) : copyOf(item)));
  return copyOf(value);
}

function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf);
  if (!isObject(value)) return value;
  const copy: JsonObject = {};
  for (const key of Object.keys(value)) setMember(copy, key, copyOf(value[key]));
  return copy;
}
