/** Costs as upstream's tests have them: apiextensions-apiserver/pkg/apiserver/schema/cel/compilation_test.go. */
import { describe, expect, it } from "vitest";
import { programCost } from "#api/cel/cost.ts";
import type { JsonSchema } from "./json-schema.ts";
import { programsOf } from "./rule-program.ts";
import { schemaErrors } from "./schema-rules.ts";
import { placesInRequest, sizeOfSchema } from "./value-sizes.ts";

function costOf(rule: string, schema: JsonSchema): number {
  const [program] = programsOf({ ...schema, "x-kubernetes-validations": [{ rule }] }, false).rules;
  expect(program?.fault).toBeUndefined();
  return programCost(program!.program!, sizeOfSchema(schema, false)!);
}

/** A schema, with or without a bound. */
type Bounded = (max?: number) => JsonSchema;

const bounded = <K extends string>(name: K, max: number | undefined): Partial<Record<K, number>> =>
  max === undefined ? {} : ({ [name]: max } as Record<K, number>);
const text: Bounded = (max) => ({ type: "string", ...bounded("maxLength", max) });
const of = (type: string): JsonSchema => {
  if (type === "int-or-string") return { "x-kubernetes-int-or-string": true };
  const isFormat = ["duration", "date", "date-time"].includes(type);
  return isFormat ? { type: "string", format: type } : { type };
};
const list =
  (items: JsonSchema): Bounded =>
  (max) => ({ type: "array", items, ...bounded("maxItems", max) });
const map =
  (values: JsonSchema): Bounded =>
  (max) => ({ type: "object", additionalProperties: values, ...bounded("maxProperties", max) });
const object = (properties: Record<string, JsonSchema>, ...required: string[]): JsonSchema => ({
  type: "object",
  properties,
  ...(required.length > 0 && { required }),
});
const requires = object({ required: text(), optional: text() }, "required");
const texts: Bounded = (max) => list(text(max))(max);
const inMaps: Bounded = (max) => list(map(requires)(max))();
const bytes: Bounded = (max) => ({ ...text(max), format: "byte" });
const letters: Bounded = (max) => ({ ...text(max), enum: ["A", "B", "C", "LongValue"] });

describe("what a rule costs, of values without a bound and with one", () => {
  it.each<[rule: string, schema: Bounded, cost: number, max: number, bounded: number]>([
    ["self.all(x, true)", list(of("number")), 4_718_591, 10, 32],
    ["self.all(x, true)", list(text()), 3_145_727, 20, 62],
    ["self.all(x, true)", list(of("boolean")), 1_887_437, 5, 17],
    ["self.all(x, true)", list(list(of("number"))()), 3_145_727, 100, 302],
    ["self.all(x, true)", map(of("number")), 1_348_169, 10, 32],
    ["self.all(x, true)", map(text()), 1_179_647, 3, 11],
    ["self.all(x, true)", map(of("boolean")), 943_718, 100, 302],
    ["self.contains('test')", text, 314_574, 10, 5],
    ["self.startsWith('test')", text, 2, 15, 2],
    ["self.endsWith('test')", text, 2, 30, 2],
    [`size(self + "hello") > size("hello")`, text, 314_578, 4, 7],
    ["self[1] == 0.0", list(of("number")), 2, 5000, 2],
    ["self[1] == self[1]", list(text()), 314_577, 8, 314_577],
    [`self.matches("x")`, text, 314_574, 50, 22],
    [`"".matches("(((((((((())))))))))[0-9]")`, text, 7, 10, 7],
    [`self.matches("")`, text, 1, 100, 1],
    [`self["x"] == 0.0`, map(of("number")), 2, 0, 2],
    [`self == "x"`, text, 2, 0, 1],
    [`self == b"x"`, bytes, 2, 0, 1],
    ["self.all(x, x == 0.0)", list(of("number")), 6_291_454, 3 * 1024 * 2048, 25_165_826],
    [`self.all(x, x["y"].required == "z")`, inMaps, 7_340_027, 10, 7_340_027],
    ["self.all(x, true)", list(of("int-or-string")), 4_718_591, 10, 32],
    ["self[0] == 5", list(of("int-or-string")), 3, 10, 3],
    ["self[0] == false", list(of("boolean")), 2, 25, 2],
    ["self[0][0] == -1.0", list(list(of("number"))()), 3, 51, 3],
    ["self.all(x, x.y == 25.2)", list(map(of("number"))()), 6_291_452, 12, 74],
    ["self[0].x > 2.0", list(map(of("number"))()), 4, 3000, 4],
    ["self.all(x, true)", list(of("duration")), 2_359_295, 5, 17],
    ["self[0].getHours() == 2", list(of("duration")), 4, 525, 4],
    ["self.all(x, true)", list(of("date")), 725_936, 15, 47],
    ["self[2].getDayOfMonth() == 13", list(of("date")), 4, 42, 4],
    ["self.all(x, true)", list(of("date-time")), 428_963, 25, 77],
    ["self[2].getMinutes() == 45", list(of("date-time")), 4, 99, 4],
    ["self.all(x, true)", map(of("int-or-string")), 1_348_169, 15, 47],
    ["self.all(x, true)", map(requires), 428_963, 20, 62],
    ["self.all(x, true)", map(map(of("number"))()), 1_179_647, 10, 32],
    ["self.all(x, true)", map(list(of("number"))()), 1_179_647, 25, 77],
    ["self.all(x, true)", map(of("duration")), 1_048_577, 5, 17],
    ["self.all(x, true)", map(of("date")), 524_288, 10, 32],
    ["self.all(x, true)", map(of("date-time")), 349_526, 25, 77],
    ["self.find('[0-9]+') == ''", text, 629_147, 10, 11],
    ["self.join(' ') == 'aa bb'", texts, 329_853_068_905, 10, 43],
    ["self.isSorted() == true", texts, 329_854_432_052, 10, 52],
    [
      "self.str.replace(self.before, self.after) == 'does not matter'",
      (max) => object({ str: text(max), before: text(2), after: text(4) }),
      629_154,
      4,
      12,
    ],
    [
      "self.str.split(self.separator) == []",
      (max) => object({ str: text(max), separator: text(max) }),
      629_160,
      10,
      22,
    ],
    ["self.lowerAscii() == 'lower!'", text, 314_575, 10, 6],
    ["oldSelf.size() == self.size()", map(of("integer")), 5, 10, 5],
    [`self["a"] == self["b"]`, map(of("date-time")), 8, 7, 8],
    [`self["c"] == self["d"]`, map(of("duration")), 8, 42, 8],
    ["self.contains('A')", letters, 2, 1000, 401],
  ])("%s", (rule, schema, cost, max, withMax) => {
    expect([costOf(rule, schema()), costOf(rule, schema(max))]).toEqual([cost, withMax]);
  });

  it.each<[rule: string, schema: JsonSchema, cost: number]>([
    ["self.all(x, self.all(y, true))", list(of("number"))(10), 352],
    ["self.all(x, self.all(y, self.all(z, true)))", list(of("number"))(10), 3552],
    ["self.exists(x, true)", list(of("number"))(10), 42],
    ["self.exists_one(x, true)", list(of("number"))(10), 23],
    ["self.filter(x, true).size() == 1", list(of("number"))(10), 144],
    ["self.map(x, x).size() == 1", list(of("number"))(10), 144],
    ["has(self.a)", object({ a: text() }), 1],
    ["quantity(self) == quantity('1')", text(), 314_576],
    ["isQuantity(self)", { "x-kubernetes-int-or-string": true }, 314_574],
    ["isQuantity(self)", { "x-kubernetes-int-or-string": true, maxLength: 20 }, 9],
    ["ip('192.168.0.1').family() == 4", of("boolean"), 4],
    ["cidr('10.0.0.0/8').ip() == ip('10.0.0.0')", of("boolean"), 4],
    ["matches(self, '^a+$')", text(), 2],
    ["'x' in self", texts(10), 11],
    ["'x' in self", map(text())(10), 2],
    ["self ? 1 == 1 : 2 == 2", of("boolean"), 2],
    ["[1, 2].all(x, x > 0)", of("boolean"), 21],
    ["type(ip('::1')) == net.IP", of("boolean"), 3],
    ["sets.contains(self, ['a'])", texts(10), 22],
  ])("%s, of one kind of value", (rule, schema, cost) => {
    expect(costOf(rule, schema)).toBe(cost);
  });

  it.each<[JsonSchema, number]>([
    [text(), 1_048_576],
    [of("integer"), 1_572_864],
    [requires, 185_042],
    [of("date-time"), 142_987],
  ])("fit into a request as often as they are short: %j", (schema, count) => {
    expect(placesInRequest(sizeOfSchema(schema, false)!)).toBe(count);
  });
});

describe("a definition's rules", () => {
  const told = (schema: JsonSchema) =>
    schemaErrors({ type: "object", properties: { spec: schema } }, "s", true).map(
      ({ field, message }) => `${field.replace("s.properties[spec]", "$")}: ${message.replace(/ \(try.*/, "")}`,
    );

  it("are refused by how far they are beyond what they may cost", () => {
    const rule = { rule: "self.all(a, self.exists(b, a == b))" };
    const pairs = (maxItems: number): JsonSchema => ({
      ...list(text(100))(maxItems),
      "x-kubernetes-validations": [rule],
    });
    expect(told(pairs(100))).toEqual([]);
    expect(told(pairs(500))).toEqual([
      "$.x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget by factor of 1.150250x",
    ]);
  });

  it("have messages that cost, too, once a rule and not once a value", () => {
    const messageExpression = "self.map(x, self.map(y, y + x)).size() > 0 ? 'a' : 'b'";
    const schema: JsonSchema = {
      ...list(text(100))(1000),
      "x-kubernetes-validations": [{ rule: "true", messageExpression }],
    };
    expect(told(schema)).toEqual([
      "$.x-kubernetes-validations[0].messageExpression: Forbidden: estimated messageExpression cost exceeds budget by factor of 9.4x",
    ]);
  });
});
