/** A pod as the scheduler sees it: what every plugin would otherwise work out again for each node. */
import type {
  V1Affinity,
  V1Pod,
  V1PodAffinityTerm,
  V1PodSpec,
  V1WeightedPodAffinityTerm,
} from "#api/generated/types.ts";
import { type LabelSelector, labelSelectorOf, type LabelRequirement, matchesLabels } from "#api/label-selector.ts";
import { cpu, memory, type Amounts, amountOf, podRequests, scoredRequests } from "./resources.ts";

export interface HostPort {
  address: string;
  protocol: string;
  port: number;
}

/** Whom a term of (anti-)affinity speaks of, and over which topology. */
export interface PodTerm {
  namespaces: ReadonlySet<string>;
  namespaceSelector: LabelSelector;
  selector: LabelSelector;
  topologyKey: string;
}

export interface WeightedPodTerm extends PodTerm {
  weight: number;
}

export interface PodInfo {
  readonly pod: V1Pod;
  readonly spec: V1PodSpec;
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly priority: number;
  /** The node that it is on, or is taken to be on while its binding is under way. */
  readonly nodeName: string;
  readonly isTerminating: boolean;
  readonly requests: Amounts;
  readonly scoredMilliCpu: number;
  readonly scoredMemory: number;
  readonly hostPorts: readonly HostPort[];
  readonly affinity: readonly PodTerm[];
  readonly antiAffinity: readonly PodTerm[];
  readonly preferredAffinity: readonly WeightedPodTerm[];
  readonly preferredAntiAffinity: readonly WeightedPodTerm[];
}

const emptySpec: V1PodSpec = { containers: [] };

/** `nodeName` overrides the pod's own: a pod that is assumed to be there. */
export function podInfoOf(pod: V1Pod, nodeName = pod.spec?.nodeName ?? ""): PodInfo {
  const spec = pod.spec ?? emptySpec;
  const usesStatus = nodeName !== "";
  const scored = scoredRequests(pod, { usesStatus });
  return {
    pod,
    spec,
    uid: pod.metadata.uid ?? `${pod.metadata.namespace}/${pod.metadata.name}`,
    name: pod.metadata.name ?? "",
    namespace: pod.metadata.namespace ?? "",
    labels: pod.metadata.labels ?? {},
    priority: spec.priority ?? 0,
    nodeName,
    isTerminating: pod.metadata.deletionTimestamp !== undefined,
    requests: podRequests(pod, { usesStatus }),
    scoredMilliCpu: amountOf(scored, cpu),
    scoredMemory: amountOf(scored, memory),
    hostPorts: hostPortsOf(spec),
    ...affinityTerms(pod, spec.affinity),
  };
}

/** Done for good: takes no room any more. */
export function isFinished({ status }: V1Pod): boolean {
  return status?.phase === "Succeeded" || status?.phase === "Failed";
}

/** The namespace and the labels of `pod` are those that the term speaks of. */
export function termMatches(
  term: PodTerm,
  pod: Pick<PodInfo, "namespace" | "labels">,
  namespaceLabels: (namespace: string) => Readonly<Record<string, string>> | undefined,
): boolean {
  return (
    matchesLabels(term.selector, pod.labels) &&
    (term.namespaces.has(pod.namespace) || matchesLabels(term.namespaceSelector, namespaceLabels(pod.namespace)))
  );
}

function hostPortsOf(spec: V1PodSpec): HostPort[] {
  const staying = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  return [...staying, ...spec.containers].flatMap(({ ports }) =>
    (ports ?? []).flatMap(({ hostPort, hostIP, protocol }) =>
      hostPort === undefined || hostPort <= 0
        ? []
        : [{ address: hostIP || "0.0.0.0", protocol: protocol || "TCP", port: hostPort }],
    ),
  );
}

type AffinityTerms = Pick<PodInfo, "affinity" | "antiAffinity" | "preferredAffinity" | "preferredAntiAffinity">;

const noTerms: AffinityTerms = { affinity: [], antiAffinity: [], preferredAffinity: [], preferredAntiAffinity: [] };

function affinityTerms(pod: V1Pod, affinity: V1Affinity | undefined): AffinityTerms {
  const near = affinity?.podAffinity;
  const far = affinity?.podAntiAffinity;
  if (near === undefined && far === undefined) return noTerms;
  const required = (terms: readonly V1PodAffinityTerm[] | undefined) => (terms ?? []).map((term) => termOf(pod, term));
  const preferred = (terms: readonly V1WeightedPodAffinityTerm[] | undefined) =>
    (terms ?? []).map(({ podAffinityTerm, weight }) => ({ ...termOf(pod, podAffinityTerm), weight }));
  return {
    affinity: required(near?.requiredDuringSchedulingIgnoredDuringExecution),
    antiAffinity: required(far?.requiredDuringSchedulingIgnoredDuringExecution),
    preferredAffinity: preferred(near?.preferredDuringSchedulingIgnoredDuringExecution),
    preferredAntiAffinity: preferred(far?.preferredDuringSchedulingIgnoredDuringExecution),
  };
}

function termOf(pod: V1Pod, term: V1PodAffinityTerm): PodTerm {
  const { namespaces = [], namespaceSelector, labelSelector, topologyKey, matchLabelKeys, mismatchLabelKeys } = term;
  const isOwnNamespace = namespaces.length === 0 && namespaceSelector === undefined;
  return {
    namespaces: new Set(isOwnNamespace ? [pod.metadata.namespace ?? ""] : namespaces),
    namespaceSelector: labelSelectorOf(namespaceSelector),
    selector: narrowed(labelSelectorOf(labelSelector), [
      ...ownLabels(pod, matchLabelKeys, "in"),
      ...ownLabels(pod, mismatchLabelKeys, "notin"),
    ]),
    topologyKey,
  };
}

/** The pod's own values of some labels, as requirements. */
export function ownLabels(
  pod: V1Pod,
  keys: readonly string[] | undefined,
  operator: "in" | "notin",
): LabelRequirement[] {
  const labels = pod.metadata.labels ?? {};
  return (keys ?? []).flatMap((key) => (key in labels ? [{ key, operator, values: [labels[key] ?? ""] }] : []));
}

export function narrowed(selector: LabelSelector, more: readonly LabelRequirement[]): LabelSelector {
  if (selector.nothing === true || more.length === 0) return selector;
  return { requirements: [...selector.requirements, ...more] };
}
