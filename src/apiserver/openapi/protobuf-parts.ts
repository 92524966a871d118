/** What both OpenAPI documents are written with as protobuf: fields, messages, and maps as lists of names and values. */
import { bytesField, varintOf } from "#api/decode/protobuf-wire.ts";

export type Fields = Readonly<Record<string, unknown>>;

export const extensions = (field: number, one: Fields): Buffer[] =>
  Object.entries(one)
    .filter(([name]) => name.startsWith("x-"))
    .map(([name, value]) => named(field, name, any(value)));

/** Readers take YAML; JSON is YAML. */
export const any = (value: unknown): Buffer => message(text(2, JSON.stringify(value)));

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
export const entries = (value: unknown): [string, Fields][] => Object.entries((value ?? {}) as Record<string, Fields>);
export const list = (value: unknown): Fields[] => (Array.isArray(value) ? (value as Fields[]) : []);

const nothing = Buffer.alloc(0);

export const message = (...parts: readonly Buffer[]): Buffer => Buffer.concat(parts);

export const sub = bytesField;

export const named = (field: number, name: string, value: Buffer): Buffer =>
  sub(field, message(text(1, name), sub(2, value)));

export function text(field: number, value: unknown): Buffer {
  return typeof value === "string" && value !== "" ? sub(field, Buffer.from(value)) : nothing;
}

export const texts = (field: number, values: unknown): Buffer[] =>
  Array.isArray(values) ? values.map((value) => text(field, value)) : [];

export const flag = (field: number, value: unknown): Buffer => (value === true ? oneFlag(field, true) : nothing);

/** One of several that a message may hold: there even if it is false. */
export const oneFlag = (field: number, value: boolean): Buffer =>
  Buffer.concat([varintOf(field << 3), varintOf(value ? 1 : 0)]);

export const double = (field: number, value: unknown): Buffer =>
  typeof value !== "number" || value === 0 ? nothing : oneDouble(field, value);

export function oneDouble(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([varintOf((field << 3) | 1), bytes]);
}

export const int = (field: number, value: unknown): Buffer =>
  typeof value === "number" && value > 0 ? Buffer.concat([varintOf(field << 3), varintOf(value)]) : nothing;
