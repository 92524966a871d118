/** What pods' volumes refer to: claims, what they are bound to, and which volumes would do. Upstream: component-helpers/storage/volume. */
import type {
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
  V1StorageClass,
  V1Volume,
} from "#api/generated/types.ts";
import { labelSelectorOf, matchesLabels } from "#api/label-selector.ts";
import { wholeValue } from "#api/quantity.ts";
import type { View } from "#client/view.ts";
import { storageClassRef, volumeClaimRef, volumeRef } from "./kinds.ts";
import type { NodeInfo } from "./node-info.ts";
import { type NodeMatcher, nodeSelectorMatcher } from "./node-selector.ts";

export const selectedNodeAnnotation = "volume.kubernetes.io/selected-node";
export const bindCompletedAnnotation = "pv.kubernetes.io/bind-completed";
export const boundByControllerAnnotation = "pv.kubernetes.io/bound-by-controller";
export const noProvisioner = "kubernetes.io/no-provisioner";

export interface ClaimName {
  name: string;
  /** Made for the pod by a controller. */
  isEphemeral: boolean;
}

/** The claim behind a pod's volume, if there is one. */
export function claimNameOf(pod: V1Pod, volume: V1Volume): ClaimName | undefined {
  if (volume.persistentVolumeClaim !== undefined)
    return { name: volume.persistentVolumeClaim.claimName, isEphemeral: false };
  if (volume.ephemeral !== undefined) return { name: `${pod.metadata.name}-${volume.name}`, isEphemeral: true };
  return undefined;
}

export const claimNamesOf = (pod: V1Pod): ClaimName[] =>
  (pod.spec?.volumes ?? []).flatMap((volume) => claimNameOf(pod, volume) ?? []);

/** The pod's claims, or why one of them is of no use. */
export function claimsOf(pod: V1Pod, objects: View): V1PersistentVolumeClaim[] | string {
  const claims: V1PersistentVolumeClaim[] = [];
  for (const { name, isEphemeral } of claimNamesOf(pod)) {
    const claim = objects.get(volumeClaimRef, { namespace: pod.metadata.namespace, name });
    if (claim === undefined)
      return isEphemeral
        ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"`
        : `persistentvolumeclaim "${name}" not found`;
    const fault = claimFault(claim, pod, isEphemeral);
    if (fault !== undefined) return fault;
    claims.push(claim);
  }
  return claims;
}

function claimFault(claim: V1PersistentVolumeClaim, pod: V1Pod, isEphemeral: boolean): string | undefined {
  const { name, deletionTimestamp, ownerReferences = [], namespace } = claim.metadata;
  if (claim.status?.phase === "Lost")
    return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec?.volumeName ?? ""}"`;
  if (deletionTimestamp !== undefined) return `persistentvolumeclaim "${name}" is being deleted`;
  const isOwned = ownerReferences.some(({ uid, controller }) => controller === true && uid === pod.metadata.uid);
  if (isEphemeral && !isOwned)
    return `PVC ${namespace}/${name} was not created for pod ${pod.metadata.namespace}/${pod.metadata.name} (pod is not owner)`;
  return undefined;
}

export function isFullyBound({ spec, metadata }: V1PersistentVolumeClaim): boolean {
  return (spec?.volumeName ?? "") !== "" && bindCompletedAnnotation in (metadata.annotations ?? {});
}

export function classNameOf({ metadata, spec }: V1PersistentVolumeClaim | V1PersistentVolume): string {
  return metadata.annotations?.["volume.beta.kubernetes.io/storage-class"] ?? spec?.storageClassName ?? "";
}

export function classOf(claim: V1PersistentVolumeClaim, objects: View): V1StorageClass | undefined {
  const name = classNameOf(claim);
  return name === "" ? undefined : objects.get(storageClassRef, { name });
}

/** The claim is bound only once a pod that uses it has a node. */
export const waitsForConsumer = (claim: V1PersistentVolumeClaim, objects: View): boolean =>
  classOf(claim, objects)?.volumeBindingMode === "WaitForFirstConsumer";

export function isReachable({ spec }: V1PersistentVolume, node: NodeInfo): boolean {
  const required = spec?.nodeAffinity?.required;
  return required === undefined || nodeSelectorMatcher(required)(node);
}

const requestOf = ({ spec }: V1PersistentVolumeClaim): number =>
  wholeValue(spec?.resources?.requests?.["storage"] ?? "0");
const capacityOf = ({ spec }: V1PersistentVolume): number => wholeValue(spec?.capacity?.["storage"] ?? "0");

export const bySize = (a: V1PersistentVolumeClaim, b: V1PersistentVolumeClaim): number => requestOf(a) - requestOf(b);

/** A volume that would do for a claim, on the nodes that can reach it. */
export interface VolumeCandidate {
  name: string;
  isReachable: NodeMatcher;
}

const anywhere: NodeMatcher = () => true;

/** The volumes that would do for the claim: those reserved for it, then the smallest first. */
export function candidateVolumes(claim: V1PersistentVolumeClaim, objects: View): VolumeCandidate[] {
  const selector = claim.spec?.selector === undefined ? undefined : labelSelectorOf(claim.spec.selector);
  const isFree = ({ status, metadata }: V1PersistentVolume): boolean =>
    status?.phase === "Available" && (selector === undefined || matchesLabels(selector, metadata.labels));
  const isReserved = ({ spec }: V1PersistentVolume): boolean => spec?.claimRef !== undefined;
  return objects
    .list(volumeRef)
    .filter((volume) => suits(volume, claim) && (isReserved(volume) || isFree(volume)))
    .toSorted((a, b) => Number(isReserved(b)) - Number(isReserved(a)) || capacityOf(a) - capacityOf(b))
    .map(({ metadata, spec }) => ({
      name: metadata.name ?? "",
      isReachable:
        spec?.nodeAffinity?.required === undefined ? anywhere : nodeSelectorMatcher(spec.nodeAffinity.required),
    }));
}

function suits(volume: V1PersistentVolume, claim: V1PersistentVolumeClaim): boolean {
  const { spec, metadata } = volume;
  return (
    metadata.deletionTimestamp === undefined &&
    (spec?.claimRef === undefined || isReservedFor(volume, claim)) &&
    classNameOf(volume) === classNameOf(claim) &&
    capacityOf(volume) >= requestOf(claim) &&
    (spec?.volumeMode ?? "Filesystem") === (claim.spec?.volumeMode ?? "Filesystem") &&
    (spec?.volumeAttributesClassName ?? "") === (claim.spec?.volumeAttributesClassName ?? "") &&
    (claim.spec?.accessModes ?? []).every((mode) => (spec?.accessModes ?? []).includes(mode))
  );
}

function isReservedFor({ spec }: V1PersistentVolume, { metadata }: V1PersistentVolumeClaim): boolean {
  const { namespace, name, uid } = spec?.claimRef ?? {};
  return (
    namespace === metadata.namespace &&
    name === metadata.name &&
    (uid === undefined || uid === "" || uid === metadata.uid)
  );
}
