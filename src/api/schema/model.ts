/**
 * The one schema model: decoding, pruning, field validation, strategic merge, server-side apply and protobuf all read it.
 * Built-in types come from the generated table (built-in.ts); custom resources make the same nodes from their OpenAPI.
 */
import { assert } from "#lib/assert.ts";

export type Kind =
  | "struct"
  | "map"
  | "list"
  | "string"
  | "integer"
  | "number"
  | "boolean"
  /** base64 text */
  | "bytes"
  | "quantity"
  | "time"
  | "microTime"
  | "intOrString"
  /** Any JSON, kept as it came; a struct in Go whose absence is null. */
  | "raw"
  /** Any JSON value. */
  | "any"
  /** An object is a JSON schema, anything else stays as it is. */
  | "schemaOr";

/** How the items of a list are told apart: not at all, by their value, by their keys. */
export type ListType = "atomic" | "set" | "map";

export interface SchemaParts {
  kind: Kind;
  /** Go's name of the type, for texts: "int32", "v1.PodSpec", "[]v1.Container". */
  goType?: string;
  struct?: StructType | (() => StructType);
  of?: Schema;
  listType?: ListType;
  keys?: readonly string[];
  /** A map or struct that belongs to one manager as a whole. */
  atomic?: boolean;
}

/** One field's, element's or object's schema. */
export class Schema {
  readonly kind: Kind;
  readonly goType: string;
  /** Elements of a list, values of a map. */
  readonly of: Schema | undefined;
  readonly listType: ListType;
  readonly keys: readonly string[];
  readonly atomic: boolean;
  #struct: StructType | (() => StructType) | undefined;

  constructor({ kind, goType = kind, struct, of, listType = "atomic", keys = [], atomic = false }: SchemaParts) {
    this.kind = kind;
    this.goType = goType;
    this.#struct = struct;
    this.of = of;
    this.listType = listType;
    this.keys = keys;
    this.atomic = atomic;
  }

  /** Of kind "struct" and "schemaOr" only. Resolved when first asked for, since types refer to each other. */
  get struct(): StructType {
    if (typeof this.#struct === "function") this.#struct = this.#struct();
    assert(this.#struct !== undefined, `a schema of kind ${this.kind} has no fields`);
    return this.#struct;
  }
}

export interface Field {
  readonly name: string;
  /** Place in the Go struct, and so in JSON that Go writes. */
  readonly index: number;
  readonly schema: Schema;
  readonly required: boolean;
  /** A Go pointer: absent and zero differ. */
  readonly pointer: boolean;
  /** Written even when it has no value: as null, "", 0, false or an object of its own such fields. */
  readonly always: boolean;
  /** Protobuf field number, with those of the embedded messages on the way. */
  readonly number: number;
  readonly via: readonly number[];
  /** The embedded Go structs that it stands in: "VolumeSource". */
  readonly embedded: string | undefined;
  /** Strategic merge patch. */
  readonly mergeKey: string | undefined;
  readonly patchMerge: boolean;
  readonly patchReplace: boolean;
  /** The value that an absent list key stands for: "TCP" of a port's protocol, "" of a container's name. */
  readonly keyDefault: unknown;
}

export class StructType {
  readonly name: string;
  /** "v1.PodSpec". */
  readonly goName: string;
  /** All of them belong to one manager as a whole. */
  readonly atomic: boolean;
  /** In the order of the Go struct. */
  readonly fields: readonly Field[];
  /** Fields that are there even in an empty object. */
  readonly alwaysFields: readonly Field[];
  /** Custom resources: values of fields that the schema does not name; undefined: such fields are unknown. */
  readonly others: Schema | undefined;
  readonly #byName: Map<string, Field>;

  constructor(parts: { name: string; goName?: string; atomic?: boolean; fields: readonly Field[]; others?: Schema }) {
    this.name = parts.name;
    this.goName = parts.goName ?? parts.name;
    this.atomic = parts.atomic ?? false;
    this.fields = parts.fields;
    this.others = parts.others;
    this.alwaysFields = parts.fields.filter(({ always }) => always);
    this.#byName = new Map(parts.fields.map((field) => [field.name, field]));
  }

  field(name: string): Field | undefined {
    return this.#byName.get(name);
  }

  /** The schema of a member, named or not. */
  member(name: string): Schema | undefined {
    return this.#byName.get(name)?.schema ?? this.others;
  }
}

/** Any JSON: maps merge key by key, lists and scalars as a whole. Upstream's "deduced" type. */
export const anySchema: Schema = new Schema({ kind: "any", goType: "interface {}" });
