/**
 * Whom to evict so that a pod fits: on each node the fewest pods of lower priority, sparing disruption budgets; then the
 * node where that hurts least. Pure. Upstream: framework/preemption and plugins/defaultpreemption.
 */
import { labelSelectorOf, matchesLabels } from "#api/label-selector.ts";
import type { Attempt } from "./attempt.ts";
import { Reasons } from "./fit-message.ts";
import { budgetRef } from "./kinds.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodInfo } from "./pod-info.ts";
import { type Cluster, fits } from "./plugin.ts";

export interface Preemption {
  node: string;
  victims: readonly PodInfo[];
  /** Pods of lower priority that were promised room on the node and lose that. */
  disappointed: readonly PodInfo[];
}

export type PreemptionOutcome =
  | { kind: "preempted"; preemption: Preemption }
  | { kind: "refused"; message: string; losesNomination: boolean };

interface Candidate {
  node: NodeInfo;
  /** The most important first. */
  victims: PodInfo[];
  budgetViolations: number;
}

const notHelpful = "Preemption is not helpful for scheduling";
/** Candidates that are compared; with more nodes a tenth of them if that is more. */
const candidatesMin = 100;

/** `helpable` are the nodes where fewer pods might help. */
export function preempt(attempt: Attempt, helpable: readonly NodeInfo[]): PreemptionOutcome {
  const { pod, cluster } = attempt;
  const ineligible = whyIneligible(pod, cluster, helpable);
  if (ineligible !== undefined) return { kind: "refused", message: ineligible, losesNomination: false };
  const nodes = cluster.state.nodes.length;
  const enough = Math.max(candidatesMin, Math.trunc(nodes / 10));
  const budgets = budgetsOf(cluster);
  const reasons = new Reasons();
  const candidates: Candidate[] = [];
  for (const node of helpable) {
    if (candidates.length >= enough) break;
    const tried = tryNode(attempt, node, budgets);
    if ("victims" in tried) candidates.push(tried);
    else reasons.add(tried.reasons);
  }
  const chosen = leastHarm(candidates);
  if (chosen !== undefined) return { kind: "preempted", preemption: preemptionOn(chosen, pod, cluster) };
  reasons.add([notHelpful], nodes - helpable.length);
  return { kind: "refused", message: reasons.message(nodes), losesNomination: true };
}

function preemptionOn({ node, victims }: Candidate, pod: PodInfo, { state }: Cluster): Preemption {
  const disappointed = state
    .nominatedOn(node.name)
    .filter(({ uid, priority }) => uid !== pod.uid && priority < pod.priority);
  return { node: node.name, victims, disappointed };
}

/** A pod waits for those it already evicted. */
function whyIneligible(pod: PodInfo, { state }: Cluster, helpable: readonly NodeInfo[]): string | undefined {
  if (pod.spec.preemptionPolicy === "Never") return "not eligible due to preemptionPolicy=Never.";
  const promised = state.node(pod.pod.status?.nominatedNodeName ?? "");
  if (promised === undefined || !helpable.includes(promised)) return undefined;
  for (const other of promised.pods.values())
    if (other.priority < pod.priority && isTerminatingForPreemption(other))
      return "not eligible due to a terminating pod on the nominated node.";
  return undefined;
}

function isTerminatingForPreemption({ isTerminating, pod }: PodInfo): boolean {
  if (!isTerminating) return false;
  return (pod.status?.conditions ?? []).some(
    ({ type, status, reason }) =>
      type === "DisruptionTarget" && status === "True" && reason === "PreemptionByScheduler",
  );
}

interface Budget {
  namespace: string;
  matches(pod: PodInfo): boolean;
  allowed: number;
}

function budgetsOf({ objects }: Cluster): Budget[] {
  return objects.list(budgetRef).flatMap(({ metadata, spec, status }) => {
    const selector = labelSelectorOf(spec?.selector);
    if (selector.nothing === true || selector.requirements.length === 0) return [];
    const disrupted = status?.disruptedPods ?? {};
    return {
      namespace: metadata.namespace ?? "",
      allowed: status?.disruptionsAllowed ?? 0,
      matches: (pod) =>
        pod.namespace === metadata.namespace && !(pod.name in disrupted) && matchesLabels(selector, pod.labels),
    };
  });
}

/** Takes all lower pods away, then gives back as many as there is room for, the most important and protected first. */
function tryNode(
  attempt: Attempt,
  node: NodeInfo,
  budgets: readonly Budget[],
): Candidate | { reasons: readonly string[] } {
  const { pod, cluster } = attempt;
  const { state } = cluster;
  const lower = [...node.pods.values()].filter(({ priority }) => priority < pod.priority).toSorted(byImportance);
  if (lower.length === 0) return { reasons: ["No preemption victims found for incoming pod"] };
  const all = [...node.pods.values()];
  for (const victim of lower) state.removePod(victim.uid);
  try {
    const { verdict } = attempt.preparedAgain().outcomeOn(node);
    if (verdict.kind !== "fits") return { reasons: verdict.reasons };
    const isSpared = (victim: PodInfo): boolean => {
      state.addPod(victim);
      if (attempt.preparedAgain().outcomeOn(node).verdict === fits) return true;
      state.removePod(victim.uid);
      return false;
    };
    const { violating, others } = byBudget(lower, budgets);
    const violated = violating.filter((victim) => !isSpared(victim));
    const victims = [...violated, ...others.filter((victim) => !isSpared(victim))].toSorted(byImportance);
    return { node, victims, budgetViolations: violated.length };
  } finally {
    for (const there of all) state.addPod(there);
  }
}

/** Which victims a budget does not allow, counting down in order of importance. */
function byBudget(
  victims: readonly PodInfo[],
  budgets: readonly Budget[],
): { violating: PodInfo[]; others: PodInfo[] } {
  const left = budgets.map(({ allowed }) => allowed);
  const violating: PodInfo[] = [];
  const others: PodInfo[] = [];
  for (const victim of victims) {
    let isViolated = false;
    for (const [at, budget] of budgets.entries()) {
      if (!budget.matches(victim)) continue;
      left[at] = (left[at] ?? 0) - 1;
      if ((left[at] ?? 0) < 0) isViolated = true;
    }
    (isViolated ? violating : others).push(victim);
  }
  return { violating, others };
}

const startedAt = ({ pod }: PodInfo): number =>
  pod.status?.startTime === undefined ? Infinity : Date.parse(pod.status.startTime);

/** Higher priority first, then who started earlier. */
function byImportance(a: PodInfo, b: PodInfo): number {
  if (a.priority !== b.priority) return b.priority - a.priority;
  const [one, other] = [startedAt(a), startedAt(b)];
  return one === other ? 0 : one - other;
}

const offset = 2 ** 31;

/** Each rule decides among those that the rules before it left equal. */
const harm: readonly ((candidate: Candidate) => number)[] = [
  ({ budgetViolations }) => budgetViolations,
  ({ victims }) => victims[0]?.priority ?? -Infinity,
  ({ victims }) => victims.reduce((sum, { priority }) => sum + priority + offset, 0),
  ({ victims }) => victims.length,
  // The earliest start among the most important: the later that is, the less is lost.
  ({ victims }) => -Math.min(...victims.filter(({ priority }) => priority === victims[0]?.priority).map(startedAt)),
];

function leastHarm(candidates: readonly Candidate[]): Candidate | undefined {
  let left = candidates;
  for (const measure of harm) {
    if (left.length < 2) break;
    const measured = left.map(measure);
    const least = measured.reduce((least, value) => Math.min(least, value), Infinity);
    left = left.filter((_, at) => measured[at] === least);
  }
  return left[0];
}
