/** Gives a role's rights to subjects inside a namespace. Upstream: pkg/registry/rbac/rolebinding/strategy.go. */
import type { V1RoleBinding } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { nameIsPathSegment } from "#api/validation/names.ts";
import { bindingErrors, defaultBinding } from "./policy-rules.ts";
import { bindingColumns } from "./role-columns.ts";

export type RoleBinding = V1RoleBinding;
export const RoleBinding = defineResource<RoleBinding>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "RoleBinding",
  plural: "rolebindings",
  scope: "Namespaced",
  schema: "io.k8s.api.rbac.v1.RoleBinding",
  generation: "none",
  allowCreateOnUpdate: true,
  validateName: nameIsPathSegment,
  defaults: defaultBinding,
  validate: (binding, old) => bindingErrors(binding, old, true),
  columns: bindingColumns(
    "roleBinding",
    "RoleRef can reference a Role in the current namespace or a ClusterRole in the global namespace. If the RoleRef cannot be resolved, the Authorizer must return an error.",
  ),
});
