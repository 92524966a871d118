import { describe, expect, test } from "vitest";
import { formatTime } from "#lib/clock.ts";
import type { KubernetesObject } from "#api/object.ts";
import type { Node } from "#api/core/node.ts";
import type { V1Taint } from "#api/generated/types.ts";
import { viewOf } from "#client/view.ts";
import { moment } from "#test/support/settle.ts";
import { evictionEveryMs, evictionPace } from "./eviction-pace.ts";
import { freeRange } from "./node-ipam.ts";
import { gracePeriodMs, nodeLifecycleReconciler, startupGraceMs } from "./node-lifecycle.ts";
import { secondsFor } from "./node-ttl.ts";

const start = Date.parse("2024-06-01T00:00:00Z");
const condition = (type: string, status: string, at = start) => ({
  type,
  status,
  lastHeartbeatTime: formatTime(at),
  lastTransitionTime: formatTime(at),
});

function node(name: string, conditions: ReturnType<typeof condition>[], taints: V1Taint[] = []): Node {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, uid: name, creationTimestamp: formatTime(start) },
    ...(taints.length === 0 ? {} : { spec: { taints } }),
    status: { conditions },
  };
}

const lease = (name: string, at: number): KubernetesObject =>
  ({
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name, namespace: "kube-node-lease" },
    spec: { renewTime: new Date(at).toISOString() },
  }) as KubernetesObject;

function plan(about: Node, now: number, others: readonly KubernetesObject[] = []) {
  return nodeLifecycleReconciler.reconcile(about, viewOf([about, ...others]), moment(now));
}

function taintsOf(changes: ReturnType<typeof plan>): string[] | undefined {
  const found = changes.find((change) => change.type === "patch" && "spec" in (change.patch as object));
  if (found?.type !== "patch") return undefined;
  const { taints } = (found.patch as { spec: { taints: V1Taint[] | null } }).spec;
  return (taints ?? []).map(({ key, effect }) => `${key.replace("node.kubernetes.io/", "")}:${effect}`);
}

function statusesOf(changes: ReturnType<typeof plan>): string[] | undefined {
  const found = changes.find((change) => change.type === "update");
  if (found?.type !== "update") return undefined;
  return (found.object as Node).status?.conditions?.map(({ type, status, reason }) => `${type} ${status} ${reason}`);
}

const ready = node("other", [condition("Ready", "True", start + 1e9)]);

describe("node lifecycle", () => {
  test("a node is heard of by its lease as well as by its status", () => {
    const now = start + gracePeriodMs + 1_000;
    const silent = node("one", [condition("Ready", "True")]);
    expect(statusesOf(plan(silent, now, [lease("one", now - 5_000)]))).toBeUndefined();
    expect(statusesOf(plan(silent, now))?.[0]).toBe("Ready Unknown NodeStatusUnknown");
  });

  test("a node that never reports is unknown after its time to start", () => {
    const fresh = node("one", []);
    expect(statusesOf(plan(fresh, start + startupGraceMs - 1))).toBeUndefined();
    expect(statusesOf(plan(fresh, start + startupGraceMs))).toEqual(
      ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"].map(
        (type) => `${type} Unknown NodeStatusNeverUpdated`,
      ),
    );
  });

  const taintTable: readonly [ready: string, other: [string, string], taints: string[]][] = [
    ["True", ["MemoryPressure", "True"], ["memory-pressure:NoSchedule"]],
    ["True", ["PIDPressure", "True"], ["pid-pressure:NoSchedule"]],
    ["True", ["NetworkUnavailable", "True"], ["network-unavailable:NoSchedule"]],
    ["False", ["DiskPressure", "False"], ["not-ready:NoSchedule", "not-ready:NoExecute"]],
    ["Unknown", ["DiskPressure", "Unknown"], ["unreachable:NoSchedule", "unreachable:NoExecute"]],
  ];
  test.each(taintTable)("Ready %s and %j give %j", (status, other, taints) => {
    const about = node("one", [condition("Ready", status), condition(...other)]);
    expect(taintsOf(plan(about, start, [ready]))).toEqual(taints);
  });

  test("nobody is evicted when no node at all is ready", () => {
    expect(taintsOf(plan(node("one", [condition("Ready", "False")]), start))).toEqual(["not-ready:NoSchedule"]);
  });

  test("its own taints go when the reason is gone, others stay", () => {
    const taints = [
      { key: "node.kubernetes.io/not-ready", effect: "NoSchedule" },
      { key: "node.kubernetes.io/not-ready", effect: "NoExecute" },
      { key: "own", effect: "NoExecute" },
    ];
    expect(taintsOf(plan(node("one", [condition("Ready", "True")], taints), start))).toEqual(["own:NoExecute"]);
  });
});

describe("pods of a node", () => {
  const table: readonly [claim: string, ready: ReturnType<typeof condition>, now: number, marked: boolean][] = [
    ["that fell silent are not ready", condition("Ready", "True"), start + gracePeriodMs, true],
    ["that says it is not ready speak for themselves", condition("Ready", "False"), start, false],
    ["that does not know of itself speak for themselves", condition("Ready", "Unknown"), start, false],
  ];
  test.each(table)("%s", (_, own, now, marked) => {
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { namespace: "x", name: "p", uid: "p", generation: 3 },
      spec: { nodeName: "one" },
      status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
    } as KubernetesObject;
    const changes = plan(node("one", [own]), now, [ready, pod]);
    const patched = changes.find((change) => change.type === "patch" && "status" in (change.patch as object));
    expect(patched?.type === "patch" ? patched.patch : undefined).toEqual(
      marked
        ? {
            metadata: { uid: "p" },
            status: {
              conditions: [
                { type: "Ready", observedGeneration: 3, status: "False", lastTransitionTime: formatTime(now) },
              ],
            },
          }
        : undefined,
    );
  });
});

describe("pod ranges", () => {
  const table: readonly [cluster: string, taken: string[], free: string | undefined][] = [
    ["10.42.0.0/16", [], "10.42.0.0/24"],
    ["10.42.0.0/16", ["10.42.0.0/24", "10.42.2.0/24"], "10.42.1.0/24"],
    ["10.42.0.0/16", ["10.42.0.0/23"], "10.42.2.0/24"],
    ["10.42.0.0/16", ["10.42.1.128/25", "10.42.0.0/24"], "10.42.2.0/24"],
    ["10.42.0.0/23", ["10.42.0.0/24", "10.42.1.0/24"], undefined],
  ];
  test.each(table)("of %s with %j taken, %s is next", (cluster, taken, free) => {
    expect(freeRange(cluster, taken)).toBe(free);
  });
});

describe("node ttl", () => {
  const table: readonly [size: number, current: string | undefined, seconds: number][] = [
    [1, undefined, 0],
    [101, undefined, 15],
    [101, "0", 15],
    [95, "15", 15],
    [89, "15", 0],
    [20_000, "0", 600],
  ];
  test.each(table)("%i nodes at %s keep for %i seconds", (size, current, seconds) => {
    expect(secondsFor(size, current)).toBe(seconds);
  });
});

describe("pace of evictions", () => {
  const unwell = (name: string, taintedAt?: number) =>
    node(
      name,
      [condition("Ready", "Unknown")],
      taintedAt === undefined
        ? []
        : [{ key: "node.kubernetes.io/unreachable", effect: "NoExecute", timeAdded: formatTime(taintedAt) }],
    );
  const well = (name: string) => node(name, [condition("Ready", "True")]);
  const table: readonly [claim: string, others: Node[], verdict: string][] = [
    ["the first node of a zone goes at once", [well("b"), well("c")], "now"],
    ["the next one waits for its turn", [well("b"), unwell("c", start - 3_000)], "later"],
    ["its turn comes", [well("b"), unwell("c", start - evictionEveryMs)], "now"],
    ["a small zone of which most is not well is left alone", [well("b"), unwell("c"), unwell("d")], "later"],
    ["all are spared when nobody is well", [unwell("b"), unwell("c")], "spare"],
  ];
  test.each(table)("pace: %s", (_, others, verdict) => {
    const about = unwell("a");
    expect(evictionPace(about, viewOf([about, ...others]), start).verdict).toBe(verdict);
  });
});
