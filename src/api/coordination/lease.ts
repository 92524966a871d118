/** A claim that its holder renews. Upstream: pkg/registry/coordination/lease/strategy.go. */
import { ageColumn, column, nameColumn } from "#api/columns.ts";
import type { V1Lease } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { invalid } from "#api/validation/field-errors.ts";
import { nonNegative } from "#api/validation/values.ts";

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
  prepareCreate: dropGated,
  prepareUpdate: dropGated,
  metadataLooks: { whole: 1, form: 0 },
  validate({ spec }) {
    const { leaseDurationSeconds: seconds, leaseTransitions } = spec ?? {};
    return [
      ...(seconds !== undefined && seconds <= 0
        ? [invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0")]
        : []),
      ...nonNegative("spec.leaseTransitions", leaseTransitions),
    ];
  },
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

/** Coordinated leader election is off in this release: upstream drops its fields. */
function dropGated({ spec }: Lease): void {
  delete spec?.strategy;
  delete spec?.preferredHolder;
}
