import { expect, test } from "vitest";
import { formatTime } from "#lib/clock.ts";
import type { Pod } from "#api/core/pod.ts";
import { viewOf } from "#client/view.ts";
import { moment } from "#test/support/settle.ts";
import { staleDisruptionReconciler, staleMs } from "./stale-disruption.ts";

const now = Date.parse("2026-01-01T00:10:00Z");
const pod = (ago: number, reason: string, changes: Partial<Pod["metadata"]> = {}, phase = "Running"): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { namespace: "a", name: "p", uid: "u", ...changes },
  status: {
    phase,
    conditions: [{ type: "DisruptionTarget", status: "True", reason, lastTransitionTime: formatTime(now - ago) }],
  },
});

test.each<[claim: string, pod: Pod, changes: string[]]>([
  ["a pod that was told of its end has time to end", pod(staleMs - 1_000, "EvictionByEvictionAPI"), ["wake"]],
  ["a pod that is still there no longer says so", pod(staleMs, "EvictionByEvictionAPI"), ["patch"]],
  ["a pod that is being deleted goes on saying so", pod(staleMs, "x", { deletionTimestamp: formatTime(now) }), []],
  ["a pod that has ended goes on saying so", pod(staleMs, "x", {}, "Failed"), []],
  ["what the node said stays", pod(staleMs, "TerminationByKubelet"), []],
])("stale-disruption: %s", (_, given, changes) => {
  const made = staleDisruptionReconciler.reconcile(given, viewOf([given]), moment(now));
  expect(made.map(({ type }) => type)).toEqual(changes);
});
