/** A piece of storage. Upstream: pkg/registry/core/persistentvolume/strategy.go. */
import { ageColumn, column, nameColumn, wide } from "#api/columns.ts";
import type { V1PersistentVolume } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { carryOver } from "#api/status-strategy.ts";
import { formatTime } from "#lib/clock.ts";
import { defaultVolume, volumeErrors, volumeStatusErrors, volumeWarnings } from "./persistent-volume-rules.ts";
import { accessModesText, phaseText, storageClassOf } from "./storage-texts.ts";

const spec = "core.v1.PersistentVolumeSpec";
const status = "core.v1.PersistentVolumeStatus";

const claimDescription =
  "claimRef is part of a bi-directional binding between PersistentVolume and PersistentVolumeClaim. Expected to be non-nil when bound. claim.VolumeName is the authoritative bind between PV and PVC. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#binding";

export type PersistentVolume = V1PersistentVolume;
export const PersistentVolume = defineResource<PersistentVolume>({
  group: "",
  version: "v1",
  kind: "PersistentVolume",
  plural: "persistentvolumes",
  shortNames: ["pv"],
  scope: "Cluster",
  schema: "io.k8s.api.core.v1.PersistentVolume",
  generation: "none",
  deleteReturnsObject: true,
  defaults: defaultVolume,
  prepareCreate(volume, { now }) {
    volume.status = { phase: "Pending", lastPhaseTransitionTime: formatTime(now) };
  },
  prepareUpdate: (volume, old) => carryOver(volume, old, "status"),
  validate: volumeErrors,
  warnings: volumeWarnings,
  resetFields: [["status"]],
  status: {
    prepareUpdate(volume, old, { now }) {
      carryOver(volume, old, "spec");
      keepTransition(volume, old, now);
    },
    validate: volumeStatusErrors,
    resetFields: [["spec"]],
  },
  columns: [
    nameColumn,
    column("Capacity", [spec, "capacity"], (volume: PersistentVolume) => volume.spec?.capacity?.["storage"] ?? "0"),
    column("Access Modes", [spec, "accessModes"], (volume: PersistentVolume) =>
      accessModesText(volume.spec?.accessModes),
    ),
    column(
      "Reclaim Policy",
      [spec, "persistentVolumeReclaimPolicy"],
      (volume: PersistentVolume) => volume.spec?.persistentVolumeReclaimPolicy ?? "",
    ),
    column("Status", [status, "phase"], phaseText),
    column("Claim", claimDescription, claimText),
    column("StorageClass", "StorageClass of the pv", storageClassOf),
    column(
      "VolumeAttributesClass",
      "VolumeAttributesClass of the pv",
      (volume: PersistentVolume) => volume.spec?.volumeAttributesClassName ?? "<unset>",
    ),
    column("Reason", [status, "reason"], (volume: PersistentVolume) => volume.status?.reason ?? ""),
    ageColumn,
    column(
      "VolumeMode",
      [spec, "volumeMode"],
      (volume: PersistentVolume) => volume.spec?.volumeMode ?? "<unset>",
      wide,
    ),
  ],
});

function claimText(volume: PersistentVolume): string {
  const claim = volume.spec?.claimRef;
  return claim === undefined ? "" : `${claim.namespace ?? ""}/${claim.name ?? ""}`;
}

/** The time of a new phase is the server's, unless the client says one of its own. */
function keepTransition(volume: PersistentVolume, old: PersistentVolume, now: number): void {
  const { phase, lastPhaseTransitionTime } = old.status ?? {};
  const status = (volume.status ??= {});
  const isSaid =
    status.lastPhaseTransitionTime !== undefined && status.lastPhaseTransitionTime !== lastPhaseTransitionTime;
  if (isSaid) return;
  if (status.phase !== phase) status.lastPhaseTransitionTime = formatTime(now);
  else if (lastPhaseTransitionTime !== undefined) status.lastPhaseTransitionTime = lastPhaseTransitionTime;
}
