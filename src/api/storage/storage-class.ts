/** How volumes are made. Upstream: pkg/registry/storage/storageclass/strategy.go. */
import { ageColumn, column, columnLike, nameColumn } from "#api/columns.ts";
import type { V1StorageClass } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { storageClassErrors, storageClassWarnings } from "./storage-class-rules.ts";

const type = "storage.v1.StorageClass";
const defaultAnnotations = [
  "storageclass.kubernetes.io/is-default-class",
  "storageclass.beta.kubernetes.io/is-default-class",
];

export const isDefaultStorageClass = ({ metadata }: V1StorageClass): boolean =>
  defaultAnnotations.some((annotation) => metadata.annotations?.[annotation] === "true");

export type StorageClass = V1StorageClass;
export const StorageClass = defineResource<StorageClass>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "StorageClass",
  plural: "storageclasses",
  shortNames: ["sc"],
  scope: "Cluster",
  schema: "io.k8s.api.storage.v1.StorageClass",
  generation: "none",
  deleteReturnsObject: true,
  defaults(storageClass) {
    storageClass.reclaimPolicy ??= "Delete";
    storageClass.volumeBindingMode ??= "Immediate";
  },
  validate: storageClassErrors,
  warnings: storageClassWarnings,
  columns: [
    columnLike(nameColumn, {
      value: (storageClass: StorageClass) =>
        `${storageClass.metadata.name ?? ""}${isDefaultStorageClass(storageClass) ? " (default)" : ""}`,
    }),
    column("Provisioner", [type, "provisioner"], (storageClass: StorageClass) => storageClass.provisioner ?? ""),
    column(
      "ReclaimPolicy",
      [type, "reclaimPolicy"],
      (storageClass: StorageClass) => storageClass.reclaimPolicy ?? "Delete",
    ),
    column(
      "VolumeBindingMode",
      [type, "volumeBindingMode"],
      (storageClass: StorageClass) => storageClass.volumeBindingMode ?? "Immediate",
    ),
    column(
      "AllowVolumeExpansion",
      [type, "allowVolumeExpansion"],
      (storageClass: StorageClass) => storageClass.allowVolumeExpansion ?? false,
    ),
    ageColumn,
  ],
});
