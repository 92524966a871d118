/** Says how many of the pods that a budget guards may be disrupted now. Upstream: pkg/controller/disruption. */
import { formatTime } from "#lib/clock.ts";
import { Deployment } from "#api/apps/deployment.ts";
import { ReplicaSet } from "#api/apps/replica-set.ts";
import { Pod } from "#api/core/pod.ts";
import type { V1LabelSelector } from "#api/generated/types.ts";
import { labelSelectorOf, matchesLabels } from "#api/label-selector.ts";
import { expectedPods, scaleRequests } from "./expected-pods.ts";
import { scaledValue } from "./int-or-percent.ts";
import { PodDisruptionBudget, ReplicationController, StatefulSet } from "./kinds.ts";
import { possibleSelectors, requiredLabels, selectorIndex } from "./ownership.ts";
import { isPodReady, timeOf } from "./pod-state.ts";
import {
  defineReconciler,
  event,
  trigger,
  updateStatus,
  wake,
  type Change,
  type InputRequest,
  type Inputs,
  type View,
} from "./reconciler.ts";
import { canonical } from "./template-hash.ts";

/** A pod whose eviction was granted and that is still there after this counts again. */
const disruptedMs = 120_000;

const bySelector = selectorIndex<PodDisruptionBudget>("budget-selector", ({ spec }) => spec?.selector);

export const disruptionReconciler = defineReconciler<PodDisruptionBudget>({
  name: "disruption",
  component: "controllermanager",
  watches: PodDisruptionBudget,
  reads: [ReplicaSet, Deployment, ReplicationController, StatefulSet],
  also: [
    trigger(Pod, (pod, view) =>
      possibleSelectors(view, PodDisruptionBudget, bySelector, pod).map(({ metadata }) => metadata),
    ),
  ],
  inputs: (budget, view, _, given) =>
    asksForPods(budget) ? new Map<string, InputRequest>() : scaleRequests(podsOf(budget, view), view, given),
  reconcile(budget, view, { now, inputs }) {
    if (budget.metadata.deletionTimestamp !== undefined) return [];
    const pods = podsOf(budget, view);
    const none = pods.length === 0 ? [event(budget, "Normal", "NoPods", "No matching pods found")] : [];
    const demand = demandOf(budget, pods, view, inputs);
    if (typeof demand === "string") return [...none, ...notCalculated(budget, demand, now)];
    const { expected, desired, unmanaged } = demand;
    const disrupted = stillDisrupted(budget, pods, now);
    const currentHealthy = pods.filter(
      (pod) => isPodReady(pod) && pod.metadata.deletionTimestamp === undefined && !(pod.metadata.name! in disrupted),
    ).length;
    const disruptionsAllowed = expected <= 0 ? 0 : Math.max(0, currentHealthy - desired);
    const status = {
      observedGeneration: budget.metadata.generation ?? 0,
      ...(Object.keys(disrupted).length === 0 ? {} : { disruptedPods: disrupted }),
      disruptionsAllowed,
      currentHealthy,
      desiredHealthy: desired,
      expectedPods: expected,
      conditions: conditionsOf(budget, disruptionsAllowed > 0, now),
    };
    const ends = Object.values(disrupted).map((time) => timeOf(time) + disruptedMs);
    return [
      ...none,
      ...(unmanaged ? [unmanagedEvent(budget)] : []),
      ...notDeleted(budget, pods, disrupted),
      ...(canonical(status) === canonical(budget.status ?? {})
        ? []
        : [updateStatus(PodDisruptionBudget, { ...budget, status })]),
      ...(ends.length === 0 ? [] : [wake(Math.min(...ends))]),
    ];
  },
});

function podsOf({ metadata, spec }: PodDisruptionBudget, view: View): Pod[] {
  const wanted = labelSelectorOf(spec?.selector);
  return view
    .byLabels(Pod, metadata.namespace ?? "", requiredLabels(spec?.selector ?? {}))
    .filter(({ metadata: { labels } }) => matchesLabels(wanted, labels));
}

/** Pods whose eviction was granted and that have not gone yet. */
function stillDisrupted(budget: PodDisruptionBudget, pods: readonly Pod[], now: number): Record<string, string> {
  const there = new Map(pods.map((pod) => [pod.metadata.name, pod]));
  const granted = Object.entries(budget.status?.disruptedPods ?? {}).filter(([name, time]) => {
    const pod = there.get(name);
    return pod !== undefined && pod.metadata.deletionTimestamp === undefined && timeOf(time) + disruptedMs > now;
  });
  return Object.fromEntries(granted);
}

/** They should have gone by now. */
function notDeleted(budget: PodDisruptionBudget, pods: readonly Pod[], disrupted: Record<string, string>): Change[] {
  const { namespace, name } = budget.metadata;
  const granted = budget.status?.disruptedPods ?? {};
  return pods
    .filter(({ metadata }) => metadata.name! in granted && !(metadata.name! in disrupted))
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map((pod) => {
      const message = `Pod was expected by PDB ${namespace}/${name} to be deleted but it wasn't`;
      return event(pod, "Warning", "NotDeleted", message);
    });
}

/** A number of pods needs no look at who owns them. */
const asksForPods = ({ spec }: PodDisruptionBudget): boolean =>
  spec?.maxUnavailable === undefined && typeof spec?.minAvailable === "number";

function demandOf(budget: PodDisruptionBudget, pods: readonly Pod[], view: View, inputs: Inputs) {
  const { minAvailable = 0, maxUnavailable } = budget.spec ?? {};
  if (asksForPods(budget)) return { expected: pods.length, desired: Number(minAvailable), unmanaged: false };
  const found = expectedPods(pods, view, inputs);
  if (typeof found === "string") return found;
  const { scale: expected, unmanaged } = found;
  if (maxUnavailable !== undefined)
    return { expected, desired: Math.max(0, expected - scaledValue(maxUnavailable, expected, true)), unmanaged };
  return { expected, desired: scaledValue(minAvailable, expected, true), unmanaged };
}

/** While nobody knows, nothing may be disrupted. */
function notCalculated(budget: PodDisruptionBudget, why: string, now: number): Change[] {
  const message = `Failed to calculate the number of expected pods: ${why}`;
  const { currentHealthy = 0, desiredHealthy = 0, expectedPods: expected = 0, ...rest } = budget.status ?? {};
  const seen = rest.observedGeneration === undefined ? {} : { observedGeneration: rest.observedGeneration };
  const failed = { status: "False", reason: "SyncFailed", message: why, ...seen };
  const counts = { currentHealthy, desiredHealthy, expectedPods: expected, disruptionsAllowed: 0 };
  const status = { ...rest, ...counts, conditions: withCondition(budget, failed, now) };
  const told = event(budget, "Warning", "CalculateExpectedPodCountFailed", message);
  return canonical(status) === canonical(budget.status ?? {})
    ? [told]
    : [told, updateStatus(PodDisruptionBudget, { ...budget, status })];
}

type Conditions = NonNullable<NonNullable<PodDisruptionBudget["status"]>["conditions"]>;

function conditionsOf(budget: PodDisruptionBudget, allowed: boolean, now: number): Conditions {
  const status = allowed ? "True" : "False";
  const reason = allowed ? "SufficientPods" : "InsufficientPods";
  const observedGeneration = budget.metadata.generation ?? 0;
  return withCondition(budget, { status, reason, message: "", observedGeneration }, now);
}

type Wished = Pick<Conditions[number], "status" | "reason" | "message" | "observedGeneration">;

function withCondition({ status }: PodDisruptionBudget, wished: Wished, now: number): Conditions {
  const type = "DisruptionAllowed";
  const before = status?.conditions ?? [];
  const current = before.find((condition) => condition.type === type);
  const lastTransitionTime = current?.status === wished.status ? current.lastTransitionTime : formatTime(now);
  return [...before.filter((each) => each.type !== type), { type, ...wished, lastTransitionTime }];
}

function unmanagedEvent(budget: PodDisruptionBudget): Change {
  const message =
    `Pods selected by this PodDisruptionBudget (selector: ${goText(budget.spec?.selector ?? {})}) were found to be ` +
    "unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined " +
    'behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.';
  return event(budget, "Warning", "UnmanagedPods", message);
}

/** A selector as Go prints it. */
function goText({ matchLabels = {}, matchExpressions = [] }: V1LabelSelector): string {
  const labels = Object.keys(matchLabels)
    .sort()
    .map((key) => `${key}: ${matchLabels[key]},`);
  const expressions = matchExpressions.map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(" ")}],},`,
  );
  const parts = `MatchLabels:map[string]string{${labels.join("")}},MatchExpressions:[]LabelSelectorRequirement{${expressions.join("")}},`;
  return `&LabelSelector{${parts}}`;
}
