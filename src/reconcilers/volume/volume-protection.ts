/** Claims and volumes stay as long as they are used. Upstream: pkg/controller/volume/pvcprotection, pvprotection. */
import { Pod } from "#api/core/pod.ts";
import type { KubernetesObject } from "#api/object.ts";
import { defineIndex } from "#client/object-set.ts";
import { controllerOf } from "#client/view.ts";
import { PersistentVolume, PersistentVolumeClaim } from "#reconcilers/kinds.ts";
import { isPodTerminal } from "#reconcilers/pod-state.ts";
import {
  defineReconciler,
  patch,
  trigger,
  type AnyRef,
  type Change,
  type InputRequest,
} from "#reconcilers/reconciler.ts";

const claimFinalizer = "kubernetes.io/pvc-protection";
const volumeFinalizer = "kubernetes.io/pv-protection";

export const podsByClaim = defineIndex<Pod>("pod-claim", (pod) =>
  claimsOf(pod).map((name) => `${pod.metadata.namespace}/${name}`),
);

/** Claims that a pod names, and those that are made for it. */
export function claimsOf({ metadata, spec }: Pod): string[] {
  return (spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim !== undefined) return [persistentVolumeClaim.claimName];
    return ephemeral === undefined ? [] : [`${metadata.name}-${name}`];
  });
}

export const claimProtectionReconciler = defineReconciler<PersistentVolumeClaim>({
  name: "pvc-protection",
  watches: PersistentVolumeClaim,
  also: [
    trigger(Pod, (pod, view, other) =>
      other !== undefined && isPodTerminal(pod) === isPodTerminal(other) && isShutDown(pod) === isShutDown(other)
        ? []
        : claimsOf(pod).map((name) => ({ namespace: pod.metadata.namespace, name })),
    ),
  ],
  inputs(claim, view) {
    const requests = new Map<string, InputRequest>();
    const { namespace, name } = claim.metadata;
    const unused =
      isGoing(claim) &&
      has(claim, claimFinalizer) &&
      !isUsed(claim, view.byIndex(Pod, podsByClaim, `${namespace}/${name}`));
    // The view may be behind: a pod that was just bound must not lose its claim.
    if (unused) requests.set("pods", { type: "call", path: `/api/v1/namespaces/${namespace}/pods` });
    return requests;
  },
  reconcile(claim, view, { inputs }) {
    if (!isGoing(claim))
      return has(claim, claimFinalizer) ? [] : [finalizers(PersistentVolumeClaim, claim, claimFinalizer, true)];
    const answer = inputs.get("pods");
    if (!has(claim, claimFinalizer) || answer === undefined || !answer.ok) return [];
    const { namespace, name } = claim.metadata;
    const pods = (answer.value as { items?: Pod[] | null }).items ?? [];
    const used = isUsed(claim, [...pods, ...view.byIndex(Pod, podsByClaim, `${namespace}/${name}`)]);
    return used ? [] : [finalizers(PersistentVolumeClaim, claim, claimFinalizer, false)];
  },
});

/**
 * A pod uses the claims that it names from the moment it has a node until it is gone from there, finished or not; those
 * that were made for it no longer than it runs.
 */
function isUsed(claim: PersistentVolumeClaim, pods: readonly Pod[]): boolean {
  return pods.some((pod) => {
    const { nodeName, volumes = [] } = pod.spec ?? {};
    if ((nodeName ?? "") === "") return false;
    if (volumes.some(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName === claim.metadata.name))
      return true;
    const isOwn = controllerOf(claim)?.uid === pod.metadata.uid;
    return isOwn && !isShutDown(pod) && claimsOf(pod).includes(claim.metadata.name ?? "");
  });
}

/** Nothing of the pod runs any more; only finalizers hold it. */
const isShutDown = ({ metadata: { deletionTimestamp, deletionGracePeriodSeconds } }: Pod): boolean =>
  deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0;

export const volumeProtectionReconciler = defineReconciler<PersistentVolume>({
  name: "pv-protection",
  watches: PersistentVolume,
  reconcile(volume) {
    const protectedNow = has(volume, volumeFinalizer);
    if (!isGoing(volume)) return protectedNow ? [] : [finalizers(PersistentVolume, volume, volumeFinalizer, true)];
    const bound = volume.status?.phase === "Bound";
    return protectedNow && !bound ? [finalizers(PersistentVolume, volume, volumeFinalizer, false)] : [];
  },
});

const isGoing = ({ metadata }: KubernetesObject): boolean => metadata.deletionTimestamp !== undefined;
const has = ({ metadata }: KubernetesObject, finalizer: string): boolean =>
  metadata.finalizers?.includes(finalizer) === true;

function finalizers(ref: AnyRef, object: KubernetesObject, finalizer: string, wanted: boolean): Change {
  const others = (object.metadata.finalizers ?? []).filter((each) => each !== finalizer);
  const next = wanted ? [...others, finalizer] : others;
  const { resourceVersion } = object.metadata;
  return patch(ref, object, "merge", { metadata: { resourceVersion, finalizers: next.length === 0 ? null : next } });
}
