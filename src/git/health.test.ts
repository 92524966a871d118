import { describe, expect, it } from "vitest";
import type { UnknownObject } from "#api/object.ts";
import { healthOf } from "./health.ts";

const now = Date.parse("2026-01-01T00:01:00Z");
const make = (
  apiVersion: string,
  kind: string,
  spec: object,
  status: object,
  metadata: object = {},
): UnknownObject => ({
  apiVersion,
  kind,
  metadata: { name: "a", generation: 2, creationTimestamp: "2026-01-01T00:00:00Z", ...metadata },
  spec,
  status,
});
const rolledOut = { observedGeneration: 2, replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3 };
const condition = (type: string, status: string, reason = "R", message = "m") => ({
  conditions: [{ type, status, reason, message }],
});

describe("health", () => {
  it.each<[string, UnknownObject | undefined, string, string]>([
    ["a missing object", undefined, "NotFound", "not found"],
    [
      "an object that is being deleted",
      make("v1", "ConfigMap", {}, {}, { deletionTimestamp: "2026-01-01T00:00:30Z" }),
      "Terminating",
      "is being deleted",
    ],
    ["a ConfigMap", make("v1", "ConfigMap", {}, {}), "Current", ""],
    ["a rolled out Deployment", make("apps/v1", "Deployment", { replicas: 3 }, rolledOut), "Current", ""],
    [
      "a Deployment that was not observed",
      make("apps/v1", "Deployment", { replicas: 3 }, { ...rolledOut, observedGeneration: 1 }),
      "InProgress",
      "generation 2 is not observed yet (1)",
    ],
    [
      "a Deployment in the middle of an update",
      make("apps/v1", "Deployment", { replicas: 3 }, { ...rolledOut, updatedReplicas: 1 }),
      "InProgress",
      "1 of 3 pods updated",
    ],
    [
      "a Deployment with old pods left",
      make("apps/v1", "Deployment", { replicas: 3 }, { ...rolledOut, replicas: 4 }),
      "InProgress",
      "1 old pods are being replaced",
    ],
    [
      "a Deployment past its deadline",
      make(
        "apps/v1",
        "Deployment",
        {},
        { ...rolledOut, ...condition("Progressing", "False", "ProgressDeadlineExceeded", "too slow") },
      ),
      "Failed",
      "too slow",
    ],
    [
      "a failed Job",
      make("batch/v1", "Job", {}, condition("Failed", "True", "BackoffLimitExceeded", "gave up")),
      "Failed",
      "gave up",
    ],
    ["a ready pod", make("v1", "Pod", {}, { phase: "Running", ...condition("Ready", "True") }), "Current", ""],
    [
      "a crashing pod",
      make(
        "v1",
        "Pod",
        {},
        {
          phase: "Running",
          containerStatuses: [{ name: "c", state: { waiting: { reason: "CrashLoopBackOff", message: "back-off" } } }],
        },
      ),
      "InProgress",
      "container c: CrashLoopBackOff: back-off",
    ],
    [
      "a pod without a place",
      make("v1", "Pod", {}, { phase: "Pending", ...condition("PodScheduled", "False", "Unschedulable", "0/1 nodes") }),
      "Failed",
      "0/1 nodes",
    ],
    [
      "a custom object with Ready",
      make("example.com/v1", "Thing", {}, condition("Ready", "False", "X", "waits")),
      "InProgress",
      "waits",
    ],
    [
      "a stalled custom object",
      make("example.com/v1", "Thing", {}, condition("Stalled", "True", "X", "stuck")),
      "Failed",
      "stuck",
    ],
    [
      "a CRD",
      make("apiextensions.k8s.io/v1", "CustomResourceDefinition", {}, condition("Established", "True")),
      "Current",
      "",
    ],
  ])("%s", (_title, object, status, message) => {
    expect(healthOf(object, now)).toEqual({ status, message });
  });
});
