/**
 * Ends reservations of pods that are done, gives back what nobody has reserved, and deletes claims that outlived the pod
 * they were made for. Upstream: pkg/controller/resourceclaim.
 */
import { Pod } from "#api/core/pod.ts";
import { ResourceClaim } from "#api/devices/resource-claim.ts";
import type { V1ResourceClaimConsumerReference } from "#api/generated/types.ts";
import { controllerOf } from "#client/view.ts";
import {
  defineReconciler,
  patch,
  remove,
  trigger,
  updateStatus,
  type Change,
  type InputRequest,
  type Inputs,
  type View,
} from "#reconcilers/reconciler.ts";
import { claimFinalizer, claimNameOf, isPodDone } from "./pod-claims.ts";

export const claimReleaseReconciler = defineReconciler<ResourceClaim>({
  name: "resourceclaim-release",
  watches: ResourceClaim,
  also: [
    trigger(Pod, (pod, view, other) => {
      if (other !== undefined && isPodDone(pod) === isPodDone(other)) return [];
      const { namespace } = pod.metadata;
      const named = (pod.spec?.resourceClaims ?? []).map((each) => ({ namespace, name: claimNameOf(pod, each) }));
      const owned = view.ownedBy(pod, ResourceClaim).map(({ metadata }) => metadata);
      return [...named.filter(({ name }) => (name ?? "") !== ""), ...owned];
    }),
  ],
  inputs(claim, view) {
    const requests = new Map<string, InputRequest>();
    const { namespace } = claim.metadata;
    for (const { name } of podsOf(claim))
      if (view.get(Pod, { namespace, name }) === undefined)
        requests.set(name, { type: "get", ref: Pod, key: { namespace, name } });
    return requests;
  },
  reconcile(claim, view, { inputs }): Change[] {
    const reservedFor = claim.status?.reservedFor ?? [];
    const valid = reservedFor.filter((each) => !isPodReference(each) || isNeeded(claim, each, view, inputs));
    return [...released(claim, valid), ...outlived(claim, view, inputs)];
  },
});

const isPodReference = ({ apiGroup, resource }: V1ResourceClaimConsumerReference): boolean =>
  (apiGroup ?? "") === "" && resource === "pods";

function podsOf(claim: ResourceClaim): { name: string; uid: string }[] {
  const owner = controllerOf(claim);
  const reserving = (claim.status?.reservedFor ?? []).filter(isPodReference);
  return owner?.kind === "Pod" && owner.apiVersion === "v1" ? [...reserving, owner] : reserving;
}

/** A pod that the view does not show may be new: only a fresh answer says that it is gone. */
function isNeeded(
  { metadata: { namespace } }: ResourceClaim,
  { name, uid }: { name: string; uid: string },
  view: View,
  inputs: Inputs,
): boolean {
  const answer = inputs.get(name);
  const seen = view.get(Pod, { namespace, name });
  if (seen === undefined && answer?.ok !== true) return true;
  const pod = seen ?? (answer?.ok === true ? (answer.value as Pod | undefined) : undefined);
  return pod !== undefined && pod.metadata.uid === uid && !isPodDone(pod);
}

function released(claim: ResourceClaim, valid: V1ResourceClaimConsumerReference[]): Change[] {
  const { status = {}, metadata } = claim;
  const before = status.reservedFor ?? [];
  const isLeaving = metadata.deletionTimestamp !== undefined;
  const hasFinalizer = metadata.finalizers?.includes(claimFinalizer) === true;
  const isFree = valid.length === 0 && (before.length > 0 || isLeaving);
  const isDeallocated = isFree && hasFinalizer && status.allocation !== undefined;
  const changes: Change[] = [];
  if (isDeallocated) {
    const { allocation: _, devices: __, reservedFor: ___, ...rest } = status;
    changes.push(updateStatus(ResourceClaim, { ...claim, status: rest }));
  } else if (valid.length < before.length) {
    const { reservedFor: _, ...rest } = status;
    const next = valid.length === 0 ? rest : { ...rest, reservedFor: valid };
    changes.push(updateStatus(ResourceClaim, { ...claim, status: next }));
  }
  // The scheduler adds the finalizer before it allocates: only a claim that leaves may lose it unallocated.
  if (hasFinalizer && (isDeallocated || (isLeaving && valid.length === 0))) changes.push(withoutFinalizer(claim));
  return changes;
}

function withoutFinalizer({ metadata }: ResourceClaim): Change {
  const finalizers = (metadata.finalizers ?? []).filter((each) => each !== claimFinalizer);
  const body = { metadata: { uid: metadata.uid, finalizers: finalizers.length === 0 ? null : finalizers } };
  return patch(ResourceClaim, { metadata }, "merge", body);
}

function outlived(claim: ResourceClaim, view: View, inputs: Inputs): Change[] {
  const owner = controllerOf(claim);
  if (owner?.kind !== "Pod" || owner.apiVersion !== "v1" || claim.metadata.deletionTimestamp !== undefined) return [];
  return isNeeded(claim, owner, view, inputs) ? [] : [remove(ResourceClaim, claim)];
}
