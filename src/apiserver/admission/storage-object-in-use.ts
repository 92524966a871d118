/** Volumes and claims stay while someone uses them. Upstream: plugin/pkg/admission/storage/storageobjectinuseprotection. */
import { type AdmissionPlugin, isFor } from "./plugin.ts";

const finalizers: readonly [group: string, plural: string, finalizer: string][] = [
  ["", "persistentvolumeclaims", "kubernetes.io/pvc-protection"],
  ["", "persistentvolumes", "kubernetes.io/pv-protection"],
  ["storage.k8s.io", "volumeattributesclasses", "kubernetes.io/vac-protection"],
];

export const storageObjectInUse: AdmissionPlugin = {
  name: "StorageObjectInUseProtection",
  mutate(request) {
    if (request.operation !== "CREATE" || request.object === undefined) return;
    const finalizer = finalizers.find(([group, plural]) => isFor(request, group, plural))?.[2];
    if (finalizer === undefined) return;
    const { metadata } = request.object;
    if (metadata.finalizers?.includes(finalizer) !== true)
      metadata.finalizers = [...(metadata.finalizers ?? []), finalizer];
  },
};
