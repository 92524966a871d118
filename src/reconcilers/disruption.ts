/** Says how many of the pods that a budget guards may be disrupted now. Upstream: pkg/controller/disruption. */
import { formatTime } from "#lib/clock.ts";
import { Deployment } from "#api/apps/deployment.ts";
import { ReplicaSet } from "#api/apps/replica-set.ts";
import { Pod } from "#api/core/pod.ts";
import type { V1LabelSelector } from "#api/generated/types.ts";
import { labelSelectorOf, matchesLabels } from "#api/label-selector.ts";
import { controllerOf } from "#client/view.ts";
import { scaledValue } from "./int-or-percent.ts";
import { PodDisruptionBudget, ReplicationController, StatefulSet } from "./kinds.ts";
import { possibleSelectors, requiredLabels, selectorIndex } from "./ownership.ts";
import { isPodReady, timeOf } from "./pod-state.ts";
import { defineReconciler, trigger, updateStatus, wake, type Change, type View } from "./reconciler.ts";
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
  reconcile(budget, view, { now }) {
    if (budget.metadata.deletionTimestamp !== undefined) return [];
    const { selector = {} } = budget.spec ?? {};
    const wanted = labelSelectorOf(budget.spec?.selector);
    const pods = view
      .byLabels(Pod, budget.metadata.namespace ?? "", requiredLabels(selector))
      .filter(({ metadata }) => matchesLabels(wanted, metadata.labels));
    const disrupted = stillDisrupted(budget, pods, now);
    const { expected, desired, unmanaged } = demandOf(budget, pods, view);
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
      ...(unmanaged ? [unmanagedEvent(budget)] : []),
      ...(canonical(status) === canonical(budget.status ?? {})
        ? []
        : [updateStatus(PodDisruptionBudget, { ...budget, status })]),
      ...(ends.length === 0 ? [] : [wake(Math.min(...ends))]),
    ];
  },
});

/** Pods whose eviction was granted and that have not gone yet. */
function stillDisrupted(budget: PodDisruptionBudget, pods: readonly Pod[], now: number): Record<string, string> {
  const there = new Map(pods.map((pod) => [pod.metadata.name, pod]));
  const granted = Object.entries(budget.status?.disruptedPods ?? {}).filter(([name, time]) => {
    const pod = there.get(name);
    return pod !== undefined && pod.metadata.deletionTimestamp === undefined && timeOf(time) + disruptedMs > now;
  });
  return Object.fromEntries(granted);
}

function demandOf({ spec }: PodDisruptionBudget, pods: readonly Pod[], view: View) {
  const { minAvailable, maxUnavailable } = spec ?? {};
  if (maxUnavailable === undefined && typeof minAvailable === "number")
    return { expected: pods.length, desired: minAvailable, unmanaged: false };
  const { scale: expected, unmanaged } = scaleOf(pods, view);
  if (maxUnavailable !== undefined)
    return { expected, desired: Math.max(0, expected - scaledValue(maxUnavailable, expected, true)), unmanaged };
  return { expected, desired: scaledValue(minAvailable ?? 0, expected, true), unmanaged };
}

/** How many pods the controllers of these pods wish to have. */
function scaleOf(pods: readonly Pod[], view: View): { scale: number; unmanaged: boolean } {
  const sizes = new Map<string, number>();
  let unmanaged = false;
  for (const pod of pods) {
    const owner = controllerOf(pod);
    if (owner === undefined) unmanaged = true;
    else if (!sizes.has(owner.uid)) {
      const found = controllerSize(owner.kind, owner.uid, view);
      if (found !== undefined) sizes.set(found.uid, found.size);
    }
  }
  return { scale: [...sizes.values()].reduce((sum, size) => sum + size, 0), unmanaged };
}

function controllerSize(kind: string, uid: string, view: View): { uid: string; size: number } | undefined {
  const ref = { ReplicaSet, ReplicationController, StatefulSet, Deployment }[kind];
  const found = ref === undefined ? undefined : view.byUid<ReplicaSet>(ref as typeof ReplicaSet, uid);
  if (found === undefined) return undefined;
  const above = kind === "ReplicaSet" ? controllerOf(found) : undefined;
  if (above?.kind === "Deployment") return controllerSize("Deployment", above.uid, view);
  return { uid, size: found.spec?.replicas ?? 1 };
}

type Conditions = NonNullable<NonNullable<PodDisruptionBudget["status"]>["conditions"]>;

function conditionsOf({ metadata, status }: PodDisruptionBudget, allowed: boolean, now: number): Conditions {
  const type = "DisruptionAllowed";
  const before = status?.conditions ?? [];
  const current = before.find((condition) => condition.type === type);
  const wished = allowed ? "True" : "False";
  const condition = {
    type,
    status: wished,
    observedGeneration: metadata.generation ?? 0,
    lastTransitionTime: current?.status === wished ? current.lastTransitionTime : formatTime(now),
    reason: allowed ? "SufficientPods" : "InsufficientPods",
    message: "",
  };
  return [...before.filter((each) => each.type !== type), condition];
}

function unmanagedEvent(budget: PodDisruptionBudget): Change {
  const message =
    `Pods selected by this PodDisruptionBudget (selector: ${goText(budget.spec?.selector ?? {})}) were found to be ` +
    "unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined " +
    'behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.';
  return { type: "event", event: { about: budget, type: "Warning", reason: "UnmanagedPods", message } };
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
