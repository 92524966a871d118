/** A sort of devices. Upstream: pkg/registry/resource/deviceclass/strategy.go. */
import { ageColumn, nameColumn } from "#api/columns.ts";
import type { V1DeviceClass } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { deviceClassErrors } from "./device-class-rules.ts";

export type DeviceClass = V1DeviceClass;
export const DeviceClass = defineResource<DeviceClass>({
  group: "resource.k8s.io",
  version: "v1",
  kind: "DeviceClass",
  plural: "deviceclasses",
  scope: "Cluster",
  deleteReturnsObject: true,
  schema: "io.k8s.api.resource.v1.DeviceClass",
  validate: deviceClassErrors,
  columns: [nameColumn, ageColumn],
});
