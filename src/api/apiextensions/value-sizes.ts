/** How large the values of a schema can be: what rules over them cost follows from it. Upstream: apiserver/pkg/cel/common/schemas.go. */
import type { ValueSize } from "#api/cel/size.ts";
import { escapedName } from "#api/cel/value.ts";
import { isIntOrString, type JsonSchema } from "./json-schema.ts";

/** An object is never larger. */
const requestBytesMax = 3 * 1024 * 1024;

const scalar = (bytesMin: number): ValueSize => ({ elementsMax: 0, bytesMin });
const anyText = scalar(2);
/** A text, without its quotes, can be as long as a request. */
const textMax = requestBytesMax - 2;

/** How many values of a size fit into the largest object. */
export const placesInRequest = ({ bytesMin }: ValueSize): number => Math.floor(requestBytesMax / (bytesMin + 1));

/** undefined: expressions see nothing of it. */
export function sizeOfSchema(schema: JsonSchema, isResource: boolean): ValueSize | undefined {
  if (isIntOrString(schema)) return { elementsMax: charactersMax(schema) ?? textMax, bytesMin: 1 };
  switch (schema.type) {
    case "array":
      return listSize(schema);
    case "object":
      return objectSize(schema, isResource);
    case "string":
      return textSize(schema);
    case "boolean":
      return scalar(4);
    case "number":
    case "integer":
      return scalar(1);
    default:
      return undefined;
  }
}

const isEmbedded = (schema: JsonSchema): boolean => schema["x-kubernetes-embedded-resource"] === true;

function listSize({ items, maxItems }: JsonSchema): ValueSize | undefined {
  const item = items === undefined ? undefined : sizeOfSchema(items, isEmbedded(items));
  if (item === undefined) return undefined;
  return { elementsMax: maxItems ?? Math.floor((requestBytesMax - 2) / (item.bytesMin + 1)), bytesMin: 2, item };
}

function objectSize(schema: JsonSchema, isResource: boolean): ValueSize | undefined {
  const { additionalProperties, maxProperties, required = [] } = schema;
  if (typeof additionalProperties === "object") {
    const item = sizeOfSchema(additionalProperties, isEmbedded(additionalProperties));
    if (item === undefined) return undefined;
    const most = maxProperties ?? Math.floor((requestBytesMax - 2) / (item.bytesMin + 6));
    return { elementsMax: most, bytesMin: 2, item, key: anyText };
  }
  const fields = new Map<string, ValueSize>();
  let bytesMin = 2;
  const properties = { ...schema.properties, ...(isResource ? resourceProperties : {}) };
  for (const [name, inner] of Object.entries(properties)) {
    const size = sizeOfSchema(inner, isEmbedded(inner));
    if (size === undefined) continue;
    const escaped = escapedName(name);
    if (escaped !== undefined) fields.set(escaped, size);
    const isGiven = inner.default !== undefined && inner.default !== null;
    if (required.includes(name) && !isGiven) bytesMin += name.length + size.bytesMin + 4;
  }
  return { elementsMax: 0, bytesMin, fields };
}

const text: JsonSchema = { type: "string" };
const resourceProperties: Readonly<Record<string, JsonSchema>> = {
  kind: text,
  apiVersion: text,
  metadata: { type: "object", properties: { name: text, generateName: text } },
};

/** A character can take four bytes. */
const charactersMax = ({ maxLength }: JsonSchema): number | undefined =>
  maxLength === undefined ? undefined : Math.max(0, maxLength) * 4;

/** Texts of a format: their longest, and the bytes of their shortest. */
const formats: Readonly<Record<string, ValueSize>> = {
  duration: { elementsMax: 32, bytesMin: 3 },
  date: { elementsMax: 12, bytesMin: 12 },
  "date-time": { elementsMax: 32, bytesMin: 21 },
};

function textSize(schema: JsonSchema): ValueSize {
  const { format = "", maxLength, enum: allowed = [] } = schema;
  if (format === "byte") return { elementsMax: maxLength ?? textMax, bytesMin: 2 };
  const ofFormat = formats[format];
  if (ofFormat !== undefined) return ofFormat;
  const lengths = allowed.map((one) => (typeof one === "string" ? Buffer.byteLength(one) : 0));
  const longest = allowed.length > 0 ? Math.max(...lengths) : textMax;
  return { elementsMax: charactersMax(schema) ?? longest, bytesMin: 2 };
}
