/**
 * Turns a JSON value into an object of a type, exactly as upstream's Go structs take it in: unknown fields go, empty scalars
 * too, absent ones that Go always writes appear, times, quantities and bytes take their canonical form, members stand in the
 * struct's order. Lists and maps that are there and empty stay until the object is written: src/api/schema/empties.ts.
 * Faults carry Go's texts, in one of two dialects: that of encoding/json (bodies, JSON and merge patches) or that of the
 * unstructured converter (strategic merge, apply).
 */
import { compareText } from "#api/go-text.ts";
import { QuantityError, decodedQuantity } from "#api/quantity.ts";
import type { Field, Schema, StructType } from "#api/schema/model.ts";
import { zeroOf, zeroStruct, zeroValue } from "#api/schema/zero.ts";
import { Base64Error, canonicalBase64 } from "./base64.ts";
import { TimeError, canonicalMicroTime, canonicalTime } from "./go-time.ts";
import { type JsonDocument, JsonNumber, jsonTypeName, plainJson, setMember } from "./json-value.ts";
import { readAgain } from "./read-again.ts";

/** A value does not fit its type. The message is Go's, without what the request handler puts around it. */
export class ConformError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ConformError";
  }
}

export type Dialect = "json" | "unstructured";

export interface Conformed {
  object: Record<string, unknown>;
  /** `unknown field "spec.x"`, `duplicate field "spec.y"`: no failure unless the client wants strictness. */
  strictErrors: string[];
  /** Some list or map is there and empty. */
  holdsEmpties: boolean;
}

/** Upstream stops collecting there too. */
export const strictErrorsMax = 100;

type Duplicates = JsonDocument["duplicates"];

/** Throws ConformError for the first value that does not fit. `input` is not changed; the result shares nothing with it. */
export function conform(
  input: unknown,
  struct: StructType,
  { dialect = "json", duplicates }: { dialect?: Dialect; duplicates?: Duplicates } = {},
): Conformed {
  const conformer = new Conformer(struct, dialect, duplicates);
  const root = dialect === "json" && input === null ? {} : input;
  const object = isObject(root) ? conformer.struct(struct, root) : conformer.mismatchedRoot(root);
  if (conformer.error !== undefined) throw new ConformError(conformer.error);
  return { object, strictErrors: [...conformer.strictErrors], holdsEmpties: conformer.holdsEmpties };
}

type JsonObject = Record<string, unknown>;
const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber);

/** Types whose empty parts nobody tells from absent ones, and that texts show as JSON would. */
const shownWhole: ReadonlySet<string> = new Set(["v1.LabelSelector", "v1.LabelSelectorRequirement"]);

/** Marks a map's key in a path: Go's type errors leave it out. */
const keyMark = "\0";
/** Stands in a path between the embedded structs that only Go's type errors name and the field. */
const embeddedMark = "\x01";

/** The keys that an object had more than once. */
interface Repeated {
  /** All their values, each in the order in which they came. */
  values: ReadonlyMap<string, readonly unknown[]>;
  /** Reports those that came again before the next key, in the order in which members are visited, and reads their values. */
  tell: () => void;
}

class Conformer {
  error: string | undefined;
  holdsEmpties = false;
  readonly strictErrors = new Set<string>();
  readonly #path: (string | number)[] = [];
  readonly #isJson: boolean;
  readonly #duplicates: Duplicates;
  #struct: StructType;

  constructor(struct: StructType, dialect: Dialect, duplicates: Duplicates) {
    this.#struct = struct;
    this.#isJson = dialect === "json";
    this.#duplicates = duplicates;
  }

  mismatchedRoot(input: unknown): JsonObject {
    this.#fail(
      this.#isJson
        ? `json: cannot unmarshal ${jsonTypeName(input)} into Go value of type ${this.#struct.goName}`
        : `cannot restore struct from: ${reflectKind(input)}`,
    );
    return {};
  }

  struct(struct: StructType, input: JsonObject): JsonObject {
    const outer = this.#struct;
    this.#struct = struct;
    const fields: Field[] = [];
    const values: unknown[] = [];
    let last = -1;
    let inOrder = true;
    const take = (field: Field, item: unknown) => {
      const value = this.#visit(field, item);
      if (value === undefined) return;
      fields.push(field);
      values.push(value);
      if (field.index < last) inOrder = false;
      last = field.index;
    };
    const repeated = this.#repeatedOf(struct, input);
    for (const name of this.#names(struct, input)) {
      repeated?.tell();
      const field = struct.field(name);
      if (field === undefined) this.#unknown(name);
      else if (repeated?.values.has(name)) this.#visit(field, repeated.values.get(name)![0]);
      else take(field, input[name]);
    }
    repeated?.tell();
    for (const [name, all] of repeated?.values ?? []) {
      const field = struct.field(name);
      if (field !== undefined) take(field, readAgain(field, all));
    }
    if (!inOrder) sortTogether(fields, values);
    this.#struct = outer;
    return withAlwaysFields(struct, fields, values);
  }

  #visit(field: Field, input: unknown): unknown {
    this.#path.push(field.embedded === undefined ? field.name : field.embedded + embeddedMark + field.name);
    const value = this.#member(field, input);
    this.#path.pop();
    return value;
  }

  /** Go's json visits members as they come, the converter visits the struct's fields and then the rest. */
  #names(struct: StructType, input: JsonObject): Iterable<string> {
    if (this.#isJson) return Object.keys(input);
    const known = struct.fields.filter(({ name }) => Object.hasOwn(input, name)).map(({ name }) => name);
    return [
      ...known,
      ...Object.keys(input)
        .filter((name) => struct.field(name) === undefined)
        .sort(compareText),
    ];
  }

  #unknown(name: string): void {
    this.#strict(`unknown field "${this.#strictPath(name)}"`);
  }

  #repeatedOf(struct: StructType, input: JsonObject): Repeated | undefined {
    const keys = this.#duplicates?.get(input);
    if (keys === undefined) return undefined;
    const values = new Map<string, unknown[]>();
    for (const { key, earlier } of keys) {
      const known = values.get(key);
      if (known === undefined) values.set(key, [earlier]);
      else known.push(earlier);
    }
    for (const [key, known] of values) known.push(input[key]);
    const told = new Map<string, number>();
    let next = 0;
    let visited = 0;
    const tell = () => {
      for (; keys[next] !== undefined && keys[next]!.at <= visited; next++) {
        const { key } = keys[next]!;
        this.#strict(`duplicate field "${this.#strictPath(key)}"`);
        const at = (told.get(key) ?? 0) + 1;
        told.set(key, at);
        const field = struct.field(key);
        if (field !== undefined) this.#visit(field, values.get(key)![at]);
      }
      visited++;
    };
    return { values, tell };
  }

  #strict(message: string): void {
    if (this.strictErrors.size < strictErrorsMax) this.strictErrors.add(message);
  }

  /** undefined: the field is not shown. */
  #member(field: Field, input: unknown): unknown {
    if (input === null || input === undefined) return field.always ? zeroOf(field) : undefined;
    const value = this.#value(field.schema, input);
    if (field.pointer || !isEmpty(value)) return value;
    switch (field.schema.kind) {
      case "list":
      case "map":
        if (shownWhole.has(this.#struct.goName)) return undefined;
        // An empty managedFields resets them: ownership looks at it before anything is written.
        if (field.schema.goType !== "[]v1.ManagedFieldsEntry") this.holdsEmpties = true;
        return value;
      case "struct":
      case "raw":
      case "any":
        return value;
      default:
        return field.always ? value : undefined;
    }
  }

  #value(schema: Schema, input: unknown): unknown {
    switch (schema.kind) {
      case "string":
        return typeof input === "string" ? input : this.#mismatch(schema, input);
      case "struct":
        return isObject(input) ? this.struct(schema.struct, input) : this.#mismatch(schema, input);
      case "list":
        return Array.isArray(input) ? this.#list(schema, input) : this.#mismatch(schema, input);
      case "map":
        return isObject(input) ? this.#map(schema, input) : this.#mismatch(schema, input);
      case "integer":
        return this.#integer(schema, input);
      case "boolean":
        return typeof input === "boolean" ? input : this.#mismatch(schema, input);
      case "schemaOr":
        return isObject(input) ? this.struct(schema.struct, input) : this.#schemaOr(schema, input);
      case "number":
        return this.#number(schema, input);
      case "raw":
      case "any":
        return plainJson(input);
      case "bytes":
        return this.#text(schema, input);
      default:
        return this.#decisive(schema, input);
    }
  }

  /** Types that read themselves: their faults end the reading at once, and go before those that were found earlier. */
  #decisive(schema: Schema, input: unknown): unknown {
    const earlier = this.error;
    this.error = undefined;
    const value = this.#text(schema, input);
    if (this.error !== undefined) throw new ConformError(this.error);
    this.error = earlier;
    return value;
  }

  #list(schema: Schema, input: readonly unknown[]): unknown[] {
    const of = schema.of!;
    const list: unknown[] = [];
    for (let index = 0; index < input.length; index++) {
      const item = input[index];
      if (item === null || item === undefined) {
        list.push(zeroValue(of));
        continue;
      }
      this.#path.push(index);
      list.push(this.#value(of, item));
      this.#path.pop();
    }
    return list;
  }

  #map(schema: Schema, input: JsonObject): JsonObject {
    const of = schema.of!;
    const map: JsonObject = {};
    for (const key of sortedKeys(input)) {
      const item = input[key];
      if (item === null || item === undefined) {
        setMember(map, key, of.kind === "bytes" ? "" : zeroValue(of));
        continue;
      }
      if (of.kind === "string" && typeof item === "string") {
        setMember(map, key, item);
        continue;
      }
      this.#path.push(keyMark + key);
      setMember(map, key, this.#value(of, item));
      this.#path.pop();
    }
    for (const { key, earlier } of this.#duplicates?.get(input) ?? []) {
      this.#strict(`duplicate field "${this.#strictPath(key)}"`);
      if (earlier === null) continue;
      this.#path.push(keyMark + key);
      this.#value(of, earlier);
      this.#path.pop();
    }
    return map;
  }

  /** What is no schema: a bool or a list, as its type has it; anything else than a bool counts for nothing elsewhere. */
  #schemaOr({ goType, struct }: Schema, input: unknown): unknown {
    if (goType.endsWith("OrBool")) {
      if (typeof input !== "boolean") this.#fail("boolean or JSON schema expected");
      return input;
    }
    if (!Array.isArray(input)) return undefined;
    const ofTexts = goType.endsWith("OrStringArray");
    const zero = () => (ofTexts ? "" : zeroStruct(struct));
    return input.map((item) => {
      if (item === null) return zero();
      if (ofTexts ? typeof item === "string" : isObject(item)) return ofTexts ? item : this.struct(struct, item);
      const wanted = ofTexts ? "string" : struct.goName;
      this.#fail(`json: cannot unmarshal ${jsonTypeName(item)} into Go value of type ${wanted}`);
      return zero();
    });
  }

  #integer(schema: Schema, input: unknown): unknown {
    if (typeof input === "number" && Number.isInteger(input)) {
      if (schema.goType !== "int32" || (input >= -2_147_483_648 && input <= 2_147_483_647)) return input;
      return this.#isJson ? this.#mismatch(schema, input) : input | 0;
    }
    if (!(input instanceof JsonNumber)) return this.#mismatch(schema, input);
    if (!/^-?\d+$/.test(input.text)) {
      const number = Number(input.text);
      return !this.#isJson && Number.isInteger(number) ? number : this.#mismatch(schema, input);
    }
    const exact = BigInt(input.text);
    const bits = schema.goType === "int32" ? 32 : 64;
    if (BigInt.asIntN(bits, exact) !== exact) return this.#mismatch(schema, input);
    return input.isBeyondDouble ? input : Number(exact);
  }

  #number(schema: Schema, input: unknown): unknown {
    if (typeof input === "number") return input;
    return input instanceof JsonNumber ? Number(input.text) : this.#mismatch(schema, input);
  }

  /** Types that JSON writes as text of a certain form. Their own faults name no field. */
  #text(schema: Schema, input: unknown): unknown {
    try {
      switch (schema.kind) {
        case "intOrString":
          return this.#intOrString(input);
        case "quantity":
          return decodedQuantity(quantitySource(input));
        case "bytes":
          if (typeof input === "string") return canonicalBase64(input);
          return this.#isJson && Array.isArray(input) ? this.#byteList(input) : this.#mismatch(schema, input);
        case "time":
          return typeof input === "string" ? canonicalTime(input) : this.#mismatchAs("string", input);
        default:
          return typeof input === "string" ? canonicalMicroTime(input) : this.#mismatchAs("string", input);
      }
    } catch (error) {
      if (!(error instanceof QuantityError || error instanceof TimeError || error instanceof Base64Error)) throw error;
      const prefix = error instanceof Base64Error && !this.#isJson ? "error decoding from json: " : "";
      this.#fail(prefix + error.message);
      return undefined;
    }
  }

  /** Go takes bytes as a list of numbers too. */
  #byteList(input: readonly unknown[]): string {
    const bytes = input.map((item) => {
      if (item === null) return 0;
      const isByte = typeof item === "number" && Number.isInteger(item) && item >= 0 && item <= 255;
      return isByte ? item : (this.#mismatchAs("uint8", item) ?? 0);
    });
    return Buffer.from(bytes).toString("base64");
  }

  #intOrString(input: unknown): unknown {
    if (typeof input === "string") return input;
    if (typeof input === "number" && Number.isInteger(input) && (input | 0) === input) return input;
    return this.#mismatchAs("int32", input);
  }

  #mismatch(schema: Schema, input: unknown): undefined {
    if (this.#isJson) return this.#mismatchAs(schema.goType, input);
    this.#fail(conversionFault(schema, input));
    return undefined;
  }

  /** Go's json.UnmarshalTypeError. A number is quoted where a number was wanted. */
  #mismatchAs(goType: string, input: unknown): undefined {
    const isNumber = typeof input === "number" || input instanceof JsonNumber;
    const literal = isNumber && /^(u?int|float)/.test(goType) ? ` ${numberText(input)}` : "";
    const what = `json: cannot unmarshal ${jsonTypeName(input)}${literal}`;
    if (!this.#isJson) this.#fail(`${what} into Go value of type ${goType}`);
    else {
      const struct = this.#struct.goName.slice(this.#struct.goName.indexOf(".") + 1);
      this.#fail(`${what} into Go struct field ${struct}.${this.#goPath()} of type ${goType}`);
    }
    return undefined;
  }

  #fail(message: string): void {
    if (!this.#isJson) throw new ConformError(message);
    this.error ??= message;
  }

  #goPath(): string {
    return this.#path
      .filter((part) => typeof part === "string" && !part.startsWith(keyMark))
      .join(".")
      .replaceAll(embeddedMark, ".");
  }

  #strictPath(name: string): string {
    let path = "";
    for (const part of this.#path) {
      if (typeof part === "number") path += `[${part}]`;
      else {
        const shown = part.startsWith(keyMark) ? part.slice(1) : part.slice(part.indexOf(embeddedMark) + 1);
        path += `${path === "" ? "" : "."}${shown}`;
      }
    }
    return path === "" ? name : `${path}.${name}`;
  }
}

function isEmpty(value: unknown): boolean {
  if (typeof value !== "object") return value === "" || value === 0 || value === false;
  if (value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  for (const _ in value) return false;
  return true;
}

function sortedKeys(input: JsonObject): string[] {
  const keys = Object.keys(input);
  for (let i = 1; i < keys.length; i++) if (compareText(keys[i - 1]!, keys[i]!) > 0) return keys.sort(compareText);
  return keys;
}

function sortTogether(fields: Field[], values: unknown[]): void {
  for (let i = 1; i < fields.length; i++) {
    const field = fields[i]!;
    const value = values[i];
    let at = i;
    for (; at > 0 && fields[at - 1]!.index > field.index; at--) {
      fields[at] = fields[at - 1]!;
      values[at] = values[at - 1];
    }
    fields[at] = field;
    values[at] = value;
  }
}

function withAlwaysFields(struct: StructType, fields: readonly Field[], values: readonly unknown[]): JsonObject {
  const object: JsonObject = {};
  const always = struct.alwaysFields;
  let next = 0;
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i]!;
    for (; next < always.length && always[next]!.index < field.index; next++) {
      object[always[next]!.name] = zeroOf(always[next]!);
    }
    if (next < always.length && always[next] === field) next++;
    object[field.name] = values[i];
  }
  for (; next < always.length; next++) object[always[next]!.name] = zeroOf(always[next]!);
  return object;
}

const numberText = (input: unknown) => (input instanceof JsonNumber ? input.text : String(input));

function quantitySource(input: unknown): string {
  if (typeof input === "string") return input;
  return input instanceof JsonNumber ? input.text : JSON.stringify(plainJson(input));
}

/** reflect.Kind of what upstream's decoder makes of a JSON value. */
function reflectKind(input: unknown): string {
  if (typeof input === "string") return "string";
  if (typeof input === "boolean") return "bool";
  if (Array.isArray(input)) return "slice";
  if (input instanceof JsonNumber) return isInt64(input.text) ? "int64" : "float64";
  if (typeof input === "number") return Number.isInteger(input) ? "int64" : "float64";
  return "map";
}

const isInt64 = (text: string) => /^-?\d+$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text);

/** The texts of upstream's runtime.DefaultUnstructuredConverter. */
function conversionFault(schema: Schema, input: unknown): string {
  const kind = reflectKind(input);
  switch (schema.kind) {
    case "struct":
    case "schemaOr":
      return `cannot restore struct from: ${kind}`;
    case "list":
      return `cannot restore slice from ${kind}`;
    case "bytes":
      return `cannot restore slice from ${kind}`;
    case "map":
      return `cannot restore map from ${kind}`;
    case "string":
      if (kind === "int64") return `cannot convert int64 to ${schema.goType}`;
      return "unrecognized type: string";
    case "boolean":
      return "unrecognized type: bool";
    default:
      if (kind === "int64" || kind === "float64") return `cannot convert ${kind} to ${schema.goType}`;
      return `unrecognized type: ${schema.goType}`;
  }
}
