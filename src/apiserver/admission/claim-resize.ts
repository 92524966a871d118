/** Bound claims grow only if their class allows it. Upstream: plugin/pkg/admission/storage/persistentvolume/resize. */
import type { V1PersistentVolumeClaim, V1StorageClass } from "#api/generated/types.ts";
import { compareQuantities } from "#api/quantity.ts";
import { forbiddenRequest } from "#api/status-catalogue.ts";
import { objectAt } from "./lookup.ts";
import { type AdmissionPlugin, type AdmissionRequest, isFor } from "./plugin.ts";

const classAnnotation = "volume.beta.kubernetes.io/storage-class";

export const claimResize: AdmissionPlugin = {
  name: "PersistentVolumeClaimResize",
  validate(request) {
    if (request.operation !== "UPDATE" || !isFor(request, "", "persistentvolumeclaims")) return;
    const claim = request.object as V1PersistentVolumeClaim;
    const old = request.old as V1PersistentVolumeClaim;
    if (compareQuantities(sizeOf(claim), sizeOf(old)) <= 0) return;
    const refuse = (text: string) => forbiddenRequest(request.resource.resourceName, request.name, text);
    if (old.status?.phase !== "Bound") throw refuse("Only bound persistent volume claims can be expanded");
    if (!mayGrow(request, claim, old))
      throw refuse(
        "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize",
      );
  },
};

const sizeOf = ({ spec }: V1PersistentVolumeClaim): string => spec?.resources?.requests?.["storage"] ?? "0";

const classOf = ({ metadata, spec }: V1PersistentVolumeClaim): string =>
  metadata.annotations?.[classAnnotation] ?? spec?.storageClassName ?? "";

function mayGrow({ services }: AdmissionRequest, claim: V1PersistentVolumeClaim, old: V1PersistentVolumeClaim) {
  const name = classOf(claim);
  if (name === "" || name !== classOf(old)) return false;
  const found = objectAt<V1StorageClass>(services, "/registry/storage.k8s.io/storageclasses/", name);
  return found?.allowVolumeExpansion === true;
}
