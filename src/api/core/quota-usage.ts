/**
 * What an object takes from a resource quota; the same for admission and for the controller that counts again. Upstream:
 * pkg/quota/v1/evaluator/core.
 */
import type { V1PersistentVolumeClaim, V1Pod, V1ResourceQuota, V1Service } from "#api/generated/types.ts";
import type { KubernetesObject } from "#api/object.ts";
import { addQuantities, subtractQuantities, toQuantity, type Quantity } from "#api/quantity.ts";
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

/** What `a` counts more than `b`; nothing is less than nothing. */
export function subtractUsage(a: Usage, b: Usage): Usage {
  const rest: Usage = {};
  for (const [name, amount] of Object.entries(a)) {
    const left = subtractQuantities(amount, b[name] ?? 0);
    rest[name] = left.nanos > 0n ? left : toQuantity(0);
  }
  return rest;
}

const ofPods = new Set([
  "pods",
  "cpu",
  "memory",
  "ephemeral-storage",
  "requests.cpu",
  "requests.memory",
  "requests.ephemeral-storage",
  "limits.cpu",
  "limits.memory",
  "limits.ephemeral-storage",
]);
const ofServices = new Set(["services", "services.nodeports", "services.loadbalancers"]);
const ofClaims = new Set(["persistentvolumeclaims", "requests.storage"]);

/** Whether a limit of this name is one on objects of this kind. */
export function limitsKind(name: string, group: string, plural: string): boolean {
  if (name.startsWith("count/")) return name === `count/${plural}${group === "" ? "" : `.${group}`}`;
  if (group !== "") return false;
  switch (plural) {
    case "pods":
      return ofPods.has(name) || /^(requests\.)?hugepages-/.test(name) || isExtendedRequest(name);
    case "persistentvolumeclaims":
      return ofClaims.has(name) || name.includes(storageClassSuffix);
    case "services":
      return ofServices.has(name);
    default:
      return name === plural && plainCounts.has(name);
  }
}

/** "requests.example.com/gpu" */
const isExtendedRequest = (name: string): boolean =>
  name.startsWith("requests.") && name.includes("/") && !name.includes(storageClassSuffix);

const mustBeSet = new Set(["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"]);

/**
 * A limit on cpu or memory asks every container to say how much it wants. Upstream: podEvaluator.Constraints.
 */
export function constraintError(names: readonly string[], { spec }: V1Pod): string | undefined {
  const required = names.filter((name) => mustBeSet.has(name)).toSorted();
  if (required.length === 0 || spec?.resources !== undefined) return undefined;
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  const missing = required.flatMap((name) => {
    const [of, resource = of!] = name.split(".");
    const field = of === "limits" ? "limits" : "requests";
    const silent = containers.filter(({ resources }) => resources?.[field]?.[resource] === undefined);
    const unique = [...new Set(silent.map((container) => container.name))].toSorted();
    return unique.length === 0 ? [] : [`${name} for: ${unique.join(",")}`];
  });
  return missing.length === 0 ? undefined : `must specify ${missing.join("; ")}`;
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
