/** A kind that users bring. Upstream: apiextensions-apiserver/pkg/registry/customresourcedefinition/strategy.go. */
import { defaultColumns } from "#api/columns.ts";
import type { V1CustomResourceDefinition } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";

export type CustomResourceDefinition = V1CustomResourceDefinition;
export const CustomResourceDefinition = defineResource<CustomResourceDefinition>({
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  shortNames: ["crd", "crds"],
  categories: ["api-extensions"],
  scope: "Cluster",
  schema: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
  storageVersion: "apiextensions.k8s.io/v1beta1",
  status: {},
  columns: defaultColumns,
});
