/** A claim that its holder renews. Upstream: pkg/registry/coordination/lease/strategy.go. */
import { ageColumn, column, nameColumn } from "#api/columns.ts";
import type { V1Lease } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";

export type Lease = V1Lease;
export const Lease = defineResource<Lease>({
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  plural: "leases",
  scope: "Namespaced",
  schema: "io.k8s.api.coordination.v1.Lease",
  generation: "none",
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  columns: [
    nameColumn,
    column(
      "Holder",
      ["coordination.v1.LeaseSpec", "holderIdentity"],
      (lease: Lease) => lease.spec?.holderIdentity ?? "",
    ),
    ageColumn,
  ],
});
