/** Who owns the claims of a stateful set, and so when they go. Upstream: stateful_set_utils.go (claimOwnerMatchesSetAndPod). */
import { Pod } from "#api/core/pod.ts";
import { apiVersionOf, type KubernetesObject, type OwnerReference } from "#api/object.ts";
import { PersistentVolumeClaim, StatefulSet } from "#reconcilers/kinds.ts";
import { controllerReference } from "#reconcilers/ownership.ts";
import { patch, type AnyRef, type Change, type View } from "#reconcilers/reconciler.ts";
import { canonical } from "#reconcilers/template-hash.ts";
import { claimsOf, podName } from "./stateful-pod.ts";

/** Claims of a pod whose owners do not say what the set's retention policy says; a condemned pod is beyond the wished ones. */
export function claimOwnerChanges(
  set: StatefulSet,
  view: View,
  ordinal: number,
  pod: Pod,
  condemned: boolean,
): Change[] {
  const { whenDeleted = "Retain", whenScaled = "Retain" } = set.spec?.persistentVolumeClaimRetentionPolicy ?? {};
  return claimsOf(set, ordinal).flatMap(({ metadata }) => {
    const claim = view.get(PersistentVolumeClaim, metadata);
    if (claim === undefined || claim.metadata.deletionTimestamp !== undefined) return [];
    const wished: OwnerReference[] = [];
    if (condemned && whenScaled === "Delete") wished.push(controllerReference(pod, Pod));
    else if (whenDeleted === "Delete") wished.push(controllerReference(set, StatefulSet));
    return ownedBy(claim, set, pod, wished);
  });
}

function ownedBy(
  claim: PersistentVolumeClaim,
  set: StatefulSet,
  pod: Pod,
  wished: readonly OwnerReference[],
): Change[] {
  const { ownerReferences = [], resourceVersion } = claim.metadata;
  const named = (ref: AnyRef, { metadata }: KubernetesObject, owner: OwnerReference): boolean =>
    owner.apiVersion === apiVersionOf(ref) && owner.kind === ref.kind && owner.name === metadata.name;
  const isOurs = (owner: OwnerReference): boolean => named(StatefulSet, set, owner) || named(Pod, pod, owner);
  const ours = ownerReferences.filter(isOurs);
  // A claim that an earlier set or pod of the name has left behind is the garbage collector's.
  if (ours.some(({ uid }) => uid !== set.metadata.uid && uid !== pod.metadata.uid)) return [];
  const others = ownerReferences.filter((owner) => !isOurs(owner));
  // A claim that somebody else controls is left to them.
  const next = others.some(({ controller }) => controller === true) ? [] : wished;
  if (canonical(next) === canonical(ours)) return [];
  const all = [...others, ...next];
  const metadata = { resourceVersion, ownerReferences: all.length === 0 ? null : all };
  return [patch(PersistentVolumeClaim, claim, "merge", { metadata })];
}

/** Claims of a pod that is to be made that are on their way out: the pod waits until they are gone. */
export function leavingClaims(set: StatefulSet, ordinal: number, view: View): string[] {
  return existingClaims(set, ordinal, view)
    .filter(({ metadata }) => metadata.deletionTimestamp !== undefined)
    .map(({ metadata }) => metadata.name ?? "");
}

/** A claim that goes with an earlier pod of the name is of no use to the next one. */
export function hasStaleClaim(set: StatefulSet, ordinal: number, view: View): boolean {
  const { whenScaled = "Retain" } = set.spec?.persistentVolumeClaimRetentionPolicy ?? {};
  if (whenScaled === "Retain") return false;
  const name = podName(set, ordinal);
  return existingClaims(set, ordinal, view).some(({ metadata }) =>
    metadata.ownerReferences?.some((owner) => owner.kind === "Pod" && owner.name === name),
  );
}

const existingClaims = (set: StatefulSet, ordinal: number, view: View): PersistentVolumeClaim[] =>
  claimsOf(set, ordinal).flatMap(({ metadata }) => view.get(PersistentVolumeClaim, metadata) ?? []);

/** By its name the claim may belong to a pod of the set. */
export function mayOwnClaim(set: StatefulSet, { metadata }: PersistentVolumeClaim): boolean {
  const templates = set.spec?.volumeClaimTemplates ?? [];
  return templates.some(({ metadata: { name } }) => metadata.name?.startsWith(`${name}-${set.metadata.name}-`));
}
