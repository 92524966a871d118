import { expect, test } from "vitest";
import { smartLabel } from "./generic.ts";
import { ruleRows } from "./rbac.ts";
import { Writer, alignTabs } from "./writer.ts";

test("a column is as wide as its widest neighbour, and ends where a line lacks it", () => {
  expect(alignTabs("a\tb\nlonger\tc\nplain\nx\ty\n")).toBe("a       b\nlonger  c\nplain\nx  y\n");
});

test("an empty last cell leaves the padding of the one before", () => {
  expect(alignTabs("IP:\t\nName:\tx\n")).toBe("IP:    \nName:  x\n");
});

test("escape codes in objects do not reach the terminal", () => {
  const writer = new Writer();
  writer.line(1, "Message:\t\u001b[31mred");
  expect(writer.text()).toBe("  Message:  ^[[31mred\n");
});

test.each([
  ["leaseDurationSeconds", "Lease Duration Seconds"],
  ["uid", "UID"],
  ["jsonPath", "Json Path"],
  ["openAPIV3Schema", "openAPIV3Schema"],
  ["x-kubernetes-list-type", "X - Kubernetes - List - Type"],
])("the field %s is shown as %s", (field, label) => expect(smartLabel(field)).toBe(label));

test("a role's rules are taken apart by resource, with the group before the subresource", () => {
  expect(ruleRows([{ apiGroups: ["", "apps"], resources: ["pods/log", "pods"], verbs: ["get"] }])).toEqual([
    ["pods/log", "[]", "[]", "[get]"],
    ["pods", "[]", "[]", "[get]"],
    ["pods.apps/log", "[]", "[]", "[get]"],
    ["pods.apps", "[]", "[]", "[get]"],
  ]);
});
