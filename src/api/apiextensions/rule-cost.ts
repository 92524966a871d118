/**
 * What a rule may cost at most, from the sizes that its schema allows. Coarser than upstream's estimate, but of the same kind:
 * loops multiply by the size of what they go over, texts cost a tenth of a step a character.
 * Upstream: apiserver/pkg/cel/library/cost.go, cel-go checker/cost.go.
 */
import type { Node } from "#api/cel/tree.ts";
import type { JsonSchema } from "./json-schema.ts";

/** An object is never larger. */
const requestBytesMax = 3 * 1024 * 1024;
const unknown: JsonSchema = {};

/** How many items or entries a list or map has at most. */
function placesMax(schema: JsonSchema): number {
  if (schema.type === "array")
    return schema.maxItems ?? Math.floor(requestBytesMax / (leastBytes(schema.items ?? unknown) + 1));
  if (schema.type !== "object") return 1;
  const { additionalProperties, maxProperties } = schema;
  if (typeof additionalProperties !== "object") return 1;
  return maxProperties ?? Math.floor(requestBytesMax / (leastBytes(additionalProperties) + 4));
}

/** How many values of a schema fit into the largest object. */
export const placesInRequest = (schema: JsonSchema): number => Math.floor(requestBytesMax / (leastBytes(schema) + 1));

/** The least that a value takes in JSON. */
function leastBytes({ type, properties = {}, required = [] }: JsonSchema): number {
  switch (type) {
    case "string":
    case "array":
      return 2;
    case "boolean":
      return 4;
    case "object":
      return 2 + required.reduce((sum, name) => sum + name.length + 4 + leastBytes(properties[name] ?? unknown), 0);
    default:
      return 1;
  }
}

const charactersMax = ({ maxLength, format, enum: allowed }: JsonSchema): number => {
  if (maxLength !== undefined) return maxLength;
  if (allowed !== undefined && allowed.length > 0) return Math.max(...allowed.map((one) => String(one).length));
  if (format === "date-time" || format === "date" || format === "duration" || format === "uuid") return 64;
  return requestBytesMax - 2;
};

interface Cost {
  cost: number;
  /** What is known of the result; undefined: a scalar of small size. */
  schema: JsonSchema | undefined;
}

type Scope = ReadonlyMap<string, JsonSchema | undefined>;

export function ruleCost(node: Node, schema: JsonSchema): number {
  return costOf(
    node,
    new Map([
      ["self", schema],
      ["oldSelf", schema],
    ]),
  ).cost;
}

const textCost = 0.1;
/** Functions that read a text from end to end. */
const textFunctions = new Set([
  "contains",
  "startsWith",
  "endsWith",
  "matches",
  "find",
  "findAll",
  "split",
  "replace",
  "indexOf",
  "lastIndexOf",
  "join",
  "lowerAscii",
  "upperAscii",
  "trim",
  "_+_",
  "url",
  "isURL",
  "quantity",
  "isQuantity",
  "validate",
]);
const comparisons = new Set(["_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"]);

function sizeOf(schema: JsonSchema | undefined): number {
  if (schema?.type === "string") return charactersMax(schema);
  return schema === undefined ? 1 : placesMax(schema);
}

function costOf(node: Node, scope: Scope): Cost {
  switch (node.kind) {
    case "literal":
      return { cost: 0, schema: literalSchema(node.value) };
    case "identifier":
      return { cost: 1, schema: scope.get(node.name) };
    case "select": {
      const { cost, schema } = costOf(node.operand, scope);
      return { cost: cost + 1, schema: node.isTest ? undefined : fieldOf(schema, node.field) };
    }
    case "call":
      return callCost(node, scope);
    case "list": {
      const items = node.items.map((item) => costOf(item, scope));
      return {
        cost: sum(items) + 10,
        schema: { type: "array", items: items[0]?.schema ?? unknown, maxItems: items.length },
      };
    }
    case "map":
      return {
        cost: sum(node.entries.flatMap(({ key, value }) => [costOf(key, scope), costOf(value, scope)])) + 30,
        schema: undefined,
      };
    case "struct":
      return { cost: sum(node.entries.map(({ value }) => costOf(value, scope))) + 40, schema: undefined };
    case "bind": {
      const range = costOf(node.range, scope);
      const body = costOf(node.body, new Map(scope).set(node.variable, range.schema));
      return { cost: range.cost + body.cost, schema: body.schema };
    }
    case "loop":
      return loopCost(node, scope);
    default:
      return node satisfies never;
  }
}

const sum = (costs: readonly Cost[]): number => costs.reduce((total, { cost }) => total + cost, 0);

function literalSchema(value: unknown): JsonSchema | undefined {
  return typeof value === "string" ? { type: "string", maxLength: value.length } : undefined;
}

function fieldOf(schema: JsonSchema | undefined, field: string): JsonSchema | undefined {
  const name = field
    .replaceAll("__dash__", "-")
    .replaceAll("__dot__", ".")
    .replaceAll("__slash__", "/")
    .replaceAll("__underscores__", "__");
  const { properties = {}, additionalProperties } = schema ?? unknown;
  return (
    properties[name] ??
    properties[name.replace(/^__(.*)__$/, "$1")] ??
    (typeof additionalProperties === "object" ? additionalProperties : undefined)
  );
}

function callCost({ name, target, args }: Extract<Node, { kind: "call" }>, scope: Scope): Cost {
  const parts = (target === undefined ? args : [target, ...args]).map((arg) => costOf(arg, scope));
  const cost = sum(parts);
  const [first, second] = parts;
  if (name === "_&&_" || name === "_||_") return { cost, schema: undefined };
  if (name === "_?_:_") return { cost: first!.cost + Math.max(second!.cost, parts[2]!.cost), schema: second!.schema };
  if (name === "_[_]" || name === "_[?_]") return { cost: cost + 1, schema: elementOf(first!.schema) };
  if (comparisons.has(name)) return { cost: cost + comparisonCost(first?.schema, second?.schema), schema: undefined };
  if (name === "@in") return { cost: cost + sizeOf(second?.schema), schema: undefined };
  if (name === "matches") {
    const pattern = Math.max(1, sizeOf(second?.schema) * 0.25);
    return { cost: cost + (sizeOf(first?.schema) + 1) * textCost * pattern, schema: undefined };
  }
  if (!textFunctions.has(name))
    return { cost: cost + 1, schema: name === "orValue" || name === "value" ? first?.schema : undefined };
  const isList = first?.schema?.type === "array";
  const size = sizeOf(first?.schema) + (name === "_+_" ? sizeOf(second?.schema) : 0);
  return {
    cost: cost + Math.max(1, size * (isList ? 1 : textCost)),
    schema: name === "_+_" ? { ...first?.schema, ...grown(first?.schema, size) } : undefined,
  };
}

const grown = (schema: JsonSchema | undefined, size: number): JsonSchema =>
  schema?.type === "string" ? { maxLength: size } : schema?.type === "array" ? { maxItems: size } : {};

const elementOf = (schema: JsonSchema | undefined): JsonSchema | undefined =>
  schema?.items ?? (typeof schema?.additionalProperties === "object" ? schema.additionalProperties : undefined);

/** The smaller of the two decides. */
function comparisonCost(a: JsonSchema | undefined, b: JsonSchema | undefined): number {
  const isText = a?.type === "string" || b?.type === "string";
  const size = Math.min(sizeOf(a), sizeOf(b));
  return Math.max(1, size * (isText ? textCost : 1));
}

function loopCost({ range, variables, bodies }: Extract<Node, { kind: "loop" }>, scope: Scope): Cost {
  const over = costOf(range, scope);
  const inner = new Map(scope);
  const item = elementOf(over.schema);
  const isMap = over.schema?.type === "object";
  if (variables.length === 2) inner.set(variables[0]!, undefined).set(variables[1]!, item);
  else inner.set(variables[0]!, isMap ? { type: "string", maxLength: 253 } : item);
  const body = sum(bodies.map((one) => costOf(one, inner)));
  return { cost: over.cost + placesMax(over.schema ?? unknown) * (body + 2), schema: over.schema };
}
