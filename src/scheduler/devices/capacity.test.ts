import { expect, test } from "vitest";
import type { V1DeviceCapacity } from "#api/generated/types.ts";
import { addTaken, takenOf } from "./capacity.ts";

const range = { validRange: { min: "2Gi", max: "8Gi", step: "2Gi" } };
const values = { default: "1Gi", validValues: ["1Gi", "4Gi", "8Gi"] };

test.each<
  [claim: string, capacity: V1DeviceCapacity, asked: string | undefined, before: string, taken: string | undefined]
>([
  ["who asks for nothing takes all", { value: "8Gi" }, undefined, "0", "8Gi"],
  ["or the default", { value: "8Gi", requestPolicy: values }, undefined, "0", "1Gi"],
  ["an amount is taken as it is", { value: "8Gi" }, "3Gi", "5Gi", "3Gi"],
  ["no more than is left", { value: "8Gi" }, "3Gi", "6Gi", undefined],
  ["of a range at least the least", { value: "8Gi", requestPolicy: range }, "1Gi", "0", "2Gi"],
  ["of a range whole steps", { value: "8Gi", requestPolicy: range }, "3Gi", "0", "4Gi"],
  ["of a range no more than the most", { value: "16Gi", requestPolicy: range }, "9Gi", "0", undefined],
  ["of a list the next larger", { value: "8Gi", requestPolicy: values }, "2Gi", "0", "4Gi"],
  ["of a list no more than the largest", { value: "16Gi", requestPolicy: values }, "9Gi", "0", undefined],
])("capacity: %s", (_, capacity, asked, before, taken) => {
  const requests: Record<string, string> = asked === undefined ? {} : { memory: asked };
  const found = takenOf({ name: "d", capacity: { memory: capacity } }, requests, { memory: before });
  expect(found?.["memory"]).toBe(taken);
});

test("capacity: a device without what is asked for does not do", () => {
  expect(takenOf({ name: "d" }, { memory: "1Gi" })).toBeUndefined();
});

test("capacity: shares add up", () => {
  expect(addTaken({ memory: "1Gi" }, { memory: "2Gi", cores: "1" })).toEqual({ memory: "3Gi", cores: "1" });
});
