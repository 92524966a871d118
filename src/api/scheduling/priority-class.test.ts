import { describe, expect, it } from "vitest";
import { PriorityClass } from "./priority-class.ts";

function told(fields: Partial<PriorityClass>, old?: Partial<PriorityClass>, name = "p"): string[] {
  const made = (given: Partial<PriorityClass>): PriorityClass => {
    const priority: PriorityClass = { metadata: { name }, value: 1, ...given };
    PriorityClass.defaults!(priority);
    return priority;
  };
  const errors = PriorityClass.validate!(made(fields), old && made(old), undefined as never);
  return errors.map(({ field, message }) => `${field}: ${message}`);
}
const reserved =
  "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only";
const node = "system-node-critical";

describe("a new priority class", () => {
  it.each<[string, string, Partial<PriorityClass>, string[]]>([
    ["preempts unless told", "p", {}, []],
    ["has a policy", "p", { preemptionPolicy: "" }, ["preemptionPolicy: Required value"]],
    ["of the system is as it is", node, { value: 2_000_001_000 }, []],
    [
      "of the system is no default",
      node,
      { value: 2_000_001_000, globalDefault: true },
      [`${reserved}. error: globalDefault of ${node} PriorityClass must be false`],
    ],
    [
      "takes no name of the system",
      "system-x",
      {},
      [`${reserved}. error: system-x is not a known system priority class`],
    ],
    [
      "is below the system's",
      "p",
      { value: 1_000_000_001 },
      ["value: Forbidden: maximum allowed value of a user defined priority is 1000000000"],
    ],
  ])("%s", (_, name, fields, wanted) => expect(told(fields, undefined, name)).toEqual(wanted));
});

describe("a changed priority class", () => {
  it("keeps its value, however high the new one", () => {
    expect(told({ value: 1_000_000_001 }, {})).toEqual(["value: Forbidden: may not be changed in an update."]);
  });

  it("may become the default, even the system's", () => {
    expect(told({ value: 2_000_001_000, globalDefault: true }, { value: 2_000_001_000 }, node)).toEqual([]);
  });
});
