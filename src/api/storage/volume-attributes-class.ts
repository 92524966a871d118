/** Attributes that a volume may change to. Upstream: pkg/registry/storage/volumeattributesclass/strategy.go. */
import { ageColumn, column, columnLike, nameColumn } from "#api/columns.ts";
import type { V1VolumeAttributesClass } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { attributesClassErrors } from "./volume-attributes-class-rules.ts";

const defaultAnnotation = "volumeattributesclass.alpha.kubernetes.io/is-default-class";

export type VolumeAttributesClass = V1VolumeAttributesClass;
export const VolumeAttributesClass = defineResource<VolumeAttributesClass>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "VolumeAttributesClass",
  plural: "volumeattributesclasses",
  shortNames: ["vac"],
  scope: "Cluster",
  schema: "io.k8s.api.storage.v1.VolumeAttributesClass",
  generation: "none",
  deleteReturnsObject: true,
  validate: attributesClassErrors,
  columns: [
    columnLike(nameColumn, {
      value: ({ metadata }) =>
        `${metadata.name ?? ""}${metadata.annotations?.[defaultAnnotation] === "true" ? " (default)" : ""}`,
    }),
    column(
      "DriverName",
      ["storage.v1.VolumeAttributesClass", "driverName"],
      ({ driverName }: VolumeAttributesClass) => driverName ?? "",
    ),
    ageColumn,
  ],
});
