/** The RBAC objects that a new cluster gets, made from the tables. */
import type { UnknownObject } from "#api/object.ts";
import type { V1ClusterRole, V1PolicyRule } from "#api/generated/types.ts";
import { labelSelectorOf, matchesLabels } from "#api/label-selector.ts";
import { clusterRoleBindings, clusterRoles } from "./cluster-roles.ts";
import { controllerRoles, namespacedRoles } from "./controller-roles.ts";
import { autoUpdate } from "./policy-upkeep.ts";
import { type RuleRow, ruleOf } from "./rule-table.ts";

const apiGroup = "rbac.authorization.k8s.io";
export const policyVersion = `${apiGroup}/v1`;
const apiVersion = policyVersion;
const labels = { "kubernetes.io/bootstrapping": "rbac-defaults" };
const annotations = { [autoUpdate]: "true" };

type Role = UnknownObject & V1ClusterRole;

const rulesOf = (rows: readonly RuleRow[] = []) => rows.map(ruleOf);

export function policyObjects(): UnknownObject[] {
  return [...clusterRoleObjects(), ...bindingObjects(), ...controllerObjects(), ...namespacedObjects()];
}

function clusterRoleObjects(): UnknownObject[] {
  const roles = Object.entries(clusterRoles).map(([name, row]) => {
    const metadata = { name, labels: { ...labels, ...row.labels }, annotations };
    const aggregation = row.aggregates?.map((label) => ({ matchLabels: { [label]: "true" } }));
    return {
      apiVersion,
      kind: "ClusterRole",
      metadata,
      rules: rulesOf(row.rules),
      ...(aggregation === undefined ? {} : { aggregationRule: { clusterRoleSelectors: aggregation } }),
    } as Role;
  });
  for (const role of aggregationOrder(roles)) role.rules = aggregatedRules(role, roles);
  return roles;
}

/** A role that others take in comes before those. */
function aggregationOrder(roles: readonly Role[]): Role[] {
  return ["view", "edit", "admin"].flatMap((name) => roles.filter(({ metadata }) => metadata.name === name));
}

/** As the controller that keeps them so would have them. */
function aggregatedRules(role: V1ClusterRole, roles: readonly V1ClusterRole[]): V1PolicyRule[] {
  const rules = new Map<string, V1PolicyRule>();
  for (const selector of role.aggregationRule?.clusterRoleSelectors ?? []) {
    const selects = labelSelectorOf(selector);
    const chosen = roles.filter(
      ({ metadata }) => metadata.name !== role.metadata.name && matchesLabels(selects, metadata.labels),
    );
    for (const one of chosen.sort((a, b) => ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1)))
      for (const rule of one.rules ?? []) rules.set(JSON.stringify(rule), rule);
  }
  return [...rules.values()];
}

function bindingObjects(): UnknownObject[] {
  return Object.entries(clusterRoleBindings).map(([name, { role, subjects }]) =>
    clusterRoleBinding(name, role, subjects),
  );
}

function controllerObjects(): UnknownObject[] {
  return Object.entries(controllerRoles).flatMap(([controller, rows]) => {
    const name = `system:controller:${controller}`;
    const role = { apiVersion, kind: "ClusterRole", metadata: { name, labels, annotations }, rules: rulesOf(rows) };
    return [role, clusterRoleBinding(name, name, [`ServiceAccount kube-system/${controller}`])];
  });
}

function namespacedObjects(): UnknownObject[] {
  return namespacedRoles.flatMap(({ namespace, role, rules, binding = role, subjects }) => {
    const metadata = (name: string) => ({ name, namespace, labels, annotations });
    const roleRef = { apiGroup, kind: "Role", name: role };
    return [
      { apiVersion, kind: "Role", metadata: metadata(role), rules: rulesOf(rules) },
      { apiVersion, kind: "RoleBinding", metadata: metadata(binding), roleRef, subjects: subjects.map(subjectOf) },
    ];
  });
}

function clusterRoleBinding(name: string, role: string, subjects: readonly string[]): UnknownObject {
  return {
    apiVersion,
    kind: "ClusterRoleBinding",
    metadata: { name, labels, annotations },
    roleRef: { apiGroup, kind: "ClusterRole", name: role },
    ...(subjects.length === 0 ? {} : { subjects: subjects.map(subjectOf) }),
  };
}

function subjectOf(text: string) {
  const [kind = "", name = ""] = text.split(" ");
  if (kind !== "ServiceAccount") return { apiGroup, kind, name };
  const [namespace = "", account = ""] = name.split("/");
  return { kind, name: account, namespace };
}
