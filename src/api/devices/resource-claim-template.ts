/** What claims of pods are made from. Upstream: pkg/registry/resource/resourceclaimtemplate/strategy.go. */
import { ageColumn, nameColumn } from "#api/columns.ts";
import type { V1ResourceClaimTemplate } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { defaultDevices } from "./claim-defaults.ts";
import { claimTemplateErrors } from "./claim-template-rules.ts";

export type ResourceClaimTemplate = V1ResourceClaimTemplate;
export const ResourceClaimTemplate = defineResource<ResourceClaimTemplate>({
  group: "resource.k8s.io",
  version: "v1",
  kind: "ResourceClaimTemplate",
  plural: "resourceclaimtemplates",
  scope: "Namespaced",
  deleteReturnsObject: true,
  schema: "io.k8s.api.resource.v1.ResourceClaimTemplate",
  generation: "none",
  defaults: ({ spec }) => defaultDevices(spec?.spec?.devices),
  validate: claimTemplateErrors,
  columns: [nameColumn, ageColumn],
});
