/**
 * The storage class of claims that name none: a default that came after them is theirs too. Upstream: assignDefaultStorageClass
 * in pv_controller.go, pkg/volume/util/storageclass.go.
 */
import { isDefaultStorageClass } from "#api/storage/storage-class.ts";
import { StorageClass, type PersistentVolumeClaim } from "#reconcilers/kinds.ts";
import { timeOf } from "#reconcilers/pod-state.ts";
import type { View } from "#reconcilers/reconciler.ts";
import { betaClassAnnotation } from "./volume-match.ts";

/** Undefined for a claim that has a class, be it "", and where no class is the default. Of several the newest counts. */
export function defaultClassFor({ metadata, spec }: PersistentVolumeClaim, view: View): string | undefined {
  if (metadata.annotations?.[betaClassAnnotation] !== undefined || spec?.storageClassName !== undefined)
    return undefined;
  const defaults = view
    .list(StorageClass)
    .filter(isDefaultStorageClass)
    .sort(
      (a, b) =>
        timeOf(b.metadata.creationTimestamp) - timeOf(a.metadata.creationTimestamp) ||
        ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1),
    );
  return defaults[0]?.metadata.name;
}
