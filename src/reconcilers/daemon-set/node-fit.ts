/** Whether a daemon's pod belongs on a node. Upstream: pkg/controller/daemon (NodeShouldRunDaemonPod), component-helpers. */
import type { Node } from "#api/core/node.ts";
import type { V1NodeSelectorRequirement, V1NodeSelectorTerm, V1PodSpec, V1Toleration } from "#api/generated/types.ts";
import { tolerates, type Taint } from "#reconcilers/node/taints.ts";

export interface Fit {
  shouldRun: boolean;
  /** A pod that is there already may stay. */
  mayStay: boolean;
}

const prefix = "node.kubernetes.io/";

/** Every daemon bears with what only says that a node has trouble. */
export function daemonTolerations({ hostNetwork }: V1PodSpec): V1Toleration[] {
  const operator = "Exists";
  const noSchedule = ["disk-pressure", "memory-pressure", "pid-pressure", "unschedulable"];
  if (hostNetwork === true) noSchedule.push("network-unavailable");
  return [
    ...["not-ready", "unreachable"].map((key) => ({ key: prefix + key, operator, effect: "NoExecute" })),
    ...noSchedule.map((key) => ({ key: prefix + key, operator, effect: "NoSchedule" })),
  ];
}

/** The template's tolerations with the daemon's own; one of the same key and effect takes the place of the template's. */
export function withDaemonTolerations(spec: V1PodSpec): V1Toleration[] {
  const all = [...(spec.tolerations ?? [])];
  for (const own of daemonTolerations(spec)) {
    const at = all.findIndex(
      ({ key, effect, operator }) => key === own.key && effect === own.effect && operator === own.operator,
    );
    if (at < 0) all.push(own);
    else all[at] = own;
  }
  return all;
}

export function fitOf(spec: V1PodSpec, node: Node): Fit {
  const named = spec.nodeName === undefined || spec.nodeName === "" || spec.nodeName === node.metadata.name;
  if (!named || !matchesSelector(spec, node)) return { shouldRun: false, mayStay: false };
  const tolerations = withDaemonTolerations(spec);
  const untolerated = (node.spec?.taints ?? []).filter(
    (taint: Taint) => taint.effect !== "PreferNoSchedule" && !tolerations.some((each) => tolerates(each, taint)),
  );
  const evicted = untolerated.some(({ effect }) => effect === "NoExecute");
  return { shouldRun: untolerated.length === 0, mayStay: !evicted };
}

function matchesSelector({ nodeSelector, affinity }: V1PodSpec, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  if (!Object.entries(nodeSelector ?? {}).every(([key, value]) => labels[key] === value)) return false;
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || required.nodeSelectorTerms.some((term) => matchesTerm(term, node));
}

function matchesTerm({ matchExpressions = [], matchFields = [] }: V1NodeSelectorTerm, node: Node): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false;
  const labels = node.metadata.labels ?? {};
  return (
    matchExpressions.every((requirement) => holds(requirement, labels[requirement.key])) &&
    matchFields.every((requirement) =>
      holds(requirement, requirement.key === "metadata.name" ? node.metadata.name : ""),
    )
  );
}

function holds({ operator, values = [] }: V1NodeSelectorRequirement, value: string | undefined): boolean {
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
    case "Lt": {
      const [left, right] = [Number(value), Number(values[0])];
      if (value === undefined || !Number.isInteger(left) || !Number.isInteger(right)) return false;
      return operator === "Gt" ? left > right : left < right;
    }
    default:
      return false;
  }
}
