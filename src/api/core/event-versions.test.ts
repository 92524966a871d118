import { expect, test } from "vitest";
import { fromCoreEvent, toCoreEvent } from "./event-versions.ts";

const written = { apiVersion: "events.k8s.io/v1", kind: "Event", metadata: { name: "a" }, note: "it began" };

test("an event of events.k8s.io/v1 keeps what it says under core v1's names", () => {
  expect(toCoreEvent(written)).toMatchObject({ apiVersion: "v1", message: "it began" });
  expect(fromCoreEvent(toCoreEvent(written))).toEqual(written);
});

test("an event about nothing has an object to be selected by, an empty one", () => {
  expect(toCoreEvent(written).involvedObject).toEqual({});
});
