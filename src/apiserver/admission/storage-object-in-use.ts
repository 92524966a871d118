/** Volumes and claims stay while someone uses them. Upstream: plugin/pkg/admission/storage/storageobjectinuseprotection. */
import { type AdmissionPlugin, isFor } from "./plugin.ts";

const finalizers = new Map([
  ["persistentvolumeclaims", "kubernetes.io/pvc-protection"],
  ["persistentvolumes", "kubernetes.io/pv-protection"],
]);

export const storageObjectInUse: AdmissionPlugin = {
  name: "StorageObjectInUseProtection",
  mutate(request) {
    if (request.operation !== "CREATE" || request.object === undefined) return;
    const finalizer = finalizers.get(request.resource.plural);
    if (finalizer === undefined || !isFor(request, "", request.resource.plural)) return;
    const { metadata } = request.object;
    if (metadata.finalizers?.includes(finalizer) !== true)
      metadata.finalizers = [...(metadata.finalizers ?? []), finalizer];
  },
};
