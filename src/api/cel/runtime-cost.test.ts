import { expect, test } from "vitest";
import { compileCel } from "./program.ts";
import { listOf, mapOf, types } from "./types.ts";
import { valueOf } from "./value.ts";

const self = {
  kind: "object",
  name: "Widget",
  fields: new Map([
    ["text", types.string],
    ["list", listOf(types.int)],
    ["map", mapOf(types.string, types.int)],
  ]),
};
const value = { text: "twelve signs", list: [1, 2, 3, 4], map: { a: 1, b: 2 } };

function costOf(source: string): number {
  const meter = { cost: 0 };
  const variables = new Map<string, unknown>([
    ["self", valueOf(value, self)],
    ["i", 1n],
  ]);
  const program = compileCel(source, new Map(Object.entries({ self, i: types.int })));
  try {
    program.run(variables, meter);
  } catch {
    // What fails has cost what it took to get there.
  }
  return meter.cost;
}

/** Upstream's figures, or by its rules. */
test.each([
  ["true && [1, 2] == [1, 2]", 1],
  ["self.text == 'twelve'", 3],
  ["size(self.text) == 12", 4],
  ["has(self.text)", 1],
  ["self.list[i] == self.list[0]", 7],
  ["self.text.matches('^[a-z ]*$')", 8],
  ["self.text.replace('e', 'E') == ''", 5],
  ["2 in self.list", 6],
  ["self.text in ['a', 'b']", 2],
  ["self.list + [i] == []", 14],
  ["i > 0 ? self.text : 'x'", 2],
  ["self.list.all(x, x > 0)", 2 + 4 * (3 + 2) + 1],
  ["self.list.exists(x, x > 1)", 2 + 2 * (4 + 2) + 3 + 1],
  ["self.list.exists_one(x, x == 1)", 2 + 4 * 2 + 2 + 2],
  ["self.list.filter(x, x > 3)", 2 + 4 * 2 + 13 + 1],
  ["self.list.map(x, x * 2)", 2 + 4 * (12 + 2) + 1],
  ["sets.equivalent(self.list, [1, 2])", 2 + 4 * 2 * 2 + 1],
  ["cidr('10.0.0.0/8').containsIP('10.1.1.1')", 1 + 1 + 1],
  ["optional.of(i).optMap(x, x).hasValue()", 2 + 1 + 2 + 1 + 1 + 1 + 1],
  ["self.list[9] == 1", 3 + 1],
  ["{'a': i}.a == 1", 30 + 1 + 2 + 1],
])("%s costs %i", (source, cost) => expect(costOf(source)).toBe(cost));

test("an expression ends when it costs more than one may, whatever stands beside it", () => {
  const ten = "[i,i,i,i,i,i,i,i,i,i]";
  const source = `${`${ten}.all(a, `.repeat(6)}a > 0${")".repeat(6)} || true`;
  expect(() => compileCel(source, new Map([["i", types.int]])).run(new Map([["i", 1n]]))).toThrow(
    "operation cancelled: actual cost limit exceeded",
  );
});
