/** A range that service addresses come from. Upstream: pkg/registry/networking/servicecidr/strategy.go. */
import { ageColumn, column, nameColumn } from "#api/columns.ts";
import type { V1ServiceCIDR } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { keepsMeta, keepsStatus } from "#api/status-strategy.ts";
import { serviceCidrErrors } from "./service-address-rules.ts";

export type ServiceCIDR = V1ServiceCIDR;
export const ServiceCIDR = defineResource<ServiceCIDR>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "ServiceCIDR",
  plural: "servicecidrs",
  scope: "Cluster",
  schema: "io.k8s.api.networking.v1.ServiceCIDR",
  generation: "none",
  ...keepsStatus<ServiceCIDR>("networking.v1.ServiceCIDRStatus"),
  metadataLooks: { whole: 1, form: 0 },
  validate: serviceCidrErrors,
  status: { ...keepsMeta<ServiceCIDR>(() => []), metadataLooks: { whole: 1, form: 0 }, resetFields: [["spec"]] },
  columns: [
    nameColumn,
    column("CIDRs", ["networking.v1.ServiceCIDRSpec", "cidrs"], ({ spec }: ServiceCIDR) =>
      (spec?.cidrs ?? []).join(","),
    ),
    ageColumn,
  ],
});
