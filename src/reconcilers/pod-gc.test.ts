import { describe, expect, test } from "vitest";
import type { Node } from "#api/core/node.ts";
import type { Pod } from "#api/core/pod.ts";
import { viewOf } from "#client/view.ts";
import { moment } from "#test/support/settle.ts";
import { podGcReconciler } from "./pod-gc.ts";
import type { Input, Moment } from "./reconciler.ts";

const now = Date.parse("2024-06-01T00:00:00Z");

function pod(nodeName: string, more: { going?: boolean; phase?: string } = {}): Pod {
  const deletionTimestamp = "2024-05-31T23:00:00Z";
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "a", uid: "p", ...(more.going === true ? { deletionTimestamp } : {}) },
    spec: { containers: [], ...(nodeName === "" ? {} : { nodeName }) },
    status: { phase: more.phase ?? "Running" },
  };
}

const node = (taints: { key: string; effect: string }[] = []): Node => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name: "n" },
  spec: { taints },
});

function plan(about: Pod, others: readonly Node[] = [], more: Partial<Moment> = {}): string[] {
  const view = viewOf([about, ...others]);
  return podGcReconciler.reconcile(about, view, { ...moment(now), ...more }).map(({ type }) => type);
}

const absent = new Map<string, Input>([["node", { ok: true, value: undefined }]]);

describe("pod garbage collection", () => {
  test("leaves pods alone whose node is there", () => {
    expect(plan(pod("n"), [node()])).toEqual([]);
    expect(plan(pod("n", { going: true }), [node()])).toEqual([]);
  });

  test("gives a missing node forty seconds, and asks the server before it deletes", () => {
    expect(plan(pod("n"), [], { inputs: absent })).toEqual(["wake"]);
    expect(plan(pod("n"), [], { inputs: absent, waitingSince: now - 39_000 })).toEqual(["wake"]);
    expect(plan(pod("n"), [], { inputs: absent, waitingSince: now - 40_000 })).toEqual(["patch", "delete"]);
    const there = new Map<string, Input>([["node", { ok: true, value: node() }]]);
    expect(plan(pod("n"), [], { inputs: there, waitingSince: now - 40_000 })).toEqual([]);
  });

  test("a finished pod is not marked as failed", () => {
    const more = { inputs: absent, waitingSince: now - 40_000 };
    expect(plan(pod("n", { phase: "Succeeded" }), [], more)).toEqual(["delete"]);
  });

  test("a pod that goes and has no node has five seconds to be let go", () => {
    const deletedAt = Date.parse("2024-05-31T23:00:00Z");
    const look = (at: number) => {
      const about = pod("", { going: true });
      return podGcReconciler.reconcile(about, viewOf([about]), moment(at)).map(({ type }) => type);
    };
    expect(look(deletedAt + 4_999)).toEqual(["wake"]);
    expect(look(deletedAt + 5_000)).toEqual(["patch", "delete"]);
    expect(plan(pod(""))).toEqual([]);
  });

  test("a pod that goes from a node that is out of service goes at once", () => {
    const out = node([{ key: "node.kubernetes.io/out-of-service", effect: "NoExecute" }]);
    expect(plan(pod("n", { going: true }), [out])).toEqual(["patch", "delete"]);
    expect(plan(pod("n"), [out])).toEqual([]);
  });
});
