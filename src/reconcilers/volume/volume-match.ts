/** Which volume suits a claim. Upstream: component-helpers/storage/volume (FindMatchingVolume). */
import { labelSelectorOf, matchesLabels } from "#api/label-selector.ts";
import { compareQuantities } from "#api/quantity.ts";
import type { PersistentVolume, PersistentVolumeClaim } from "#reconcilers/kinds.ts";

export const betaClassAnnotation = "volume.beta.kubernetes.io/storage-class";

export function classOf({ metadata, spec }: PersistentVolume | PersistentVolumeClaim): string {
  return metadata.annotations?.[betaClassAnnotation] ?? spec?.storageClassName ?? "";
}

/** The volume reserved for the claim, else the smallest free one that suits it. */
export function matchingVolume(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
): PersistentVolume | undefined {
  const suiting = volumes.filter((volume) => suits(volume, claim));
  const reserved = suiting.find((volume) => isReservedFor(volume, claim));
  if (reserved !== undefined) return reserved;
  const wanted = labelSelectorOf(claim.spec?.selector);
  const free = suiting.filter(
    (volume) =>
      volume.spec?.claimRef === undefined &&
      volume.status?.phase === "Available" &&
      classOf(volume) === classOf(claim) &&
      (claim.spec?.selector === undefined || matchesLabels(wanted, volume.metadata.labels)),
  );
  return free.sort(
    (a, b) => compareQuantities(capacityOf(a), capacityOf(b)) || (a.metadata.name! < b.metadata.name! ? -1 : 1),
  )[0];
}

const capacityOf = ({ spec }: PersistentVolume): string => spec?.capacity?.["storage"] ?? "0";

export function isReservedFor({ spec }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  const reference = spec?.claimRef;
  if (reference === undefined || reference.name !== metadata.name || reference.namespace !== metadata.namespace)
    return false;
  return reference.uid === undefined || reference.uid === "" || reference.uid === metadata.uid;
}

/** Large enough, of the right mode, and with every access mode that is asked for. */
export function suits(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const mode = (spec: { volumeMode?: string } | undefined): string => spec?.volumeMode ?? "Filesystem";
  const modes = new Set(volume.spec?.accessModes ?? []);
  return (
    volume.metadata.deletionTimestamp === undefined &&
    mode(volume.spec) === mode(claim.spec) &&
    compareQuantities(capacityOf(volume), claim.spec?.resources?.requests?.["storage"] ?? "0") >= 0 &&
    (claim.spec?.accessModes ?? []).every((each) => modes.has(each))
  );
}
