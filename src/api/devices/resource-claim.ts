/** A wish for devices. Upstream: pkg/registry/resource/resourceclaim/strategy.go. */
import { ageColumn, column, nameColumn } from "#api/columns.ts";
import type { ResourceV1ResourceClaim } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { carryOver, keepMeta, keepsStatus } from "#api/status-strategy.ts";
import { defaultDevices } from "./claim-defaults.ts";
import { claimErrors } from "./claim-rules.ts";
import { claimStatusErrors, dropDeallocated } from "./claim-status-rules.ts";

export type ResourceClaim = ResourceV1ResourceClaim;
export const ResourceClaim = defineResource<ResourceClaim>({
  group: "resource.k8s.io",
  version: "v1",
  kind: "ResourceClaim",
  plural: "resourceclaims",
  scope: "Namespaced",
  deleteReturnsObject: true,
  schema: "io.k8s.api.resource.v1.ResourceClaim",
  generation: "none",
  defaults: ({ spec }) => defaultDevices(spec?.devices),
  ...keepsStatus<ResourceClaim>("resource.v1.ResourceClaimStatus"),
  validate: claimErrors,
  status: {
    prepareUpdate(claim, old) {
      carryOver(claim, old, "spec");
      keepMeta(claim, old);
      if (claim.status !== undefined) dropDeallocated(claim.status, old.status);
    },
    validate: claimStatusErrors,
    resetFields: [["metadata"], ["spec"]],
  },
  columns: [
    nameColumn,
    column("State", "A summary of the current state (allocated, pending, reserved, etc.).", stateText),
    ageColumn,
  ],
});

function stateText({ metadata, status }: ResourceClaim): string {
  const isLeaving = metadata.deletionTimestamp !== undefined;
  const states = isLeaving ? ["deleted"] : [];
  if (status?.allocation === undefined) return [...states, ...(isLeaving ? [] : ["pending"])].join(",");
  states.push("allocated");
  if ((status.reservedFor ?? []).length > 0) states.push("reserved");
  return states.join(",");
}
