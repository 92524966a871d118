import { describe, expect, test } from "vitest";
import { difference, nodeResources } from "./node-resources.ts";

const machine = { cpu: "2", memory: "4Gi" };

describe("a node's resources", () => {
  test.each([
    ["are the machine's", {}, machine],
    ["follow the machine", { cpu: "8", "hugepages-1Gi": "2" }, machine],
    ["hold what others gave it", { "example.com/dongle": "5" }, { ...machine, "example.com/dongle": "5" }],
  ])("%s", (_, capacity, expected) => {
    expect(nodeResources({ capacity }, machine)).toEqual({ capacity: expected, allocatable: expected });
  });

  test("are patched only where they differ", () => {
    expect(difference({ ...machine, "example.com/dongle": "5" }, machine)).toEqual({ "example.com/dongle": null });
    expect(difference(machine, { ...machine, cpu: "4", "example.com/dongle": "1" })).toEqual({
      cpu: "4",
      "example.com/dongle": "1",
    });
    expect(difference(machine, machine)).toEqual({});
  });
});
