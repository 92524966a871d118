/** How much room a class has somewhere. Upstream: pkg/registry/storage/csistoragecapacity/strategy.go. */
import { column, nameColumn } from "#api/columns.ts";
import type { V1CSIStorageCapacity } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { storageCapacityErrors } from "./csi-storage-capacity-rules.ts";

const type = "storage.v1.CSIStorageCapacity";

export type CSIStorageCapacity = V1CSIStorageCapacity;
export const CSIStorageCapacity = defineResource<CSIStorageCapacity>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSIStorageCapacity",
  plural: "csistoragecapacities",
  scope: "Namespaced",
  schema: "io.k8s.api.storage.v1.CSIStorageCapacity",
  allowUnconditionalUpdate: false,
  generation: "none",
  validate: storageCapacityErrors,
  columns: [
    nameColumn,
    column(
      "StorageClassName",
      [type, "storageClassName"],
      ({ storageClassName }: CSIStorageCapacity) => storageClassName ?? "",
    ),
    column("Capacity", [type, "capacity"], ({ capacity }: CSIStorageCapacity) => capacity ?? "<unset>"),
  ],
});
