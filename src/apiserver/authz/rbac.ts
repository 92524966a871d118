/**
 * Role-based access control: what bindings give to a user. Rules of a user are gathered once and kept until any role or
 * binding changes. Upstream: plugin/pkg/auth/authorizer/rbac, pkg/registry/rbac/validation.
 */
import { trimEnd } from "#lib/trim.ts";
import type { V1ClusterRole, V1ClusterRoleBinding, V1RoleBinding, V1PolicyRule } from "#api/generated/types.ts";
import { goQuote } from "#api/go-text.ts";
import { aggregateText } from "#api/validation/field-errors.ts";
import type { ClusterCache } from "#apiserver/cache/cluster-cache.ts";
import type { User } from "#apiserver/request.ts";
import type { Attributes, Authorizer, Verdict } from "./authorizer.ts";

const group = "rbac.authorization.k8s.io";
const prefix = (plural: string) => `/registry/${group}/${plural}/`;
/** Users whose rules are kept at a time. */
const usersKeptMax = 4096;

export interface GrantedRule {
  readonly rule: V1PolicyRule;
  /** `RoleBinding "a/ns" of Role "r" to User "u"`. */
  readonly source: string;
}

export interface Granted {
  readonly rules: readonly GrantedRule[];
  /** Roles that bindings name and that are not there. */
  readonly errors: readonly string[];
}

export class Rbac implements Authorizer {
  readonly #roles;
  readonly #clusterRoles;
  readonly #roleBindings;
  readonly #clusterRoleBindings;
  #kept = new Map<string, Granted>();

  constructor(cache: ClusterCache) {
    this.#roles = cache.resource(prefix("roles"));
    this.#clusterRoles = cache.resource(prefix("clusterroles"));
    this.#roleBindings = cache.resource(prefix("rolebindings"));
    this.#clusterRoleBindings = cache.resource(prefix("clusterrolebindings"));
    for (const resource of [this.#roles, this.#clusterRoles, this.#roleBindings, this.#clusterRoleBindings])
      resource.listen(() => this.#kept.clear());
  }

  authorize(attributes: Attributes): Verdict {
    const granted = this.grantedTo(attributes.user, attributes.isResource ? attributes.namespace : "");
    for (const { rule, source } of granted.rules)
      if (allows(rule, attributes)) return { decision: "allow", reason: `RBAC: allowed by ${source}` };
    if (granted.errors.length === 0) return { decision: "no-opinion", reason: "" };
    return { decision: "no-opinion", reason: `RBAC: ${aggregateText(granted.errors)}` };
  }

  /** Everything that cluster-wide bindings and those of `namespace` ("" for none) give to a user. */
  grantedTo(user: User, namespace: string): Granted {
    const key = `${user.name}\u0000${user.groups.join("\u0001")}\u0000${namespace}`;
    let granted = this.#kept.get(key);
    if (granted !== undefined) return granted;
    granted = this.#gather(user, namespace);
    if (this.#kept.size >= usersKeptMax) this.#kept.clear();
    this.#kept.set(key, granted);
    return granted;
  }

  /** The rules of a role that a binding in `namespace` names; undefined if there is no such role. */
  rulesOfRole(kind: string, name: string, namespace: string): readonly V1PolicyRule[] | undefined {
    const entry = kind === "ClusterRole" ? this.#clusterRoles.get(name) : this.#roles.get(`${namespace}/${name}`);
    return entry === undefined ? undefined : ((entry.object as V1ClusterRole).rules ?? []);
  }

  #gather(user: User, namespace: string): Granted {
    const rules: GrantedRule[] = [];
    const errors: string[] = [];
    const add = (binding: V1RoleBinding | V1ClusterRoleBinding, kind: string, title: string) => {
      const subject = binding.subjects?.find((one) => isSubject(one, user, binding.metadata.namespace ?? ""));
      if (subject === undefined) return;
      const { kind: roleKind, name } = binding.roleRef;
      const found = this.rulesOfRole(roleKind, name, namespace);
      if (found === undefined) {
        errors.push(`${roleKind.toLowerCase()}.${group} ${goQuote(name)} not found`);
        return;
      }
      const source = `${kind} ${goQuote(title)} of ${roleKind} ${goQuote(name)} to ${subjectText(subject, namespace)}`;
      for (const rule of found) rules.push({ rule, source });
    };
    for (const entry of this.#clusterRoleBindings.entries.range(""))
      add(entry.object as V1ClusterRoleBinding, "ClusterRoleBinding", entry.key);
    if (namespace !== "")
      for (const entry of this.#roleBindings.entries.range(`${namespace}/`)) {
        const binding = entry.object as V1RoleBinding;
        add(binding, "RoleBinding", `${binding.metadata.name ?? ""}/${namespace}`);
      }
    return { rules, errors };
  }
}

interface Subject {
  kind: string;
  name: string;
  namespace?: string;
}

function isSubject({ kind, name, namespace }: Subject, user: User, bindingNamespace: string): boolean {
  switch (kind) {
    case "User":
      return user.name === name;
    case "Group":
      return user.groups.includes(name);
    case "ServiceAccount": {
      const home = namespace === undefined || namespace === "" ? bindingNamespace : namespace;
      return home !== "" && user.name === `system:serviceaccount:${home}:${name}`;
    }
    default:
      return false;
  }
}

function subjectText({ kind, name, namespace }: Subject, bindingNamespace: string): string {
  if (kind !== "ServiceAccount") return `${kind} ${goQuote(name)}`;
  return `ServiceAccount ${goQuote(`${name}/${namespace ?? bindingNamespace}`)}`;
}

export function allows(rule: V1PolicyRule, attributes: Attributes): boolean {
  const { verb, isResource, path } = attributes;
  if (!has(rule.verbs, verb)) return false;
  if (!isResource) return (rule.nonResourceURLs ?? []).some((pattern) => matchesPath(pattern, path));
  const { resource, subresource, name } = attributes;
  return (
    has(rule.apiGroups, attributes.group) &&
    hasResource(rule.resources, resource, subresource) &&
    ((rule.resourceNames ?? []).length === 0 || rule.resourceNames!.includes(name))
  );
}

const has = (list: readonly string[] | undefined, wanted: string): boolean =>
  list !== undefined && (list.includes(wanted) || list.includes("*"));

function hasResource(list: readonly string[] | undefined, resource: string, subresource: string): boolean {
  if (list === undefined) return false;
  const full = subresource === "" ? resource : `${resource}/${subresource}`;
  return list.includes("*") || list.includes(full) || (subresource !== "" && list.includes(`*/${subresource}`));
}

function matchesPath(pattern: string, path: string): boolean {
  return pattern === path || (pattern.endsWith("*") && path.startsWith(trimEnd(pattern, "*")));
}
