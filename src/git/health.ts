/**
 * Whether an object has become what its spec says, told from its own status. The rules are those of kstatus (sigs.k8s.io
 * cli-utils), which Flux and kubectl plugins use. Pure.
 */
import type { UnknownObject } from "#api/object.ts";

export interface Health {
  status: "Current" | "InProgress" | "Failed" | "Terminating" | "NotFound";
  /** What it waits for, or why it failed; empty when current. */
  message: string;
}

interface ObjectCondition {
  type?: string;
  status?: string;
  reason?: string;
  message?: string;
}
type Fields = Record<string, unknown>;

const current: Health = { status: "Current", message: "" };
const inProgress = (message: string): Health => ({ status: "InProgress", message });
const failed = (message: string): Health => ({ status: "Failed", message });

/** A pod that cannot be scheduled for this long counts as failed: kstatus waits 15 s as well. */
const unschedulableMs = 15_000;

export function healthOf(object: UnknownObject | undefined, nowMs: number): Health {
  if (object === undefined) return { status: "NotFound", message: "not found" };
  if (object.metadata.deletionTimestamp !== undefined) return { status: "Terminating", message: "is being deleted" };
  const status = fields(object["status"]);
  const observed = status["observedGeneration"];
  if (
    typeof observed === "number" &&
    object.metadata.generation !== undefined &&
    observed < object.metadata.generation
  ) {
    return inProgress(`generation ${object.metadata.generation} is not observed yet (${observed})`);
  }
  const conditions = conditionsOf(status);
  if (isTrue(conditions, "Stalled")) return failed(text(conditions, "Stalled"));
  if (isTrue(conditions, "Reconciling")) return inProgress(text(conditions, "Reconciling"));
  const rule = rules[`${groupOf(object)}/${object.kind ?? ""}`];
  if (rule !== undefined) return rule(object, fields(object["spec"]), status, conditions, nowMs);
  return generic(conditions);
}

type Rule = (
  object: UnknownObject,
  spec: Fields,
  status: Fields,
  conditions: ObjectCondition[],
  nowMs: number,
) => Health;

const rules: Readonly<Record<string, Rule>> = {
  "apps/Deployment": deployment,
  "apps/ReplicaSet": replicaSet,
  "apps/StatefulSet": statefulSet,
  "apps/DaemonSet": daemonSet,
  "batch/Job": job,
  "/Pod": pod,
  "/PersistentVolumeClaim": (_object, _spec, status) =>
    status["phase"] === "Bound" ? current : inProgress(`claim is ${String(status["phase"] ?? "Pending")}`),
  "/Service": service,
  "policy/PodDisruptionBudget": () => current,
  "apiextensions.k8s.io/CustomResourceDefinition": customResourceDefinition,
  "apiregistration.k8s.io/APIService": (_object, _spec, _status, conditions) =>
    isTrue(conditions, "Available") ? current : inProgress(text(conditions, "Available") || "not available yet"),
};

function generic(conditions: ObjectCondition[]): Health {
  const ready = find(conditions, "Ready");
  if (ready === undefined || ready.status === "True") return current;
  return inProgress(ready.message ?? ready.reason ?? "not ready");
}

function deployment(object: UnknownObject, spec: Fields, status: Fields, conditions: ObjectCondition[]): Health {
  if (status["observedGeneration"] === undefined) return inProgress("not observed yet");
  const progressing = find(conditions, "Progressing");
  if (progressing?.reason === "ProgressDeadlineExceeded")
    return failed(progressing.message ?? "progress deadline exceeded");
  const failure = find(conditions, "ReplicaFailure");
  if (failure?.status === "True") return failed(failure.message ?? "replica failure");
  const wanted = count(spec["replicas"], 1);
  const [all, updated, ready, available] = ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"].map(
    (name) => count(status[name], 0),
  ) as [number, number, number, number];
  if (updated < wanted) return inProgress(`${updated} of ${wanted} pods updated`);
  if (all > updated) return inProgress(`${all - updated} old pods are being replaced`);
  if (ready < wanted) return inProgress(`${ready} of ${wanted} pods ready`);
  if (available < updated) return inProgress(`${available} of ${updated} pods available`);
  return current;
}

function replicaSet(_object: UnknownObject, spec: Fields, status: Fields, conditions: ObjectCondition[]): Health {
  const failure = find(conditions, "ReplicaFailure");
  if (failure?.status === "True") return failed(failure.message ?? "replica failure");
  const wanted = count(spec["replicas"], 1);
  const available = count(status["availableReplicas"], 0);
  return available < wanted ? inProgress(`${available} of ${wanted} pods available`) : current;
}

function statefulSet(_object: UnknownObject, spec: Fields, status: Fields): Health {
  const wanted = count(spec["replicas"], 1);
  const ready = count(status["readyReplicas"], 0);
  if (ready < wanted) return inProgress(`${ready} of ${wanted} pods ready`);
  const strategy = fields(spec["updateStrategy"]);
  if (strategy["type"] === "OnDelete") return current;
  const partition = count(fields(strategy["rollingUpdate"])["partition"], 0);
  if (partition > 0) {
    const updated = count(status["updatedReplicas"], 0);
    return updated < wanted - partition ? inProgress(`${updated} of ${wanted - partition} pods updated`) : current;
  }
  if (status["updateRevision"] !== status["currentRevision"]) return inProgress("pods are being updated");
  return current;
}

function daemonSet(_object: UnknownObject, _spec: Fields, status: Fields): Health {
  if (status["observedGeneration"] === undefined) return inProgress("not observed yet");
  const wanted = count(status["desiredNumberScheduled"], 0);
  const [updated, available] = [count(status["updatedNumberScheduled"], 0), count(status["numberAvailable"], 0)];
  if (updated < wanted) return inProgress(`${updated} of ${wanted} pods updated`);
  return available < wanted ? inProgress(`${available} of ${wanted} pods available`) : current;
}

function job(_object: UnknownObject, spec: Fields, status: Fields, conditions: ObjectCondition[]): Health {
  if (isTrue(conditions, "Failed")) return failed(text(conditions, "Failed") || "job failed");
  if (isTrue(conditions, "Complete") || isTrue(conditions, "Suspended")) return current;
  return inProgress(`${count(status["succeeded"], 0)} of ${count(spec["completions"], 1)} pods succeeded`);
}

function pod(
  object: UnknownObject,
  _spec: Fields,
  status: Fields,
  conditions: ObjectCondition[],
  nowMs: number,
): Health {
  switch (status["phase"]) {
    case "Succeeded":
      return current;
    case "Failed":
      return failed(String(status["message"] ?? status["reason"] ?? "pod failed"));
    case "Running":
      return isTrue(conditions, "Ready") ? current : inProgress(waitingContainer(status) ?? "pod is not ready");
    default: {
      const scheduled = find(conditions, "PodScheduled");
      const ageMs = nowMs - Date.parse(object.metadata.creationTimestamp ?? "");
      if (scheduled?.reason === "Unschedulable" && ageMs > unschedulableMs)
        return failed(scheduled.message ?? "pod cannot be scheduled");
      return inProgress(waitingContainer(status) ?? scheduled?.message ?? "pod is pending");
    }
  }
}

/** "container web: ImagePullBackOff: …" for the first container that waits for something that matters. */
function waitingContainer(status: Fields): string | undefined {
  const statuses = [...list(status["initContainerStatuses"]), ...list(status["containerStatuses"])];
  for (const one of statuses) {
    const waiting = fields(fields(one["state"])["waiting"]);
    const reason = waiting["reason"];
    if (reason === undefined || reason === "ContainerCreating" || reason === "PodInitializing") continue;
    return `container ${String(one["name"])}: ${String(reason)}${waiting["message"] === undefined ? "" : `: ${String(waiting["message"])}`}`;
  }
  return undefined;
}

function service(_object: UnknownObject, spec: Fields, status: Fields): Health {
  if (spec["type"] !== "LoadBalancer") return current;
  return list(fields(status["loadBalancer"])["ingress"]).length > 0
    ? current
    : inProgress("load balancer has no address yet");
}

function customResourceDefinition(
  _object: UnknownObject,
  _spec: Fields,
  _status: Fields,
  conditions: ObjectCondition[],
): Health {
  const names = find(conditions, "NamesAccepted");
  if (names?.status === "False") return failed(names.message ?? "names are not accepted");
  return isTrue(conditions, "Established") ? current : inProgress("not established yet");
}

const fields = (value: unknown): Fields => (typeof value === "object" && value !== null ? (value as Fields) : {});
const list = (value: unknown): Fields[] => (Array.isArray(value) ? (value as Fields[]) : []);
const count = (value: unknown, missing: number): number => (typeof value === "number" ? value : missing);
const conditionsOf = (status: Fields) => list(status["conditions"]) as ObjectCondition[];
const find = (conditions: ObjectCondition[], type: string) => conditions.find((condition) => condition.type === type);
const isTrue = (conditions: ObjectCondition[], type: string) => find(conditions, type)?.status === "True";
const text = (conditions: ObjectCondition[], type: string) => find(conditions, type)?.message ?? "";
const groupOf = (object: UnknownObject) =>
  object.apiVersion?.includes("/") === true ? object.apiVersion.split("/")[0]! : "";
