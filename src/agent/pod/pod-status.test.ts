import { describe, expect, test } from "vitest";
import type { Pod } from "#api/core/pod.ts";
import type { ObservedContainer } from "./observation.ts";
import { podStatus, refusedStatus, type PodStatusInput } from "./pod-status.ts";
import { statusPatch } from "./status-patch.ts";

const nowMs = Date.parse("2026-01-01T00:00:10Z");
const sandbox = { id: "s", attempt: 0, ready: true, createdAtMs: 0, ips: ["10.0.0.1"] };

const pod: Pod = {
  metadata: { name: "p", namespace: "n", uid: "u", generation: 1 },
  spec: {
    restartPolicy: "Never",
    containers: [
      { name: "b", image: "i" },
      { name: "a", image: "i" },
    ],
  },
  status: { phase: "Pending", qosClass: "BestEffort" },
};

function seen(name: string, more: Partial<ObservedContainer> = {}): ObservedContainer {
  const times = { createdAtMs: nowMs, startedAtMs: nowMs, finishedAtMs: nowMs };
  const texts = { reason: "", message: "", image: "i", imageRef: "sha256:1", hash: "" };
  return {
    id: `${name}1`,
    sandboxId: "s",
    name,
    attempt: 0,
    state: "running",
    exitCode: 0,
    ...times,
    ...texts,
    ...more,
  };
}

function status(more: Partial<PodStatusInput> = {}) {
  return podStatus({
    pod,
    observation: { sandboxes: [sandbox], containers: [seen("a"), seen("b")] },
    waits: new Map(),
    replaced: new Set(),
    restartingAll: undefined,
    probeOf: () => ({ started: true, ready: true }),
    terminal: false,
    failure: undefined,
    hostIps: ["192.0.2.1"],
    nowMs,
    ...more,
  });
}

const observed = (...containers: ObservedContainer[]) => ({ observation: { sandboxes: [sandbox], containers } });
const exited = (name: string, exitCode: number): ObservedContainer => seen(name, { state: "exited", exitCode });
const short = ({ conditions = [] }: ReturnType<typeof status>): string[] =>
  conditions.map(({ type, status: value, reason = "" }) => `${type}=${value}${reason === "" ? "" : ` ${reason}`}`);

describe("a pod's status", () => {
  test("has room for 12 KiB of last words, an even share for each container", () => {
    const said = (message: string) => observed(seen("a", { state: "exited", exitCode: 1, message }), seen("b"));
    const messageOf = (message: string) =>
      status(said(message)).containerStatuses?.find(({ name }) => name === "a")?.state?.terminated?.message;
    expect(messageOf("x".repeat(8000))).toBe("x".repeat(6144));
    expect(messageOf("é".repeat(3000))).toBe("é".repeat(3000));
    expect(messageOf("é".repeat(4000))).toBe("é".repeat(3072));
  });

  test("lists container statuses by name, and unready ones in the order of the spec", () => {
    const { containerStatuses = [], conditions = [] } = status({ probeOf: () => ({ started: true, ready: false }) });
    expect(containerStatuses.map(({ name }) => name)).toEqual(["a", "b"]);
    expect(conditions[2]?.message).toBe("containers with unready status: [b a]");
  });

  test("is Running and ready when everything runs", () => {
    const result = status();
    expect(result).toMatchObject({ phase: "Running", podIP: "10.0.0.1", hostIP: "192.0.2.1", observedGeneration: 1 });
    expect(short(result)).toEqual([
      "PodReadyToStartContainers=True",
      "Initialized=True",
      "Ready=True",
      "ContainersReady=True",
      "PodScheduled=True",
    ]);
  });

  test.each([
    [[exited("a", 0), exited("b", 0)], "Succeeded", "Initialized=True PodCompleted"],
    [[exited("a", 0), exited("b", 5)], "Failed", "Initialized=True"],
    [[exited("a", 0), seen("b")], "Running", "Initialized=True"],
    [[seen("b")], "Pending", "Initialized=True"],
  ])("%#: the phase follows the exits", (containers, phase, initialized) => {
    const result = status(observed(...containers));
    expect(result.phase).toBe(phase);
    expect(short(result)[1]).toBe(initialized);
  });

  test("stays what it was once it succeeded or failed", () => {
    const over = { ...pod, status: { ...pod.status, phase: "Failed" } };
    expect(status({ pod: over }).phase).toBe("Failed");
  });

  test("shows why a container waits, and how it ended before", () => {
    const always = { ...pod, spec: { ...pod.spec!, restartPolicy: "Always" } };
    const waits = new Map([["a", { reason: "CrashLoopBackOff", message: "back-off", untilMs: 0 }]]);
    const { containerStatuses = [] } = status({ pod: always, waits, ...observed(exited("a", 1), seen("b")) });
    expect(containerStatuses[0]).toMatchObject({
      state: { waiting: { reason: "CrashLoopBackOff", message: "back-off" } },
      lastState: { terminated: { exitCode: 1, reason: "Error" } },
      ready: false,
      started: false,
    });
  });

  test("keeps others' conditions first and the times of what did not change", () => {
    const first = status();
    const others = [{ type: "example.com/gate", status: "False" }, ...(first.conditions ?? [])];
    const later = status({ pod: { ...pod, status: { ...first, conditions: others } }, nowMs: nowMs + 60_000 });
    expect(later.conditions).toEqual(others);
  });

  test("written again changes nothing", () => {
    const written = status();
    expect(statusPatch({ ...pod, status: written }, written)).toBeUndefined();
  });
});

test("a patch names only what differs, removes what is gone and keeps the order of conditions", () => {
  const old = status();
  const wished = status({ ...observed(exited("a", 0), exited("b", 0)), terminal: true });
  const patch = statusPatch({ ...pod, status: { ...old, reason: "Old" } }, wished) as {
    status: Record<string, unknown>;
  };
  expect(patch.status["reason"]).toBeNull();
  expect(patch.status["hostIP"]).toBeUndefined();
  expect(patch.status["$setElementOrder/conditions"]).toHaveLength(5);
  expect((patch.status["conditions"] as unknown[]).length).toBeLessThan(5);
});

test("a refused pod says so and has neither conditions nor containers", () => {
  const result = refusedStatus(pod, { reason: "OutOfcpu", message: "too much" }, nowMs);
  expect(result).toMatchObject({ phase: "Failed", reason: "OutOfcpu", message: "Pod was rejected: too much" });
  expect(result.conditions).toBeUndefined();
});
