/** A wish for storage. Upstream: pkg/registry/core/persistentvolumeclaim/strategy.go. */
import { ageColumn, column, nameColumn, wide } from "#api/columns.ts";
import type { V1PersistentVolumeClaim } from "#api/generated/types.ts";
import { roundResourceList } from "#api/quantity.ts";
import { defineResource } from "#api/resource.ts";
import { carryOver } from "#api/status-strategy.ts";
import {
  claimErrors,
  claimStatusErrors,
  claimWarnings,
  normalizeDataSources,
} from "./persistent-volume-claim-rules.ts";
import { defaultClaimSpec } from "./pod-defaults.ts";
import { accessModesText, phaseText, storageClassOf } from "./storage-texts.ts";

const spec = "core.v1.PersistentVolumeClaimSpec";
const status = "core.v1.PersistentVolumeClaimStatus";

export type PersistentVolumeClaim = V1PersistentVolumeClaim;
export const PersistentVolumeClaim = defineResource<PersistentVolumeClaim>({
  group: "",
  version: "v1",
  kind: "PersistentVolumeClaim",
  plural: "persistentvolumeclaims",
  shortNames: ["pvc"],
  scope: "Namespaced",
  schema: "io.k8s.api.core.v1.PersistentVolumeClaim",
  generation: "none",
  deleteReturnsObject: true,
  defaults(claim) {
    if (claim.status !== undefined) claim.status.phase ||= "Pending";
    if (claim.spec !== undefined) defaultClaimSpec(claim.spec);
    roundResourceList(claim.status?.capacity);
    roundResourceList(claim.status?.allocatedResources);
  },
  prepareCreate(claim) {
    claim.status = { phase: "Pending" };
    normalizeDataSources(claim.spec, undefined);
  },
  prepareUpdate(claim, old) {
    carryOver(claim, old, "status");
    normalizeDataSources(claim.spec, old.spec);
  },
  validate: claimErrors,
  warnings: claimWarnings,
  resetFields: [["status"]],
  status: {
    prepareUpdate: (claim, old) => carryOver(claim, old, "spec"),
    validate: claimStatusErrors,
    resetFields: [["spec"]],
  },
  columns: [
    nameColumn,
    column("Status", [status, "phase"], phaseText),
    column("Volume", [spec, "volumeName"], (claim: PersistentVolumeClaim) => claim.spec?.volumeName ?? ""),
    column("Capacity", [status, "capacity"], (claim: PersistentVolumeClaim) =>
      isBound(claim) ? (claim.status?.capacity?.["storage"] ?? "0") : "",
    ),
    column("Access Modes", [status, "accessModes"], (claim: PersistentVolumeClaim) =>
      isBound(claim) ? accessModesText(claim.status?.accessModes) : "",
    ),
    column("StorageClass", "StorageClass of the pvc", storageClassOf),
    column(
      "VolumeAttributesClass",
      "VolumeAttributesClass of the pvc",
      (claim: PersistentVolumeClaim) => claim.spec?.volumeAttributesClassName ?? "<unset>",
    ),
    ageColumn,
    column(
      "VolumeMode",
      [spec, "volumeMode"],
      (claim: PersistentVolumeClaim) => claim.spec?.volumeMode ?? "<unset>",
      wide,
    ),
  ],
});

const isBound = (claim: PersistentVolumeClaim): boolean => (claim.spec?.volumeName ?? "") !== "";
