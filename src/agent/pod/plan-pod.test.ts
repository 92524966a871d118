import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Pod } from "#api/core/pod.ts";
import type { V1Container } from "#api/generated/types.ts";
import { containerHash } from "./containers-of.ts";
import type { ObservedContainer, ObservedSandbox } from "./observation.ts";
import { planPod, type PodAction, type PodPlanInput } from "./plan-pod.ts";

const now = 1_000_000;
const sandbox: ObservedSandbox = { id: "s", attempt: 0, ready: true, createdAtMs: 0, ips: ["10.0.0.1"] };

function container(name: string, more: Partial<V1Container> = {}): V1Container {
  return { name, image: "i", ...more };
}

function podOf(spec: Partial<NonNullable<Pod["spec"]>>): Pod {
  return { metadata: { name: "p", namespace: "n", uid: "u" }, spec: { containers: [container("c")], ...spec } };
}

function seen(name: string, more: Partial<ObservedContainer> = {}): ObservedContainer {
  return {
    id: `${name}-id`,
    sandboxId: "s",
    name,
    attempt: 0,
    state: "running",
    createdAtMs: now - 5_000,
    startedAtMs: now - 5_000,
    finishedAtMs: 0,
    exitCode: 0,
    reason: "",
    message: "",
    image: "i",
    imageRef: "i",
    hash: containerHash(container(name)),
    ...more,
  };
}

const exited = (name: string, exitCode: number, more: Partial<ObservedContainer> = {}): ObservedContainer =>
  seen(name, { state: "exited", exitCode, finishedAtMs: now - 1_000, ...more });

function plan(pod: Pod, more: Partial<PodPlanInput> = {}) {
  return planPod({
    pod,
    observation: { sandboxes: [sandbox], containers: [] },
    ending: undefined,
    probeOf: () => ({ started: true, ready: true }),
    waits: new Map(),
    restarts: new Map(),
    attempts: new Map(),
    volumesReady: true,
    busy: new Set(),
    holdUntilMs: 0,
    nowMs: now,
    ...more,
  });
}

const words = (actions: readonly PodAction[]): string[] =>
  actions.map((action) => {
    if (action.do === "start") return `start ${action.container.spec.name} ${action.attempt}`;
    if (action.do === "kill") return `kill ${action.container.name} ${action.graceSeconds}`;
    if (action.do === "wait") return `wait ${action.name} ${action.wait.reason}`;
    return action.do;
  });

const withSandbox = (...containers: ObservedContainer[]) => ({ observation: { sandboxes: [sandbox], containers } });

describe("a new pod", () => {
  test("gets its volumes, then its sandbox, then its containers one after the other", () => {
    const pod = podOf({ containers: [container("a"), container("b")] });
    const nothing = { observation: { sandboxes: [], containers: [] } };
    expect(words(plan(pod, { ...nothing, volumesReady: false }).actions)).toEqual(["set-up-volumes"]);
    expect(words(plan(pod, nothing).actions)).toEqual(["run-sandbox"]);
    expect(words(plan(pod).actions)).toEqual(["start a 0"]);
    expect(words(plan(pod, withSandbox(seen("a"))).actions)).toEqual(["start b 0"]);
    expect(plan(pod, withSandbox(seen("a"), seen("b"))).actions).toEqual([]);
  });

  test("asks for nothing twice while it is under way", () => {
    expect(plan(podOf({}), { busy: new Set(["start"]) }).actions).toEqual([]);
  });

  test("tries nothing before the time that a failure set", () => {
    expect(plan(podOf({}), { holdUntilMs: now + 5 }).actions).toEqual([{ do: "wake", atMs: now + 5 }]);
  });
});

describe("init containers", () => {
  const pod = podOf({ initContainers: [container("one"), container("two")], restartPolicy: "Never" });
  test("run in order and hold the rest", () => {
    expect(words(plan(pod).actions)).toEqual(["start one 0"]);
    expect(plan(pod, withSandbox(seen("one"))).actions).toEqual([]);
    expect(words(plan(pod, withSandbox(exited("one", 0))).actions)).toEqual(["start two 0"]);
    expect(words(plan(pod, withSandbox(exited("one", 0), exited("two", 0))).actions)).toEqual(["start c 0"]);
  });

  test("fail the pod when they fail and nothing restarts them", () => {
    const { actions, terminal } = plan(pod, withSandbox(exited("one", 2)));
    expect(words(actions)).toEqual(["stop-sandbox"]);
    expect(terminal).toBe(true);
  });

  test("a sidecar lets the next one begin once it has started, and goes on beside the rest", () => {
    const sidecar = podOf({ initContainers: [container("side", { restartPolicy: "Always" })], restartPolicy: "Never" });
    const unstarted = { probeOf: () => ({ started: false, ready: false }) };
    expect(plan(sidecar, { ...withSandbox(seen("side")), ...unstarted }).actions).toEqual([]);
    expect(words(plan(sidecar, withSandbox(seen("side"))).actions)).toEqual(["start c 0"]);
    expect(words(plan(sidecar, withSandbox(seen("c"), exited("side", 0))).actions)).toEqual(["start side 1"]);
  });
});

describe("a container that ended", () => {
  test.each([
    ["Always", 0, ["start c 1"]],
    ["OnFailure", 1, ["start c 1"]],
    ["OnFailure", 0, ["stop-sandbox"]],
    ["Never", 1, ["stop-sandbox"]],
  ])("with policy %s and code %i", (restartPolicy, code, expected) => {
    expect(words(plan(podOf({ restartPolicy }), withSandbox(exited("c", code))).actions)).toEqual(expected);
  });

  test("waits the second time, and says until when", () => {
    const restarts = new Map([["c", { delayMs: 10_000, setAtMs: now - 4_000 }]]);
    const { actions } = plan(podOf({}), { ...withSandbox(exited("c", 1, { attempt: 1 })), restarts });
    expect(actions[0]).toMatchObject({
      do: "wait",
      wait: {
        reason: "CrashLoopBackOff",
        message: "back-off 10s restarting failed container=c pod=p_n(u)",
        untilMs: now + 9_000,
      },
    });
  });

  test("a rule decides before the policy", () => {
    const rules = [{ action: "Restart", exitCodes: { operator: "In", values: [42] } }];
    const pod = podOf({ containers: [container("c", { restartPolicyRules: rules })], restartPolicy: "Never" });
    expect(words(plan(pod, withSandbox(exited("c", 42))).actions)).toEqual(["start c 1"]);
    expect(words(plan(pod, withSandbox(exited("c", 1))).actions)).toEqual(["stop-sandbox"]);
  });

  test("a rule for all ends and removes every container first", () => {
    const rules = [{ action: "RestartAllContainers", exitCodes: { operator: "In", values: [42] } }];
    const containers = [container("a", { restartPolicyRules: rules }), container("b")];
    const pod = podOf({ containers, restartPolicy: "Never" });
    expect(words(plan(pod, withSandbox(exited("a", 42), seen("b"))).actions)).toEqual(["kill b 0"]);
    const removed = (...containers: ObservedContainer[]) =>
      plan(pod, withSandbox(...containers)).actions.map((action) => (action.do === "remove" ? action.key : action.do));
    expect(removed(exited("a", 42), exited("b", 137))).toEqual(["remove:b-id"]);
    expect(removed(exited("a", 42))).toEqual(["remove:a-id"]);
    expect(removed()).toEqual(["start"]);
  });
});

describe("a pod that ends", () => {
  const pod = podOf({
    initContainers: [container("s1", { restartPolicy: "Always" }), container("s2", { restartPolicy: "Always" })],
  });
  const ending = { graceSeconds: 7 };

  test("ends main containers at once, sidecars after them, the last one first", () => {
    const { actions } = plan(pod, { ...withSandbox(seen("c"), seen("s1"), seen("s2")), ending });
    expect(words(actions)).toEqual(["kill c 7", "kill s1 7", "kill s2 7"]);
    expect(actions.map((action) => (action.do === "kill" ? action.after : []))).toEqual([
      [],
      ["c-id", "s2-id"],
      ["c-id"],
    ]);
  });

  test("stops the sandbox when nothing runs, and is over when that is done", () => {
    const containers = [exited("c", 0), exited("s1", 0), exited("s2", 0)];
    expect(words(plan(pod, { ...withSandbox(...containers), ending }).actions)).toEqual(["stop-sandbox"]);
    const stopped = { observation: { sandboxes: [{ ...sandbox, ready: false }], containers } };
    expect(plan(pod, { ...stopped, ending })).toMatchObject({ actions: [], terminal: true, stopped: true });
  });

  test("is not over while a container is being made", () => {
    expect(plan(pod, { ending, busy: new Set(["start"]) }).terminal).toBe(false);
  });
});

test("a failed probe ends the container with its own grace", () => {
  const failed = { probe: "liveness", graceSeconds: 1 } as const;
  const { actions } = plan(podOf({}), {
    ...withSandbox(seen("c")),
    probeOf: () => ({ started: true, ready: false, failed }),
  });
  expect(actions).toMatchObject([
    { do: "kill", graceSeconds: 1, message: "Container c failed liveness probe, will be restarted" },
  ]);
});

test.each<[claim: string, pod: Pod, ended: string, message: string]>([
  ["one that is not started again", podOf({ restartPolicy: "Never" }), "c", "Container c failed startup probe"],
  [
    "a sidecar",
    podOf({ initContainers: [{ name: "s", image: "i", restartPolicy: "Always" }] }),
    "s",
    "Init container s failed startup probe",
  ],
])("a failed probe says what becomes of %s", (_, pod, ended, message) => {
  const { actions } = plan(pod, {
    ...withSandbox(seen(ended)),
    probeOf: () => ({ started: false, ready: false, failed: { probe: "startup" } }),
  });
  expect(actions).toContainEqual(expect.objectContaining({ do: "kill", message }));
});

test("a sandbox that died is made again after what ran in it has ended", () => {
  const dead = [{ ...sandbox, ready: false }];
  expect(words(plan(podOf({}), { observation: { sandboxes: dead, containers: [seen("c")] } }).actions)).toEqual([
    "kill c 30",
  ]);
  const { actions } = plan(podOf({}), { observation: { sandboxes: dead, containers: [exited("c", 137)] } });
  expect(actions).toEqual([{ do: "run-sandbox", key: "sandbox", attempt: 1, changed: true }]);
});

test.each([
  ["Never", [exited("c", 137)], []],
  ["Never", [], ["run-sandbox"]],
  ["OnFailure", [exited("c", 137)], ["run-sandbox"]],
])("of a pod with policy %s whose sandbox died", (restartPolicy, containers, expected) => {
  const observation = { sandboxes: [{ ...sandbox, ready: false }], containers };
  const two = podOf({ restartPolicy, containers: [container("c"), container("never-begun")] });
  expect(words(plan(two, { observation }).actions)).toEqual(expected);
});

test("no plan starts two containers, or one that runs", () => {
  const state = fc.constantFrom("none", "running", "exited0", "exited1");
  fc.assert(
    fc.property(
      fc.constantFrom("Always", "OnFailure", "Never"),
      fc.array(state, { maxLength: 4 }),
      (restartPolicy, states) => {
        const containers = states.map((_, at) => container(`c${at}`));
        const observed = states.flatMap((one, at) =>
          one === "none" ? [] : [one === "running" ? seen(`c${at}`) : exited(`c${at}`, one === "exited0" ? 0 : 1)],
        );
        const { actions } = plan(podOf({ containers, restartPolicy }), withSandbox(...observed));
        const started = actions.flatMap((action) => (action.do === "start" ? [action.container.spec.name] : []));
        expect(started.length).toBeLessThanOrEqual(1);
        for (const name of started) expect(states[Number(name.slice(1))]).not.toBe("running");
      },
    ),
  );
});
