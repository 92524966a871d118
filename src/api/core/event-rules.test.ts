import { describe, expect, it } from "vitest";
import type { CoreV1Event } from "#api/generated/types.ts";
import { eventErrors } from "./event-rules.ts";

const context = { now: 0, user: { name: "u", groups: [] }, dryRun: false };
const event = {
  metadata: { name: "pod:x", namespace: "n" },
  involvedObject: { namespace: "n" },
  eventTime: "2026-01-01T00:00:00.000000Z",
  reportingComponent: "c",
  reportingInstance: "i",
  action: "a",
  reason: "r",
  type: "Normal",
} as unknown as CoreV1Event;

describe("names of events", () => {
  it.each([
    ["", []],
    ["events.k8s.io", ["metadata.name"]],
  ])("in group %j have these faults", (group, expected) => {
    expect(eventErrors(event, undefined, { ...context, group }).map(({ field }) => field)).toEqual(expected);
  });
});
