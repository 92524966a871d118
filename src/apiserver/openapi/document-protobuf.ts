/** /openapi/v2 as protobuf, for clients that read nothing else. Field numbers: google/gnostic openapiv2/OpenAPIv2.proto. */
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
  oneFlag,
  sub,
  text,
  texts,
} from "./protobuf-parts.ts";

export const documentProtobufType = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/** Clients still ask with an "@", which no media type may have: answers never carry it. */
export const documentProtobufAliases = ["application/com.github.proto-openapi.spec.v2@v1.0+protobuf"];

export function encodeDocument(document: Fields): Buffer {
  const info = (document["info"] ?? {}) as Fields;
  return message(
    text(1, document["swagger"]),
    sub(2, message(text(1, info["title"]), text(2, info["version"]))),
    sub(8, message(...entries(document["paths"]).map(([name, item]) => named(2, name, pathItem(item))))),
    sub(9, message(...entries(document["definitions"]).map(([name, one]) => named(1, name, schema(one))))),
    sub(10, message(...entries(document["parameters"]).map(([name, one]) => named(1, name, parameter(one))))),
    ...list(document["security"]).map((one) => sub(12, requirement(one))),
    sub(13, message(...entries(document["securityDefinitions"]).map(([name, one]) => named(1, name, apiKey(one))))),
  );
}

/** What a client has to show, and the scopes of each. */
const requirement = (one: Fields): Buffer =>
  message(...entries(one).map(([name, scopes]) => named(1, name, message(...texts(1, scopes)))));

const apiKey = (one: Fields): Buffer =>
  message(sub(2, message(text(1, one["type"]), text(2, one["name"]), text(3, one["in"]), text(4, one["description"]))));

const operations: Readonly<Record<string, number>> = {
  get: 2,
  put: 3,
  post: 4,
  delete: 5,
  options: 6,
  head: 7,
  patch: 8,
};

function pathItem(item: Fields): Buffer {
  const known = entries(item).flatMap(([method, one]) => {
    const field = operations[method];
    return field === undefined ? [] : [sub(field, operation(one))];
  });
  return message(
    ...known,
    ...list(item["parameters"]).map((one) => sub(9, parameterItem(one))),
    ...extensions(10, item),
  );
}

function operation(one: Fields): Buffer {
  return message(
    ...texts(1, one["tags"]),
    text(3, one["description"]),
    text(5, one["operationId"]),
    ...texts(6, one["produces"]),
    ...texts(7, one["consumes"]),
    ...list(one["parameters"]).map((each) => sub(8, parameterItem(each))),
    sub(9, message(...entries(one["responses"]).map(([code, each]) => named(1, code, response(each))))),
    ...texts(10, one["schemes"]),
    ...extensions(13, one),
  );
}

function response({ description, schema: shape }: Fields): Buffer {
  const body = isFields(shape) ? [sub(2, message(sub(1, schema(shape))))] : [];
  return message(sub(1, message(text(1, description), ...body)));
}

/** A parameter, or a reference to one. */
function parameterItem(one: Fields): Buffer {
  const reference = one["$ref"];
  return message(reference === undefined ? sub(1, parameter(one)) : sub(2, message(text(1, reference))));
}

/** Query and path parameters have the same fields, the first ones moved by one in the query's message. */
function parameter(one: Fields): Buffer {
  const { in: place, name, description } = one;
  if (place === "body") {
    const body = [text(1, description), text(2, name), text(3, place), flag(4, one["required"])];
    const shape = one["schema"] === undefined ? [] : [sub(5, schema(one["schema"] as Fields))];
    return message(sub(1, message(...body, ...shape)));
  }
  const common = [flag(1, one["required"]), text(2, place), text(3, description), text(4, name)];
  const unique = one["uniqueItems"];
  const typed =
    place === "query"
      ? [text(6, one["type"]), text(7, one["format"]), flag(20, unique)]
      : [text(5, one["type"]), text(6, one["format"]), flag(19, unique)];
  const kind = place === "query" ? 3 : place === "path" ? 4 : 1;
  return message(sub(2, message(sub(kind, message(...common, ...typed)))));
}

function schema(one: Fields): Buffer {
  const { items, additionalProperties: extra } = one;
  return message(
    text(1, one["$ref"]),
    text(2, one["format"]),
    text(3, one["title"]),
    text(4, one["description"]),
    ...("default" in one ? [sub(5, any(one["default"]))] : []),
    double(6, one["multipleOf"]),
    double(7, one["maximum"]),
    flag(8, one["exclusiveMaximum"]),
    double(9, one["minimum"]),
    flag(10, one["exclusiveMinimum"]),
    int(11, one["maxLength"]),
    int(12, one["minLength"]),
    text(13, one["pattern"]),
    int(14, one["maxItems"]),
    int(15, one["minItems"]),
    flag(16, one["uniqueItems"]),
    int(17, one["maxProperties"]),
    int(18, one["minProperties"]),
    ...texts(19, one["required"]),
    ...(Array.isArray(one["enum"]) ? one["enum"].map((value) => sub(20, any(value))) : []),
    ...(typeof extra === "boolean" ? [sub(21, oneFlag(2, extra))] : []),
    ...(isFields(extra) ? [sub(21, message(sub(1, schema(extra))))] : []),
    ...(typeof one["type"] === "string" ? [sub(22, message(text(1, one["type"])))] : []),
    ...(isFields(items) ? [sub(23, message(sub(1, schema(items))))] : []),
    ...list(one["allOf"]).map((each) => sub(24, schema(each))),
    ...(isFields(one["properties"])
      ? [sub(25, message(...entries(one["properties"]).map(([name, each]) => named(1, name, schema(each)))))]
      : []),
    ...extensions(31, one),
  );
}
