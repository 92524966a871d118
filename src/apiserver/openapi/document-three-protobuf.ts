/** /openapi/v3/… as protobuf. Field numbers: google/gnostic openapiv3/OpenAPIv3.proto. */
import {
  any,
  double,
  entries,
  extensions,
  type Fields,
  flag,
  int,
  isFields,
  list,
  message,
  named,
  oneDouble,
  oneFlag,
  sub,
  text,
  texts,
} from "./protobuf-parts.ts";

export const documentThreeProtobufType = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf";

/** Clients still ask with an "@", which no media type may have: answers never carry it. */
export const documentThreeProtobufAliases = ["application/com.github.proto-openapi.spec.v3@v1.0+protobuf"];

export function encodeDocumentThree(document: Fields): Buffer {
  const info = (document["info"] ?? {}) as Fields;
  const components = (document["components"] ?? {}) as Fields;
  return message(
    text(1, document["openapi"]),
    sub(2, message(text(1, info["title"]), text(6, info["version"]))),
    sub(4, namedAll(entries(document["paths"]), pathItem)),
    sub(
      5,
      message(
        ...table(1, components["schemas"], schemaOrReference),
        ...table(7, components["securitySchemes"], (one) => sub(1, securityScheme(one))),
      ),
    ),
  );
}

const namedAll = (all: readonly [string, Fields][], write: (one: Fields) => Buffer): Buffer =>
  message(...all.map(([name, one]) => named(1, name, write(one))));

/** A map, if there is one. */
const table = (field: number, value: unknown, write: (one: Fields) => Buffer): Buffer[] =>
  isFields(value) ? [sub(field, namedAll(entries(value), write))] : [];

const securityScheme = (one: Fields): Buffer =>
  message(text(1, one["type"]), text(2, one["description"]), text(3, one["name"]), text(4, one["in"]));

const operations: Readonly<Record<string, number>> = {
  get: 4,
  put: 5,
  post: 6,
  delete: 7,
  options: 8,
  head: 9,
  patch: 10,
};

function pathItem(item: Fields): Buffer {
  const known = entries(item).flatMap(([method, one]) => {
    const field = operations[method];
    return field === undefined ? [] : [sub(field, operation(one))];
  });
  return message(...known, ...parameters(13, item["parameters"]), ...extensions(14, item));
}

function operation(one: Fields): Buffer {
  const body = one["requestBody"];
  return message(
    ...texts(1, one["tags"]),
    text(3, one["description"]),
    text(5, one["operationId"]),
    ...parameters(6, one["parameters"]),
    ...(isFields(body) ? [sub(7, message(sub(1, requestBody(body))))] : []),
    sub(
      8,
      message(...entries(one["responses"]).map(([code, each]) => named(2, code, message(sub(1, response(each)))))),
    ),
    ...extensions(13, one),
  );
}

const requestBody = (one: Fields): Buffer =>
  message(text(1, one["description"]), ...table(2, one["content"], mediaType), flag(3, one["required"]));

const response = (one: Fields): Buffer => message(text(1, one["description"]), ...table(3, one["content"], mediaType));

const mediaType = ({ schema }: Fields): Buffer =>
  isFields(schema) ? message(sub(1, schemaOrReference(schema))) : message();

const parameters = (field: number, all: unknown): Buffer[] =>
  list(all).map((one) => sub(field, message(sub(1, parameter(one)))));

function parameter(one: Fields): Buffer {
  const { schema } = one;
  return message(
    text(1, one["name"]),
    text(2, one["in"]),
    text(3, one["description"]),
    flag(4, one["required"]),
    ...(isFields(schema) ? [sub(10, schemaOrReference(schema))] : []),
  );
}

function schemaOrReference(one: Fields): Buffer {
  const reference = one["$ref"];
  return message(reference === undefined ? sub(1, schema(one)) : sub(2, message(text(1, reference))));
}

const schemas = (field: number, all: unknown): Buffer[] => list(all).map((one) => sub(field, schemaOrReference(one)));

function schema(one: Fields): Buffer {
  const { items, not, additionalProperties: extra } = one;
  return message(
    flag(1, one["nullable"]),
    ...("example" in one ? [sub(7, any(one["example"]))] : []),
    text(9, one["title"]),
    double(10, one["multipleOf"]),
    double(11, one["maximum"]),
    flag(12, one["exclusiveMaximum"]),
    double(13, one["minimum"]),
    flag(14, one["exclusiveMinimum"]),
    int(15, one["maxLength"]),
    int(16, one["minLength"]),
    text(17, one["pattern"]),
    int(18, one["maxItems"]),
    int(19, one["minItems"]),
    flag(20, one["uniqueItems"]),
    int(21, one["maxProperties"]),
    int(22, one["minProperties"]),
    ...texts(23, one["required"]),
    ...(Array.isArray(one["enum"]) ? one["enum"].map((value) => sub(24, any(value))) : []),
    text(25, one["type"]),
    ...schemas(26, one["allOf"]),
    ...schemas(27, one["oneOf"]),
    ...schemas(28, one["anyOf"]),
    ...(isFields(not) ? [sub(29, schema(not))] : []),
    ...(isFields(items) ? [sub(30, message(sub(1, schemaOrReference(items))))] : []),
    ...table(31, one["properties"], schemaOrReference),
    ...(typeof extra === "boolean" ? [sub(32, oneFlag(2, extra))] : []),
    ...(isFields(extra) ? [sub(32, message(sub(1, schemaOrReference(extra))))] : []),
    ...("default" in one ? [sub(33, defaultValue(one["default"]))] : []),
    text(34, one["description"]),
    text(35, one["format"]),
    ...extensions(36, one),
  );
}

/** A scalar; what is none has no form. */
function defaultValue(value: unknown): Buffer {
  if (typeof value === "number") return oneDouble(1, value);
  if (typeof value === "boolean") return oneFlag(2, value);
  return typeof value === "string" ? sub(3, Buffer.from(value)) : message();
}
