/** The counts of a replica set or replication controller. Upstream: ValidateReplicaSetStatus. */
import type { FieldError } from "#api/field-error.ts";
import { atMostErrors, countErrors } from "./workload.ts";

const counts = [
  "replicas",
  "fullyLabeledReplicas",
  "readyReplicas",
  "availableReplicas",
  "observedGeneration",
  "terminatingReplicas",
];

export const replicaCountErrors = (status: object | undefined): FieldError[] => [
  ...countErrors(status, "status", counts),
  ...atMostErrors(
    status,
    ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"],
    "replicas",
    "cannot be greater than status.replicas",
  ),
  ...atMostErrors(status, ["availableReplicas"], "readyReplicas", "cannot be greater than readyReplicas"),
];
