/** What a driver for volumes can do. Upstream: pkg/registry/storage/csidriver/strategy.go. */
import { ageColumn, column, nameColumn } from "#api/columns.ts";
import type { V1CSIDriver } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { podInfoDescription, tokenRequestsDescription } from "./csi-driver-texts.ts";
import { csiDriverErrors, csiDriverWarnings, dropGated, isMutableFieldChanged } from "./csi-driver-rules.ts";

const type = "storage.v1.CSIDriverSpec";
const boolean = { type: "boolean" } as const;

export type CSIDriver = V1CSIDriver;
export const CSIDriver = defineResource<CSIDriver>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSIDriver",
  plural: "csidrivers",
  scope: "Cluster",
  schema: "io.k8s.api.storage.v1.CSIDriver",
  allowUnconditionalUpdate: false,
  generation: "none",
  deleteReturnsObject: true,
  defaults({ spec }) {
    spec.attachRequired ??= true;
    spec.podInfoOnMount ??= false;
    spec.storageCapacity ??= false;
    spec.fsGroupPolicy ??= "ReadWriteOnceWithFSType";
    if ((spec.volumeLifecycleModes ?? []).length === 0) spec.volumeLifecycleModes = ["Persistent"];
    spec.requiresRepublish ??= false;
    spec.seLinuxMount ??= false;
  },
  prepareCreate: dropGated,
  /** A new driver has no generation; only changes of some fields are counted. */
  prepareUpdate(driver, old) {
    dropGated(driver);
    if (isMutableFieldChanged(driver, old)) driver.metadata.generation = (old.metadata.generation ?? 0) + 1;
  },
  validate: csiDriverErrors,
  warnings: csiDriverWarnings,
  columns: [
    nameColumn,
    column("AttachRequired", [type, "attachRequired"], ({ spec }: CSIDriver) => spec.attachRequired ?? true, boolean),
    column("PodInfoOnMount", podInfoDescription, ({ spec }: CSIDriver) => spec.podInfoOnMount ?? false, boolean),
    column(
      "StorageCapacity",
      [type, "storageCapacity"],
      ({ spec }: CSIDriver) => spec.storageCapacity ?? false,
      boolean,
    ),
    column("TokenRequests", tokenRequestsDescription, ({ spec }: CSIDriver) =>
      spec.tokenRequests === undefined ? "<unset>" : spec.tokenRequests.map(({ audience }) => audience).join(","),
    ),
    column(
      "RequiresRepublish",
      [type, "requiresRepublish"],
      ({ spec }: CSIDriver) => spec.requiresRepublish ?? false,
      boolean,
    ),
    column(
      "Modes",
      [type, "volumeLifecycleModes"],
      ({ spec }: CSIDriver) => (spec.volumeLifecycleModes ?? []).join(",") || "<none>",
    ),
    ageColumn,
  ],
});
