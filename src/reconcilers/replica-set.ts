/** Keeps `spec.replicas` pods alive. Upstream: pkg/controller/replicaset/replica_set.go. */
import { formatTime } from "#lib/clock.ts";
import { ReplicaSet } from "#api/apps/replica-set.ts";
import { Pod } from "#api/core/pod.ts";
import type { V1PodTemplateSpec, V1ReplicaSetCondition } from "#api/generated/types.ts";
import { labelSelectorOf } from "#api/label-selector.ts";
import type { KubernetesObject } from "#api/object.ts";
import { controllerOf } from "#client/view.ts";
import { adoptionInputs, candidatesOf, claim, possibleAdopters, requiredLabels, selectorIndex } from "./ownership.ts";
import { byDeletionOrder } from "./pod-ranking.ts";
import {
  isPodActive,
  isPodAvailable,
  isPodReady,
  isPodTerminal,
  isPodTerminating,
  nextAvailableAt,
} from "./pod-state.ts";
import { createPod, deletePod, isNamespaceTerminating, podFromTemplate } from "./pod-template.ts";
import {
  defineReconciler,
  trigger,
  updateStatus,
  wake,
  type AnyRef,
  type Change,
  type Moment,
  type View,
} from "./reconciler.ts";
import { canonical } from "./template-hash.ts";

/** Pods that one plan creates or deletes; the rest comes with the next. */
export const burstMax = 500;

const bySelector = selectorIndex<ReplicaSet>("replicaset-selector", ({ spec }) => spec?.selector);

export const replicaSetReconciler = defineReconciler<ReplicaSet>({
  name: "replicaset",
  watches: ReplicaSet,
  owns: [Pod],
  also: [trigger(Pod, possibleAdopters(ReplicaSet, bySelector))],
  inputs: (replicaSet, view) => adoptionInputs(claiming(replicaSet, view)),
  reconcile(replicaSet, view, moment) {
    const { claimed, changes } = claim({ ...claiming(replicaSet, view), inputs: moment.inputs });
    const pods = claimed.filter(isPodActive);
    const wished = replicaSet.spec?.replicas ?? 1;
    const scaling = scalePods({
      owner: replicaSet,
      ownerRef: ReplicaSet,
      template: replicaSet.spec?.template,
      wished,
      pods,
      related: () => relatedPods(replicaSet, view, pods),
      now: moment.now,
    });
    const status = statusOf(replicaSet, pods, claimed.filter(isPodTerminating).length, moment);
    const waking = nextAvailableAt(pods, replicaSet.spec?.minReadySeconds ?? 0, moment.now);
    return [...changes, ...scaling, ...status, ...(waking === undefined ? [] : [wake(waking)])];
  },
});

function claiming(replicaSet: ReplicaSet, view: View) {
  const labels = requiredLabels(replicaSet.spec?.selector ?? {});
  return {
    owner: replicaSet,
    ownerRef: ReplicaSet,
    ref: Pod,
    selector: labelSelectorOf(replicaSet.spec?.selector),
    candidates: candidatesOf<Pod>(view, replicaSet, Pod, labels).filter((pod) => !isPodTerminal(pod)),
  };
}

/** Pods of all replica sets of the same deployment. */
function relatedPods(replicaSet: ReplicaSet, view: View, pods: readonly Pod[]): readonly Pod[] {
  const owner = controllerOf(replicaSet);
  if (owner === undefined) return pods;
  const siblings = view.ownedBy({ metadata: { uid: owner.uid } }, ReplicaSet);
  return siblings.flatMap((sibling) => view.ownedBy(sibling, Pod)).filter(isPodActive);
}

export interface Scaling {
  owner: KubernetesObject;
  ownerRef: AnyRef;
  template: V1PodTemplateSpec | undefined;
  wished: number;
  pods: readonly Pod[];
  related(): readonly Pod[];
  now: number;
}

/** Creates what is missing or deletes what is too much; never both. */
export function scalePods({ owner, ownerRef, template, wished, pods, related, now }: Scaling): Change[] {
  if (owner.metadata.deletionTimestamp !== undefined) return [];
  const missing = Math.min(wished - pods.length, burstMax);
  if (missing > 0) {
    const pod = podFromTemplate(template ?? {}, owner, ownerRef);
    return Array.from({ length: missing }, () => createPod(pod, owner));
  }
  const surplus = Math.min(pods.length - wished, burstMax);
  if (surplus <= 0) return [];
  const going = surplus < pods.length ? byDeletionOrder(pods, related(), now).slice(0, surplus) : pods;
  return going.map((pod) => deletePod(pod, owner));
}

function statusOf(replicaSet: ReplicaSet, pods: readonly Pod[], terminatingReplicas: number, moment: Moment): Change[] {
  const { minReadySeconds = 0, template } = replicaSet.spec ?? {};
  const counts = podCounts(pods, template?.metadata?.labels, minReadySeconds, moment.now);
  const wished = replicaSet.spec?.replicas ?? 1;
  const conditions = failureConditions(replicaSet.status?.conditions ?? [], pods.length - wished, moment);
  const status = {
    ...counts,
    terminatingReplicas,
    observedGeneration: replicaSet.metadata.generation ?? 0,
    ...(conditions.length === 0 ? {} : { conditions }),
  };
  if (canonical(status) === canonical(replicaSet.status ?? {})) return [];
  return [updateStatus(ReplicaSet, { ...replicaSet, status })];
}

/** How many pods there are, and of them how many are fully labelled, ready and available; zeros are left out. */
export function podCounts(
  pods: readonly Pod[],
  labels: Readonly<Record<string, string>> | undefined,
  minReadySeconds: number,
  now: number,
) {
  const wanted = Object.entries(labels ?? {});
  const isFullyLabelled = ({ metadata }: Pod): boolean =>
    wanted.every(([key, value]) => metadata.labels?.[key] === value);
  const fullyLabeledReplicas = pods.filter(isFullyLabelled).length;
  const readyReplicas = pods.filter(isPodReady).length;
  const availableReplicas = pods.filter((pod) => isPodAvailable(pod, minReadySeconds, now)).length;
  return {
    replicas: pods.length,
    ...(fullyLabeledReplicas === 0 ? {} : { fullyLabeledReplicas }),
    ...(readyReplicas === 0 ? {} : { readyReplicas }),
    ...(availableReplicas === 0 ? {} : { availableReplicas }),
  };
}

/** The condition ReplicaFailure stands as long as plans fail. `surplus` is negative if pods are missing. */
export function failureConditions(
  conditions: readonly V1ReplicaSetCondition[],
  surplus: number,
  { failure, now }: Moment,
): V1ReplicaSetCondition[] {
  const others = conditions.filter(({ type }) => type !== "ReplicaFailure");
  const current = conditions.find(({ type }) => type === "ReplicaFailure");
  if (failure === undefined || surplus === 0 || isNamespaceTerminating(failure)) return others;
  if (current !== undefined) return [...conditions];
  const reason = surplus < 0 ? "FailedCreate" : "FailedDelete";
  const since = formatTime(now);
  const { message } = failure;
  return [...others, { type: "ReplicaFailure", status: "True", lastTransitionTime: since, reason, message }];
}
