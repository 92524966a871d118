import { describe, expect, test } from "vitest";
import { silentLogger } from "#lib/log.ts";
import { MemoryApi } from "#test/support/memory-api.ts";
import { Client } from "./client.ts";
import { createEventRecorder, type NewEvent } from "./event-recorder.ts";

const about = { apiVersion: "v1", kind: "Pod", namespace: "a", name: "one", uid: "u" };
const event = (message: string, reason = "Tested"): NewEvent => ({ about, type: "Normal", reason, message });

function recorder(flavour: "core" | "events" = "core") {
  const api = new MemoryApi();
  const clock = { time: 0, now: () => clock.time };
  const events = createEventRecorder(new Client(api), { log: silentLogger, component: "tester", clock, flavour });
  return { api, clock, events, written: () => api.objects("/events/") };
}

describe("event recorder", () => {
  test("the same event again raises a count", async () => {
    const { events, written } = recorder();
    for (let time = 0; time < 3; time += 1) events.record(event("same"));
    await events.flush();
    expect(written()).toMatchObject([
      {
        count: 3,
        message: "same",
        source: { component: "tester" },
        reportingComponent: "tester",
        involvedObject: about,
      },
    ]);
  });

  test("another version of the object makes no other event", async () => {
    const { events, written } = recorder();
    events.record({ ...event("same"), about: { ...about, resourceVersion: "1" } });
    events.record({ ...event("same"), about: { ...about, resourceVersion: "2" } });
    await events.flush();
    expect(written()).toHaveLength(1);
  });

  test("many alike become one combined event", async () => {
    const { events, written } = recorder();
    for (let number = 0; number < 20; number += 1) events.record(event(`number ${number}`));
    await events.flush();
    expect(written().map(({ message }) => String(message))).toContain("(combined from similar events): number 10");
  });

  test("a source that talks too much about one object is cut off, and may speak again later", async () => {
    const { events, written, clock } = recorder();
    for (let number = 0; number < 100; number += 1) events.record(event(`number ${number}`, `Reason${number}`));
    await events.flush();
    expect(written()).toHaveLength(25);
    clock.time += 300_000;
    events.record(event("later", "Later"));
    await events.flush();
    expect(written()).toHaveLength(26);
  });

  test("events.k8s.io events that repeat become a series", async () => {
    const { events, written } = recorder("events");
    for (let time = 0; time < 3; time += 1) events.record({ ...event("same"), action: "Testing" });
    await events.flush();
    expect(written()).toMatchObject([{ note: "same", action: "Testing", series: { count: 3 }, regarding: about }]);
  });
});
