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

  test("of many alike nine stand for themselves; the others are one event that says what was said last", async () => {
    const { events, written } = recorder();
    for (let number = 0; number < 20; number += 1) events.record(event(`number ${number}`));
    await events.flush();
    const messages = written().map(({ message }) => String(message));
    expect(messages).toHaveLength(10);
    expect(messages.slice(0, 9)).toEqual(Array.from({ length: 9 }, (_, number) => `number ${number}`));
    expect(written().at(-1)).toMatchObject({
      message: "(combined from similar events): number 19",
      count: 11,
      reportingComponent: "",
      source: { component: "tester" },
    });
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

  test("events.k8s.io events that repeat become a series, whose count is told at the second and then half-hourly", async () => {
    const { events, written, clock } = recorder("events");
    const say = async (message: string, after = 0) => {
      clock.time += after;
      events.record({ ...event(message), action: "Testing" });
      await events.flush();
    };
    for (const message of ["first", "second", "third"]) await say(message);
    expect(written()).toMatchObject([{ note: "first", action: "Testing", series: { count: 2 }, regarding: about }]);
    for (let time = 0; time < 7; time += 1) await say("later", 300_000);
    expect(written()).toMatchObject([{ note: "first", series: { count: 9 } }]);
    await say("much later", 3_600_000);
    expect(written()).toHaveLength(2);
  });

  test("events.k8s.io events of another version of the object are others", async () => {
    const { events, written } = recorder("events");
    for (const resourceVersion of ["1", "2"]) events.record({ ...event("same"), about: { ...about, resourceVersion } });
    await events.flush();
    expect(written()).toHaveLength(2);
  });

  test("events.k8s.io events are never cut off nor combined", async () => {
    const { events, written } = recorder("events");
    for (let number = 0; number < 40; number += 1) events.record({ ...event("same"), reason: `Reason${number}` });
    await events.flush();
    expect(written()).toHaveLength(40);
  });
});
