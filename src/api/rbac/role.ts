/** Rights inside a namespace. Upstream: pkg/registry/rbac/role/strategy.go. */
import { defaultColumns } from "#api/columns.ts";
import type { V1Role } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { nameIsPathSegment } from "#api/validation/names.ts";
import { rulesErrors } from "./policy-rules.ts";

export type Role = V1Role;
export const Role = defineResource<Role>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "Role",
  plural: "roles",
  scope: "Namespaced",
  schema: "io.k8s.api.rbac.v1.Role",
  generation: "none",
  allowCreateOnUpdate: true,
  validateName: nameIsPathSegment,
  validate: ({ rules }) => rulesErrors(rules, true),
  columns: defaultColumns,
});
