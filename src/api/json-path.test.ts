import { describe, expect, it } from "vitest";
import { findAll, parseJsonPath, printJsonPath, relaxedJsonPath } from "./json-path.ts";

const data = {
  kind: "List",
  items: [
    {
      metadata: { name: "a", labels: { "x.io/y": "1" } },
      status: { conditions: [{ type: "Ready", status: "True" }], n: 3 },
    },
    { metadata: { name: "b" }, status: { conditions: [{ type: "Ready", status: "False" }], n: 5 } },
  ],
};

describe("jsonpath", () => {
  it.each([
    ["{.kind}", "List"],
    ["{.items[*].metadata.name}", "a b"],
    ["{.items[0].metadata.name}", "a"],
    ["{.items[-1:].metadata.name}", "b"],
    ["{.items[-1].metadata.name}", "b"],
    ["{.items[0].metadata.labels['x\\.io/y']}", "1"],
    ["{.items[0].metadata.labels.x\\.io/y}", "1"],
    ['{range .items[*]}{.metadata.name}{"\\t"}{.status.n}{"\\n"}{end}', "a\t3\nb\t5\n"],
    ["{.items[?(@.status.n>4)].metadata.name}", "b"],
    ['{.items[*].status.conditions[?(@.type=="Ready")].status}', "True False"],
    ["{..name}", "a b"],
    ["{.items[*]['metadata.name', 'status.n']}", ""],
    ["name: {.items[0].metadata.name}, {.missing}!", "name: a, !"],
    ["{.items[0].metadata}", '{"name":"a","labels":{"x.io/y":"1"}}'],
    ["{.items[?(@.metadata.labels)].metadata.name}", "a"],
  ])("%s prints %j", (template, expected) => {
    expect(printJsonPath(parseJsonPath(template), data)).toBe(expected);
  });
  it("a missing field is an error where that is asked for", () => {
    expect(() => printJsonPath(parseJsonPath("{.missing}"), data, false)).toThrow("missing is not found");
  });
  it.each([[".metadata.name"], ["metadata.name"], ["{.metadata.name}"], ["{metadata.name}"]])(
    "%s is taken as a path",
    (text) => {
      expect(findAll(parseJsonPath(relaxedJsonPath(text)), data.items[0])).toEqual(["a"]);
    },
  );
  it.each([["{.a"], ["{.a[}"], ["{range .a}"], ["{end}"], ["{.a[?(@.b==]}"], ['{"x}']])("%s is refused", (template) => {
    expect(() => parseJsonPath(template)).toThrow();
  });
});
