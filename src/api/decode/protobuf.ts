/**
 * Kubernetes protobuf to objects and back, driven by the schema: no code per type. A message is `k8s\0` and an envelope that
 * names the kind. Upstream: apimachinery/pkg/runtime/serializer/protobuf, generated.proto of each group.
 */
import type { Field, Schema, StructType } from "#api/schema/model.ts";
import { zeroValue } from "#api/schema/zero.ts";
import { type Instant, microTimeText, parseTime, timeText, yearTenThousand, yearZero } from "./go-time.ts";
import { type JsonNumber, nestingDepthMax, setMember } from "./json-value.ts";
import { ProtobufError, WireReader, WireWriter, bytesType, fixed64Type, varintType } from "./protobuf-wire.ts";

export { ProtobufError } from "./protobuf-wire.ts";

const magic = Buffer.from("k8s\0");

type JsonObject = Record<string, unknown>;

export interface ProtobufEnvelope {
  group: string;
  version: string;
  kind: string;
}

/** Fields by number; an embedded message holds some of them. */
interface Table {
  /** Go's name of the message. */
  name: string;
  fields: Map<number, Field>;
  embedded: Map<number, Table>;
  /** All numbers, the highest first: the order of writing. */
  descending: readonly number[];
}
const tables = new WeakMap<StructType, Table>();

function tableOf(struct: StructType): Table {
  let table = tables.get(struct);
  if (table === undefined) {
    table = emptyTable(struct.goName.slice(struct.goName.indexOf(".") + 1));
    for (const field of struct.fields) if (field.number > 0) placeOf(table, field.via).fields.set(field.number, field);
    sortNumbers(table);
    tables.set(struct, table);
  }
  return table;
}

const emptyObject: JsonObject = {};
const emptyTable = (name: string): Table => ({ name, fields: new Map(), embedded: new Map(), descending: [] });

function sortNumbers(table: Table): void {
  table.descending = [...table.fields.keys(), ...table.embedded.keys()].sort((a, b) => b - a);
  for (const embedded of table.embedded.values()) sortNumbers(embedded);
}

function placeOf(table: Table, via: readonly number[]): Table {
  let place = table;
  for (const number of via) {
    let next = place.embedded.get(number);
    if (next === undefined) place.embedded.set(number, (next = emptyTable(table.name)));
    place = next;
  }
  return place;
}

/** Throws ProtobufError. `structOf` gives the type of what the envelope says it holds. */
export function decodeProtobuf(
  bytes: Uint8Array,
  structOf: (kind: ProtobufEnvelope) => StructType,
): ProtobufEnvelope & { value: JsonObject } {
  const { raw, apiVersion, kind } = readEnvelope(bytes);
  const named = { ...groupVersionOf(apiVersion), kind };
  const object: JsonObject = { kind, apiVersion };
  readStruct(new WireReader(raw), tableOf(structOf(named)), object, 0);
  return { ...named, value: object };
}

/** What is no group and version says nothing at all. */
function groupVersionOf(apiVersion: string): { group: string; version: string } {
  const parts = apiVersion.split("/");
  if (parts.length > 2) return { group: "", version: "" };
  return { group: parts.length === 2 ? parts[0]! : "", version: parts.at(-1)! };
}

function readEnvelope(bytes: Uint8Array): { raw: Uint8Array; apiVersion: string; kind: string } {
  if (bytes.length === 0) throw new ProtobufError("empty data");
  if (bytes.length < magic.length || magic.some((byte, index) => bytes[index] !== byte)) {
    throw new ProtobufError("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
  }
  const envelope: { raw: Uint8Array; apiVersion: string; kind: string } = {
    raw: new Uint8Array(),
    apiVersion: "",
    kind: "",
  };
  for (const reader = new WireReader(bytes, magic.length); reader.hasMore;) {
    const { number, type } = reader.tag("Unknown");
    if (type !== bytesType) reader.skip(type);
    else if (number === 1) {
      for (const meta = reader.nested(); meta.hasMore;) {
        const inner = meta.tag("TypeMeta");
        if (inner.number === 1) envelope.apiVersion = meta.text();
        else if (inner.number === 2) envelope.kind = meta.text();
        else meta.skip(inner.type);
      }
    } else if (number === 2) envelope.raw = reader.bytes();
    else reader.skip(type);
  }
  return envelope;
}

function readStruct(reader: WireReader, table: Table, object: JsonObject, depth: number): void {
  const { name, fields, embedded } = table;
  if (depth > nestingDepthMax) throw new ProtobufError("proto: exceeded maximum recursion depth");
  while (reader.hasMore) {
    const { number, type } = reader.tag(name);
    const field = fields.get(number);
    if (field !== undefined) readField(reader, field, type, object, depth);
    else if (embedded.has(number) && type === bytesType)
      readStruct(reader.nested(), embedded.get(number)!, object, depth + 1);
    else reader.skip(type);
  }
}

function readField(reader: WireReader, field: Field, type: number, object: JsonObject, depth: number): void {
  const { name, schema } = field;
  if (wireTypeOf(schema) !== type && !isPacked(schema, type))
    throw new ProtobufError(`proto: wrong wireType = ${type} for field ${goFieldName(name)}`);
  if (schema.kind === "list" && !isWrapped(schema)) {
    const list = (object[name] ??= []) as unknown[];
    if (!isPacked(schema, type)) list.push(readValue(reader, schema.of!, type, depth));
    else
      for (const packed = reader.nested(); packed.hasMore;) list.push(readValue(packed, schema.of!, varintType, depth));
  } else if (schema.kind === "map") {
    readEntry(reader.nested(), schema.of!, (object[name] ??= {}) as JsonObject, depth);
  } else object[name] = readValue(reader, schema, type, depth);
}

function scalarWireType({ kind }: Schema): number {
  if (kind === "integer" || kind === "boolean") return varintType;
  return kind === "number" ? fixed64Type : bytesType;
}

/** Items of a list come one by one, each with the field's tag. */
const wireTypeOf = (schema: Schema): number => scalarWireType(schema.kind === "list" ? schema.of! : schema);
/** A message around its items instead: Go's list has a name of its own. */
const isWrapped = ({ goType }: Schema): boolean => goType === "v1.Verbs";
const isPacked = ({ kind, of }: Schema, type: number): boolean =>
  kind === "list" && type === bytesType && scalarWireType(of!) === varintType;

const initials: Readonly<Record<string, string>> = { metadata: "ObjectMeta", apiVersion: "APIVersion", uid: "UID" };

function goFieldName(name: string): string {
  return initials[name] ?? name.charAt(0).toUpperCase() + name.slice(1);
}

function readEntry(reader: WireReader, of: Schema, map: JsonObject, depth: number): void {
  let key = "";
  let value: unknown = null;
  while (reader.hasMore) {
    const { number, type } = reader.tag("entry");
    if (number === 1) key = reader.text();
    else if (number === 2) value = readValue(reader, of, type, depth);
    else reader.skip(type);
  }
  setMember(map, key, value);
}

function readValue(reader: WireReader, schema: Schema, type: number, depth: number): unknown {
  if (type !== scalarWireType(schema))
    throw new ProtobufError(`proto: wrong wireType = ${type} for field ${schema.goType}`);
  switch (schema.kind) {
    case "integer":
      return reader.integer();
    case "boolean":
      return reader.varint() !== 0;
    case "number":
      return reader.double();
    case "string":
      return reader.text();
    case "bytes":
      return reader.bytes().toString("base64");
    case "struct": {
      const object: JsonObject = {};
      readStruct(reader.nested(), tableOf(schema.struct), object, depth + 1);
      return object;
    }
    case "list":
      return readMembers(reader.nested(), schema, depth).get(1) ?? [];
    default:
      return readSpecial(readMembers(reader.nested(), schema, depth), schema);
  }
}

/** The raw members of a small message with a meaning of its own: varints as numbers, the rest as bytes or lists. */
function readMembers(reader: WireReader, schema: Schema, depth: number): Map<number, unknown> {
  const members = new Map<number, unknown>();
  while (reader.hasMore) {
    const { number, type } = reader.tag(schema.goType);
    if (schema.kind === "list" && number === 1) {
      const list = (members.get(1) ?? []) as unknown[];
      list.push(readValue(reader, schema.of!, type, depth));
      members.set(1, list);
    } else if (type === varintType) members.set(number, reader.varint());
    else if (type === bytesType)
      members.set(number, [...((members.get(number) as Buffer[] | undefined) ?? []), reader.bytes()]);
    else reader.skip(type);
  }
  return members;
}

function readSpecial(members: Map<number, unknown>, schema: Schema): unknown {
  const number = (id: number) => (members.get(id) as number | undefined) ?? 0;
  const parts = (id: number) => (members.get(id) as Buffer[] | undefined) ?? [];
  const last = (id: number) => parts(id).at(-1);
  switch (schema.kind) {
    case "quantity":
      return last(1)?.toString("utf8") || "0";
    case "intOrString":
      return number(1) === 1 ? (last(3)?.toString("utf8") ?? "") : number(2);
    case "time":
      return number(1) === 0 && number(2) === 0 ? null : timeText(writable({ seconds: number(1), nanos: 0 }));
    case "microTime":
      return number(1) === 0 && number(2) === 0
        ? null
        : microTimeText(writable({ seconds: number(1), nanos: number(2) }));
    case "schemaOr":
      return readSchemaOr(schema, number(1), parts(1), parts(2));
    default:
      return readRaw(last(1));
  }
}

/** In years that a text has room for: upstream keeps others too, which no JSON client could send back. Throws ProtobufError. */
function writable({ seconds, nanos }: Instant): Instant {
  const instant = { seconds: seconds + Math.floor(nanos / 1e9), nanos: ((nanos % 1e9) + 1e9) % 1e9 };
  if (instant.seconds >= yearZero && instant.seconds < yearTenThousand) return instant;
  throw new ProtobufError("proto: Timestamp: year outside of range [0,9999]");
}

function readRaw(bytes: Buffer | undefined): unknown {
  if (bytes === undefined || bytes.length === 0) return null;
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw new ProtobufError((error as Error).message);
  }
}

/** PropsOrArray {schema 1, schemas 2}, PropsOrBool {allows 1, schema 2}, PropsOrStringArray {schema 1, property 2}. */
function readSchemaOr(schema: Schema, allows: number, first: Buffer[], second: Buffer[]): unknown {
  const propsOf = (bytes: Buffer) => {
    const object: JsonObject = {};
    readStruct(new WireReader(bytes), tableOf(schema.struct), object, 0);
    return object;
  };
  if (schema.goType.endsWith("OrBool")) return second[0] === undefined ? allows !== 0 : propsOf(second[0]);
  if (first[0] !== undefined) return propsOf(first[0]);
  return schema.goType.endsWith("OrArray") ? second.map(propsOf) : second.map(String);
}

/** An object of a type in protobuf, with its envelope. */
export function encodeProtobuf(object: { apiVersion?: string; kind?: string }, struct: StructType): Buffer {
  const writer = new WireWriter();
  const start = writer.size;
  writer.varint(0); // contentType: ""
  writer.tag(4, bytesType);
  writer.varint(0); // contentEncoding: ""
  writer.tag(3, bytesType);
  const raw = writer.size;
  writeStruct(writer, tableOf(struct), object as JsonObject);
  writer.wrap(2, raw);
  const meta = writer.size;
  writeText(writer, 2, object.kind ?? "");
  writeText(writer, 1, object.apiVersion ?? "");
  writer.wrap(1, meta);
  writer.bytes(magic);
  return writer.size === start ? Buffer.alloc(0) : writer.finish();
}

function writeText(writer: WireWriter, number: number, text: string): void {
  const before = writer.size;
  writer.text(text);
  writer.wrap(number, before);
}

/** Highest number first, since the writer works backwards. */
function writeStruct(writer: WireWriter, { fields, embedded, descending }: Table, object: JsonObject): void {
  for (const number of descending) {
    const field = fields.get(number);
    if (field !== undefined) {
      const value = object[field.name];
      if (value !== undefined && value !== null) writeField(writer, number, field.schema, value);
      else if (!field.pointer) writeZero(writer, number, field.schema);
      continue;
    }
    const before = writer.size;
    writeStruct(writer, embedded.get(number)!, object);
    writer.wrap(number, before);
  }
}

/** What is no pointer, list or map is written even if it has no value: generated Go code knows no absence of it. */
function writeZero(writer: WireWriter, number: number, schema: Schema): void {
  switch (schema.kind) {
    case "list":
    case "map":
    case "bytes":
    case "schemaOr":
      return;
    case "struct":
      return writeValue(writer, number, schema, emptyObject);
    case "raw":
    case "time":
    case "microTime":
      return writer.wrap(number, writer.size);
    default:
      return writeValue(writer, number, schema, zeroValue(schema));
  }
}

function writeField(writer: WireWriter, number: number, schema: Schema, value: unknown): void {
  if (schema.kind === "list" && !isWrapped(schema)) writeItems(writer, number, schema, value as unknown[]);
  else if (schema.kind === "map") {
    for (const [key, item] of Object.entries(value as JsonObject).reverse()) {
      const before = writer.size;
      writeValue(writer, 2, schema.of!, item);
      writeText(writer, 1, key);
      writer.wrap(number, before);
    }
  } else writeValue(writer, number, schema, value);
}

function writeItems(writer: WireWriter, number: number, schema: Schema, items: readonly unknown[]): void {
  for (const item of items.toReversed()) writeValue(writer, number, schema.of!, item);
}

function writeValue(writer: WireWriter, number: number, schema: Schema, value: unknown): void {
  switch (schema.kind) {
    case "integer":
      writer.integer((value as number | JsonNumber | null) ?? 0);
      return writer.tag(number, varintType);
    case "boolean":
      writer.varint(value === true ? 1 : 0);
      return writer.tag(number, varintType);
    case "number":
      writer.double(value as number);
      return writer.tag(number, fixed64Type);
    case "string":
      return writeText(writer, number, value as string);
  }
  const before = writer.size;
  writeMessage(writer, schema, value);
  writer.wrap(number, before);
}

function writeMessage(writer: WireWriter, schema: Schema, value: unknown): void {
  switch (schema.kind) {
    case "bytes":
      return writer.bytes(Buffer.from((value as string | null) ?? "", "base64"));
    case "struct":
      return writeStruct(writer, tableOf(schema.struct), (value ?? {}) as JsonObject);
    case "list":
      return writeItems(writer, 1, schema, (value as unknown[] | null) ?? []);
    case "quantity":
      return writeText(writer, 1, String(value));
    case "intOrString":
      return writeIntOrString(writer, value as string | number);
    case "time":
    case "microTime":
      return value === null ? undefined : writeTime(writer, value as string, schema.kind === "microTime");
    case "schemaOr":
      return writeSchemaOr(writer, schema, value);
    default:
      return value === null ? undefined : writeText(writer, 1, JSON.stringify(value));
  }
}

function writeIntOrString(writer: WireWriter, value: string | number): void {
  writeText(writer, 3, typeof value === "string" ? value : "");
  writer.varint(typeof value === "number" ? value : 0);
  writer.tag(2, varintType);
  writer.varint(typeof value === "string" ? 1 : 0);
  writer.tag(1, varintType);
}

function writeTime(writer: WireWriter, text: string, micro: boolean): void {
  const { seconds, nanos } = parseTime(text, micro);
  writer.varint(nanos);
  writer.tag(2, varintType);
  writer.varint(seconds);
  writer.tag(1, varintType);
}

function writeSchemaOr(writer: WireWriter, schema: Schema, value: unknown): void {
  const props = (number: number, item: unknown) => {
    const before = writer.size;
    writeStruct(writer, tableOf(schema.struct), item as JsonObject);
    writer.wrap(number, before);
  };
  const isBool = schema.goType.endsWith("OrBool");
  if (typeof value === "boolean" || isBool) {
    if (typeof value !== "boolean") props(2, value);
    writer.varint(value === false ? 0 : 1);
    writer.tag(1, varintType);
  } else if (!Array.isArray(value)) props(1, value);
  else {
    for (const item of value.toReversed()) {
      if (typeof item === "string") writeText(writer, 2, item);
      else props(2, item);
    }
  }
}
