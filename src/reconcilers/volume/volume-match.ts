/** Which volume suits a claim. Upstream: component-helpers/storage/volume (FindMatchingVolume). */
import { labelSelectorOf, matchesLabels } from "#api/label-selector.ts";
import { compareQuantities } from "#api/quantity.ts";
import type { PersistentVolume, PersistentVolumeClaim } from "#reconcilers/kinds.ts";

export const betaClassAnnotation = "volume.beta.kubernetes.io/storage-class";

export function classOf({ metadata, spec }: PersistentVolume | PersistentVolumeClaim): string {
  return metadata.annotations?.[betaClassAnnotation] ?? spec?.storageClassName ?? "";
}

/**
 * A volume that suits the claim, one with few access modes before one with more. Among equals the one that is reserved for
 * the claim, else the smallest free one.
 */
export function matchingVolume(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
): PersistentVolume | undefined {
  const wanted = labelSelectorOf(claim.spec?.selector);
  const isFree = (volume: PersistentVolume): boolean =>
    volume.spec?.claimRef === undefined &&
    volume.status?.phase === "Available" &&
    classOf(volume) === classOf(claim) &&
    attributesClassOf(volume) === attributesClassOf(claim) &&
    (claim.spec?.selector === undefined || matchesLabels(wanted, volume.metadata.labels));
  const isReserved = (volume: PersistentVolume): boolean => isReservedFor(volume, claim);
  const modes = ({ spec }: PersistentVolume): number => new Set(spec?.accessModes).size;
  return volumes
    .filter((volume) => suits(volume, claim) && (isReserved(volume) || isFree(volume)))
    .sort(
      (a, b) =>
        modes(a) - modes(b) ||
        Number(isReserved(b)) - Number(isReserved(a)) ||
        compareQuantities(capacityOf(a), capacityOf(b)) ||
        (a.metadata.name! < b.metadata.name! ? -1 : 1),
    )[0];
}

const capacityOf = ({ spec }: PersistentVolume): string => spec?.capacity?.["storage"] ?? "0";

export function isReservedFor({ spec }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  const reference = spec?.claimRef;
  if (reference === undefined || reference.name !== metadata.name || reference.namespace !== metadata.namespace)
    return false;
  return reference.uid === undefined || reference.uid === "" || reference.uid === metadata.uid;
}

/** Large enough, of the right modes: what even a volume that is reserved for the claim must be. */
export function suits(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  return (
    volume.metadata.deletionTimestamp === undefined &&
    isLargeEnough(volume, claim) &&
    hasMode(volume, claim) &&
    hasAccessModes(volume, claim)
  );
}

/** Why a volume that the claim names cannot be bound to it, the first reason; undefined if it can. */
export function misfit(volume: PersistentVolume, claim: PersistentVolumeClaim): string | undefined {
  if (volume.metadata.deletionTimestamp !== undefined)
    return `the volume is marked for deletion "${volume.metadata.name}"`;
  if (!isLargeEnough(volume, claim)) return "requested PV is too small";
  if (classOf(volume) !== classOf(claim)) return "storageClassName does not match";
  if (attributesClassOf(volume) !== attributesClassOf(claim)) return "volumeAttributesClassName does not match";
  if (!hasMode(volume, claim)) return "incompatible volumeMode";
  return hasAccessModes(volume, claim) ? undefined : "incompatible accessMode";
}

const attributesClassOf = ({ spec }: PersistentVolume | PersistentVolumeClaim): string =>
  spec?.volumeAttributesClassName ?? "";

const isLargeEnough = (volume: PersistentVolume, { spec }: PersistentVolumeClaim): boolean =>
  compareQuantities(capacityOf(volume), spec?.resources?.requests?.["storage"] ?? "0") >= 0;

export function hasMode(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const mode = ({ spec }: PersistentVolume | PersistentVolumeClaim): string => spec?.volumeMode ?? "Filesystem";
  return mode(volume) === mode(claim);
}

function hasAccessModes({ spec }: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const modes = new Set(spec?.accessModes ?? []);
  return (claim.spec?.accessModes ?? []).every((each) => modes.has(each));
}
