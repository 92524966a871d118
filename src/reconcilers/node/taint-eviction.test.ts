import { expect, test } from "vitest";
import { formatTime } from "#lib/clock.ts";
import type { Node } from "#api/core/node.ts";
import type { Pod } from "#api/core/pod.ts";
import { viewOf } from "#client/view.ts";
import { moment } from "#test/support/settle.ts";
import { taintEvictionReconciler } from "./taint-eviction.ts";

const now = Date.parse("2026-01-01T00:10:00Z");
const node = (taintedAt: number | undefined): Node => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name: "a" },
  spec:
    taintedAt === undefined ? {} : { taints: [{ key: "k", effect: "NoExecute", timeAdded: formatTime(taintedAt) }] },
});
const pod = (tolerationSeconds: number | undefined): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { namespace: "ns", name: "p", uid: "u", creationTimestamp: "2026-01-01T00:00:00Z" },
  spec: {
    nodeName: "a",
    containers: [],
    tolerations: [{ key: "k", operator: "Exists", ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }) }],
  },
  status: { phase: "Running" },
});

test.each<[claim: string, node: Node, pod: Pod, waits: boolean, changes: string[]]>([
  ["a pod may stay as long as it tolerates", node(now - 5_000), pod(10), false, ["wake"]],
  ["a pod whose time is over goes", node(now - 10_000), pod(10), true, ["event", "patch", "delete"]],
  ["a pod that tolerates for ever stays", node(now - 10_000), pod(undefined), false, []],
  ["a pod whose time no longer runs is told so", node(undefined), pod(10), true, ["event"]],
  ["a pod without a time is told nothing", node(undefined), pod(10), false, []],
])("taint-eviction: %s", (_, onNode, given, waits, changes) => {
  const at = { ...moment(now), waitingSince: waits ? now - 1 : undefined };
  expect(taintEvictionReconciler.reconcile(given, viewOf([onNode, given]), at).map(({ type }) => type)).toEqual(
    changes,
  );
});
