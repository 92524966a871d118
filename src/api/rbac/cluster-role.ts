/** Rights in the whole cluster, or a set of rights that bindings give in a namespace. Upstream: pkg/registry/rbac/clusterrole/strategy.go. */
import { defaultColumns } from "#api/columns.ts";
import type { V1ClusterRole } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { nameIsPathSegment } from "#api/validation/names.ts";
import { aggregationErrors, rulesErrors } from "./policy-rules.ts";

export type ClusterRole = V1ClusterRole;
export const ClusterRole = defineResource<ClusterRole>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "ClusterRole",
  plural: "clusterroles",
  scope: "Cluster",
  schema: "io.k8s.api.rbac.v1.ClusterRole",
  generation: "none",
  allowCreateOnUpdate: true,
  validateName: nameIsPathSegment,
  validate: ({ rules, aggregationRule }) => [...rulesErrors(rules, false), ...aggregationErrors(aggregationRule)],
  columns: defaultColumns,
});
