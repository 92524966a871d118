/** Gives a cluster role's rights to subjects everywhere. Upstream: pkg/registry/rbac/clusterrolebinding/strategy.go. */
import type { V1ClusterRoleBinding } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { nameIsPathSegment } from "#api/validation/names.ts";
import { bindingErrors, defaultBinding } from "./policy-rules.ts";
import { bindingColumns } from "./role-columns.ts";

export type ClusterRoleBinding = V1ClusterRoleBinding;
export const ClusterRoleBinding = defineResource<ClusterRoleBinding>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "ClusterRoleBinding",
  plural: "clusterrolebindings",
  scope: "Cluster",
  schema: "io.k8s.api.rbac.v1.ClusterRoleBinding",
  generation: "none",
  allowCreateOnUpdate: true,
  validateName: nameIsPathSegment,
  defaults: defaultBinding,
  validate: (binding, old) => bindingErrors(binding, old, false),
  columns: bindingColumns(
    "clusterRoleBinding",
    "RoleRef can only reference a ClusterRole in the global namespace. If the RoleRef cannot be resolved, the Authorizer must return an error.",
  ),
});
