/**
 * What an object takes from a resource quota; the same for admission and for the controller that counts again. Upstream:
 * pkg/quota/v1/evaluator/core.
 */
import type {
  ResourceV1ResourceClaim,
  V1Container,
  V1ContainerStatus,
  V1PersistentVolumeClaim,
  V1Pod,
  V1PodSpec,
  V1ResourceQuota,
  V1Service,
} from "#api/generated/types.ts";
import type { KubernetesObject } from "#api/object.ts";
import {
  addQuantities,
  compareQuantities,
  type Quantity,
  roundUpQuantity,
  subtractQuantities,
  toQuantity,
} from "#api/quantity.ts";
import { podLimits, podRequests, qosClassOf } from "./pod-resources.ts";

export type Usage = Record<string, Quantity>;

const one = toQuantity(1);
const deviceClassSuffix = ".deviceclass.resource.k8s.io/devices";
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
  if (group === "resource.k8s.io" && plural === "resourceclaims")
    return { ...counted, ...deviceUsage(object as ResourceV1ResourceClaim) };
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

function podUsage(pod: V1Pod): Usage {
  const { spec } = pod;
  const usage: Usage = { pods: one };
  const [asked, allowed] = [heldBy(pod, "requests"), heldBy(pod, "limits")];
  const requests = wholePod(podRequests(asked), spec?.resources?.requests);
  for (const [name, amount] of Object.entries(addUsage(requests, wholePod({}, spec?.overhead)))) {
    usage[`requests.${name}`] = amount;
    if (shortRequests.has(name) || name.startsWith("hugepages-")) usage[name] = amount;
  }
  for (const [name, amount] of Object.entries(wholePod(podLimits(allowed), spec?.resources?.limits)))
    if (shortRequests.has(name)) usage[`limits.${name}`] = addQuantities(amount, spec?.overhead?.[name] ?? 0);
  return usage;
}

/**
 * A pod's containers with what counts of each while it is resized: the most of what is wished and what it has, or what it
 * has alone if the node cannot give more. Upstream: determineContainerReqs, determineContainerLimits.
 */
function heldBy({ spec, status }: V1Pod, of: "requests" | "limits"): Pick<V1PodSpec, "containers" | "initContainers"> {
  const isInfeasible = (status?.conditions ?? []).some(
    ({ type, reason }) => type === "PodResizePending" && reason === "Infeasible",
  );
  const held = (containers: readonly V1Container[] = [], statuses: readonly V1ContainerStatus[] = []) =>
    containers.map((container) => {
      const { resources, allocatedResources } = statuses.find(({ name }) => name === container.name) ?? {};
      if (resources === undefined && allocatedResources === undefined) return container;
      const actual = [resources?.[of] ?? {}, of === "requests" ? (allocatedResources ?? {}) : {}];
      const amounts = isInfeasible ? actual : [container.resources?.[of] ?? {}, ...actual];
      return { ...container, resources: { ...container.resources, [of]: mostOf(amounts) } };
    });
  return {
    containers: held(spec?.containers, status?.containerStatuses),
    initContainers: held(spec?.initContainers, status?.initContainerStatuses),
  };
}

function mostOf(lists: readonly Record<string, string>[]): Record<string, string> {
  const most: Record<string, string> = {};
  for (const list of lists)
    for (const [name, amount] of Object.entries(list))
      if (!Object.hasOwn(most, name) || compareQuantities(amount, most[name]!) > 0) most[name] = amount;
  return most;
}

/** What is said of the pod as a whole counts instead of what its containers say. */
function wholePod(sum: Usage, own: Record<string, string> = {}): Usage {
  return { ...sum, ...Object.fromEntries(Object.entries(own).map(([name, amount]) => [name, toQuantity(amount)])) };
}

const classAnnotation = "volume.beta.kubernetes.io/storage-class";

function claimUsage({ metadata, spec, status }: V1PersistentVolumeClaim): Usage {
  const wanted = toQuantity(spec?.resources?.requests?.["storage"] ?? 0);
  // What was allocated by an expansion that then failed counts until it is given up.
  const allocated = toQuantity(status?.allocatedResources?.["storage"] ?? 0);
  // In whole bytes, as quotas have them.
  const storage = roundUpQuantity(compareQuantities(allocated, wanted) > 0 ? allocated : wanted, 0);
  const className = metadata?.annotations?.[classAnnotation] ?? spec?.storageClassName ?? "";
  const byClass =
    className === ""
      ? {}
      : {
          [`${className}${storageClassSuffix}requests.storage`]: storage,
          [`${className}${storageClassSuffix}persistentvolumeclaims`]: one,
        };
  return { "requests.storage": storage, ...byClass };
}

/** "All devices" counts as many as a claim may hold. */
const devicesMax = 32;

/** Devices by class; of alternatives the most that one of a class may take. */
function deviceUsage({ spec }: ResourceV1ResourceClaim): Usage {
  let usage: Usage = {};
  for (const { exactly, firstAvailable } of spec?.devices?.requests ?? []) {
    const most: Usage = {};
    for (const { deviceClassName, allocationMode, count } of [exactly ?? [], firstAvailable ?? []].flat()) {
      const name = `${deviceClassName}${deviceClassSuffix}`;
      const amount = toQuantity(allocationMode === "All" ? devicesMax : (count ?? 1));
      if (most[name] === undefined || compareQuantities(amount, most[name]) > 0) most[name] = amount;
    }
    usage = addUsage(usage, most);
  }
  return usage;
}

function serviceUsage({ spec }: V1Service): Usage {
  return {
    "services.loadbalancers": toQuantity(spec?.type === "LoadBalancer" ? 1 : 0),
    "services.nodeports": toQuantity(nodePortsOf(spec)),
  };
}

/** A load balancer that is to have none may still name some. */
function nodePortsOf(spec: V1Service["spec"]): number {
  const ports = spec?.ports ?? [];
  if (spec?.type === "NodePort") return ports.length;
  if (spec?.type !== "LoadBalancer") return 0;
  if (spec.allocateLoadBalancerNodePorts !== false) return ports.length;
  return ports.filter(({ nodePort = 0 }) => nodePort !== 0).length;
}

const ownAmount = (usage: Usage, name: string) => (Object.hasOwn(usage, name) ? usage[name]! : 0);

export function addUsage(a: Usage, b: Usage): Usage {
  const sum = { ...a };
  for (const [name, amount] of Object.entries(b)) sum[name] = addQuantities(ownAmount(sum, name), amount);
  return sum;
}

/** What `a` counts more than `b`; nothing is less than nothing. */
export function subtractUsage(a: Usage, b: Usage): Usage {
  const rest: Usage = {};
  for (const [name, amount] of Object.entries(a)) {
    const left = subtractQuantities(amount, ownAmount(b, name));
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
  if (group === "resource.k8s.io" && plural === "resourceclaims") return name.endsWith(deviceClassSuffix);
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

/** Whether the quota's scopes take in this object. A quota with scopes counts pods, or claims by their attributes. */
export function isInScope({ spec }: V1ResourceQuota, group: string, plural: string, object: KubernetesObject): boolean {
  const scopes = [
    ...(spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: "Exists", values: [] as string[] })),
    ...(spec?.scopeSelector?.matchExpressions ?? []),
  ];
  if (scopes.length === 0) return true;
  if (group === "" && plural === "persistentvolumeclaims")
    return scopes.every(
      ({ scopeName, operator, values = [] }) =>
        scopeName === "VolumeAttributesClass" &&
        matchesNames(attributesClasses(object as V1PersistentVolumeClaim), operator, values),
    );
  if (group !== "" || plural !== "pods") return false;
  return scopes.every(({ scopeName, operator, values = [] }) =>
    matchesScope(object as V1Pod, scopeName, operator, values),
  );
}

/** What quotas call "terminating". */
export const hasDeadline = (spec: V1Pod["spec"]): boolean => (spec?.activeDeadlineSeconds ?? -1) >= 0;

function matchesScope({ spec }: V1Pod, scope: string, operator: string, values: readonly string[]): boolean {
  const terminating = hasDeadline(spec);
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
      return matchesNames(name === "" ? [] : [name], operator, values);
    default:
      return false;
  }
}

function matchesNames(names: readonly string[], operator: string, values: readonly string[]): boolean {
  if (operator === "In") return names.some((name) => values.includes(name));
  if (operator === "NotIn") return !names.some((name) => values.includes(name));
  return names.length > 0 === (operator === "Exists");
}

/** The classes that a claim has, is given, or asks for. */
const attributesClasses = ({ spec, status }: V1PersistentVolumeClaim): string[] =>
  [
    spec?.volumeAttributesClassName ?? "",
    status?.currentVolumeAttributesClassName ?? "",
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName ?? "",
  ].filter((name) => name !== "");

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
