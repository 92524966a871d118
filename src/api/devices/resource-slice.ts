/** Devices that a driver offers. Upstream: pkg/registry/resource/resourceslice/strategy.go. */
import { ageColumn, column, nameColumn } from "#api/columns.ts";
import type { V1ResourceSlice } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { prepareSlice, sliceErrors, sliceWarnings } from "./slice-rules.ts";

const spec = "resource.v1.ResourceSliceSpec";

export type ResourceSlice = V1ResourceSlice;
export const ResourceSlice = defineResource<ResourceSlice>({
  group: "resource.k8s.io",
  version: "v1",
  kind: "ResourceSlice",
  plural: "resourceslices",
  scope: "Cluster",
  deleteReturnsObject: true,
  schema: "io.k8s.api.resource.v1.ResourceSlice",
  prepareCreate: prepareSlice,
  prepareUpdate: (slice, _old, context) => prepareSlice(slice, context),
  validate: sliceErrors,
  warnings: sliceWarnings,
  unknownFieldText: (field) => `field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: ${field}`,
  fieldSelectors: {
    "spec.nodeName": (slice) => slice.spec?.nodeName ?? "",
    "spec.driver": (slice) => slice.spec?.driver ?? "",
  },
  columns: [
    nameColumn,
    column("Node", [spec, "nodeName"], (slice: ResourceSlice) => slice.spec?.nodeName ?? ""),
    column("Driver", [spec, "driver"], (slice: ResourceSlice) => slice.spec?.driver ?? ""),
    column("Pool", ["resource.v1.ResourcePool", "name"], (slice: ResourceSlice) => slice.spec?.pool?.name ?? ""),
    ageColumn,
  ],
});
