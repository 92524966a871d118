/** What both kinds of binding show of their subjects. */
import { ageColumn, column, nameColumn, wide } from "#api/columns.ts";
import type { RbacV1Subject, V1RoleRef } from "#api/generated/types.ts";
import type { KubernetesObject } from "#api/object.ts";
import type { Column } from "#api/resource.ts";

interface Binding extends KubernetesObject {
  roleRef: V1RoleRef;
  subjects?: RbacV1Subject[];
}

/** `what`: "roleBinding" or "clusterRoleBinding". */
export function bindingColumns<T extends Binding>(what: string, roleDescription: string): Column<T>[] {
  const subjects = (kind: string) => (binding: T) =>
    (binding.subjects ?? [])
      .filter((subject) => subject.kind === kind)
      .map(({ name, namespace }) => (kind === "ServiceAccount" ? `${namespace ?? ""}/${name}` : name))
      .join(", ");
  return [
    nameColumn,
    column("Role", roleDescription, ({ roleRef }: T) => `${roleRef.kind}/${roleRef.name}`),
    ageColumn,
    column("Users", `Users in the ${what}`, subjects("User"), wide),
    column("Groups", `Groups in the ${what}`, subjects("Group"), wide),
    column("ServiceAccounts", `ServiceAccounts in the ${what}`, subjects("ServiceAccount"), wide),
  ];
}
