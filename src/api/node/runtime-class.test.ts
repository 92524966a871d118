import { describe, expect, it } from "vitest";
import { RuntimeClass } from "./runtime-class.ts";

const made = (fields: Partial<RuntimeClass>): RuntimeClass => ({ metadata: { name: "r" }, handler: "runc", ...fields });
const told = (given: RuntimeClass, old?: RuntimeClass) =>
  RuntimeClass.validate!(given, old, undefined as never).map(({ field, message }) => `${field}: ${message}`);
const toleration = { key: "a", effect: "NoSchedule" };

describe("a runtime class", () => {
  it.each<[string, RuntimeClass, string[]]>([
    ["needs a handler", made({ handler: "" }), ["handler: Required value"]],
    [
      "has each toleration once, whatever its seconds",
      made({
        scheduling: {
          tolerations: [toleration, { ...toleration, tolerationSeconds: 5, effect: "NoExecute" }, toleration],
        },
      }),
      [
        'scheduling.tolerations[2]: Duplicate value: {"Key":"a","Operator":"","Value":"","Effect":"NoSchedule","TolerationSeconds":null}',
      ],
    ],
  ])("%s", (_, given, wanted) => expect(told(given)).toEqual(wanted));

  it("warns of labels that nodes had in old times", () => {
    const nodeSelector = { "beta.kubernetes.io/os": "linux", "kubernetes.io/arch": "arm64" };
    expect(RuntimeClass.warnings!(made({ scheduling: { nodeSelector } }), undefined, undefined as never)).toEqual([
      'scheduling.nodeSelector: deprecated since v1.14; use "kubernetes.io/os" instead',
    ]);
  });

  it("is checked as a whole when it changes, its handler twice", () => {
    expect(told(made({ handler: "" }), made({}))).toEqual([
      "handler: Required value",
      'handler: Invalid value: "": field is immutable',
    ]);
  });
});
