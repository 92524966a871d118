/**
 * What an object takes from a resource quota; the same for admission and for the controller that counts again. Upstream:
 * pkg/quota/v1/evaluator/core.
 */
import type { V1PersistentVolumeClaim, V1Pod, V1ResourceQuota, V1Service } from "#api/generated/types.ts";
import type { KubernetesObject } from "#api/object.ts";
import { addQuantities, toQuantity, type Quantity } from "#api/quantity.ts";
import { podLimits, podRequests, qosClassOf } from "./pod-resources.ts";

export type Usage = Record<string, Quantity>;

const one = toQuantity(1);
const storageClassSuffix = ".storageclass.storage.k8s.io/";
/** Kinds of the core group that may also be counted without "count/". */
const plainCounts = new Set([
  "configmaps",
  "persistentvolumeclaims",
  "replicationcontrollers",
  "resourcequotas",
  "secrets",
  "services",
]);
/** Resources that have a short name for their request. */
const shortRequests = new Set(["cpu", "memory", "ephemeral-storage"]);

/** Everything that one object counts as; `now` decides whether a deleted pod still takes room. */
export function usageOf(group: string, plural: string, object: KubernetesObject, now: number): Usage {
  const counted = { [`count/${plural}${group === "" ? "" : `.${group}`}`]: one };
  if (group !== "") return counted;
  const plain = plainCounts.has(plural) ? { ...counted, [plural]: one } : counted;
  switch (plural) {
    case "pods":
      return takesRoom(object as V1Pod, now) ? { ...plain, ...podUsage(object as V1Pod) } : plain;
    case "persistentvolumeclaims":
      return { ...plain, ...claimUsage(object as V1PersistentVolumeClaim) };
    case "services":
      return { ...plain, ...serviceUsage(object as V1Service) };
    default:
      return plain;
  }
}

/** A pod that is done, or that should have gone by now, takes none. */
function takesRoom({ metadata, status }: V1Pod, now: number): boolean {
  if (status?.phase === "Failed" || status?.phase === "Succeeded") return false;
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return true;
  return now <= Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1_000;
}

function podUsage({ spec }: V1Pod): Usage {
  const usage: Usage = { pods: one };
  for (const [name, amount] of Object.entries(podRequests(spec ?? {}))) {
    usage[`requests.${name}`] = amount;
    if (shortRequests.has(name) || name.startsWith("hugepages-")) usage[name] = amount;
  }
  for (const [name, amount] of Object.entries(podLimits(spec ?? {})))
    if (shortRequests.has(name)) usage[`limits.${name}`] = amount;
  return usage;
}

function claimUsage({ spec }: V1PersistentVolumeClaim): Usage {
  const storage = toQuantity(spec?.resources?.requests?.["storage"] ?? 0);
  const className = spec?.storageClassName;
  const byClass =
    className === undefined || className === ""
      ? {}
      : {
          [`${className}${storageClassSuffix}requests.storage`]: storage,
          [`${className}${storageClassSuffix}persistentvolumeclaims`]: one,
        };
  return { "requests.storage": storage, ...byClass };
}

function serviceUsage({ spec }: V1Service): Usage {
  const ports = (spec?.ports ?? []).length;
  const balanced = spec?.type === "LoadBalancer";
  const withNodePorts = spec?.type === "NodePort" || (balanced && spec?.allocateLoadBalancerNodePorts !== false);
  return {
    "services.loadbalancers": toQuantity(balanced ? 1 : 0),
    "services.nodeports": toQuantity(withNodePorts ? ports : 0),
  };
}

export function addUsage(a: Usage, b: Usage): Usage {
  const sum = { ...a };
  for (const [name, amount] of Object.entries(b)) sum[name] = addQuantities(sum[name] ?? 0, amount);
  return sum;
}

/** Whether the quota's scopes take in this object. A quota with scopes counts pods only. */
export function isInScope({ spec }: V1ResourceQuota, group: string, plural: string, object: KubernetesObject): boolean {
  const scopes = [
    ...(spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: "Exists", values: [] as string[] })),
    ...(spec?.scopeSelector?.matchExpressions ?? []),
  ];
  if (scopes.length === 0) return true;
  if (group !== "" || plural !== "pods") return false;
  return scopes.every(({ scopeName, operator, values = [] }) =>
    matchesScope(object as V1Pod, scopeName, operator, values),
  );
}

function matchesScope({ spec }: V1Pod, scope: string, operator: string, values: readonly string[]): boolean {
  const terminating = (spec?.activeDeadlineSeconds ?? -1) >= 0;
  const bestEffort = qosClassOf(spec ?? {}) === "BestEffort";
  const name = spec?.priorityClassName ?? "";
  switch (scope) {
    case "Terminating":
      return terminating;
    case "NotTerminating":
      return !terminating;
    case "BestEffort":
      return bestEffort;
    case "NotBestEffort":
      return !bestEffort;
    case "CrossNamespacePodAffinity":
      return usesOtherNamespaces(spec);
    case "PriorityClass":
      if (operator === "In") return values.includes(name);
      if (operator === "NotIn") return !values.includes(name);
      return (name !== "") === (operator === "Exists");
    default:
      return false;
  }
}

function usesOtherNamespaces(spec: V1Pod["spec"]): boolean {
  const { podAffinity, podAntiAffinity } = spec?.affinity ?? {};
  const terms = [podAffinity, podAntiAffinity].flatMap((each) => [
    ...(each?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(each?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ podAffinityTerm }) => podAffinityTerm),
  ]);
  return terms.some(
    ({ namespaces, namespaceSelector }) => (namespaces ?? []).length > 0 || namespaceSelector !== undefined,
  );
}
