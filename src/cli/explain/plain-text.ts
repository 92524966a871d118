/** The text of `explain`: a description, then the fields in alphabetical order, one level or all of them. */
import { type OpenApiDocument, type Schema, holders, partsOf, typeText } from "./schema.ts";

const widthMax = 76;
/** A field's line has no more of its values. */
const valuesMax = 4;
const indent = "    ";

/** "FIELD: name <type>", with the values it may have. */
export function fieldLine(document: OpenApiDocument, name: string, schema: Schema): string {
  const values = schema.enum ?? [];
  const listed = values.length === 0 ? "\n" : `ENUM:\n${values.map((value) => `${indent}${value}\n`).join("")}`;
  return `FIELD: ${name} <${typeText(document, schema)}>\n${listed}\n`;
}

export function describeSchema(document: OpenApiDocument, schema: Schema, isRecursive: boolean): string {
  const texts = descriptions(document, schema);
  const description = texts.length === 0 ? `${indent}<empty>\n` : paragraph(texts.map((text) => `${text}\n`).join(""));
  const fields = fieldsText(document, schema, isRecursive, 1, []);
  return `DESCRIPTION:\n${description}${fields === "" ? "" : `FIELDS:\n${fields}`}\n`;
}

/** Its own, then what its parts say. */
function descriptions(document: OpenApiDocument, schema: Schema, seen: ReadonlySet<Schema> = new Set()): string[] {
  if (seen.has(schema)) return [];
  const within = new Set(seen).add(schema);
  const own = schema.description === undefined || schema.description === "" ? [] : [schema.description];
  return [...own, ...partsOf(document, schema).flatMap((part) => descriptions(document, part, within))];
}

/** `above`: the schemas that are being told already; those are not told again inside themselves. */
function fieldsText(
  document: OpenApiDocument,
  schema: Schema,
  isRecursive: boolean,
  level: number,
  above: readonly Schema[],
): string {
  const sources = holders(document, schema).filter((one) => !above.includes(one));
  return sources
    .flatMap(({ properties = {}, required = [] }) =>
      Object.keys(properties)
        .sort()
        .map((name) => {
          const field = properties[name]!;
          const line = fieldHead(document, name, field, required.includes(name), level);
          if (!isRecursive) return `${line}${paragraph(field.description || "<no description>")}\n`;
          return `${line}${fieldsText(document, field, true, level + 1, [...above, ...sources])}`;
        }),
    )
    .join("");
}

function fieldHead(
  document: OpenApiDocument,
  name: string,
  schema: Schema,
  isRequired: boolean,
  level: number,
): string {
  const margin = "  ".repeat(level);
  const values = schema.enum === undefined ? "" : `${margin}enum: ${someOf(schema.enum)}\n`;
  return `${margin}${name}\t<${typeText(document, schema)}>${isRequired ? " -required-" : ""}\n${values}`;
}

function someOf(values: readonly unknown[]): string {
  const texts = values.slice(0, valuesMax).map((value) => (value === "" ? '""' : String(value)));
  return [...texts, ...(values.length > valuesMax ? ["...."] : [])].join(", ");
}

const paragraph = (text: string): string =>
  text
    .split("\n")
    .flatMap(wrapped)
    .map((line) => `${indent}${line}\n`)
    .join("");

/** Breaks a line at spaces; spaces inside it stay as they are. */
function wrapped(line: string): string[] {
  const lines: string[] = [];
  let now = "";
  for (const [word] of line.matchAll(/\s*\S+/g)) {
    if (now !== "" && now.length + word.length > widthMax) {
      lines.push(now);
      now = word.trimStart();
    } else now += word;
  }
  return [...lines, now];
}
