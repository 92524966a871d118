/**
 * Nobody gives rights that they do not have: neither by writing a role nor by binding one. Upstream does this in the
 * storage of the RBAC kinds (pkg/registry/rbac/…/policybased); it is no plugin there, but the place is the same.
 */
import type { V1ClusterRole, V1PolicyRule, V1RoleBinding } from "#api/generated/types.ts";
import { goQuote } from "#api/go-text.ts";
import { forbiddenRequest, notFound } from "#api/status-catalogue.ts";
import { compactRules, compactText, uncovered } from "#apiserver/authz/covers.ts";
import type { Rbac } from "#apiserver/authz/rbac.ts";
import { isEqual } from "#apiserver/resource/metadata.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./plugin.ts";

const group = "rbac.authorization.k8s.io";
const everything: readonly V1PolicyRule[] = [
  { apiGroups: ["*"], resources: ["*"], verbs: ["*"] },
  { nonResourceURLs: ["*"], verbs: ["*"] },
];

export function rbacEscalation(rbac: Rbac): AdmissionPlugin {
  return {
    name: "RBACEscalation",
    validate(request) {
      const { resource, operation, user, object } = request;
      if (resource.group !== group || object === undefined) return;
      if (operation !== "CREATE" && operation !== "UPDATE") return;
      if (user.groups.includes("system:masters")) return;
      if (resource.plural === "roles" || resource.plural === "clusterroles")
        checkRole(rbac, request, object as V1ClusterRole);
      else checkBinding(rbac, request, object as V1RoleBinding);
    },
  };
}

function may(request: AdmissionRequest, verb: string, resource: string, namespace: string, name: string): boolean {
  const attributes = {
    user: request.user,
    verb,
    isResource: true,
    group,
    version: "v1",
    resource,
    subresource: "",
    namespace,
    name,
    path: "",
  };
  return request.services.authorizer.authorize(attributes).decision === "allow";
}

function checkRole(rbac: Rbac, request: AdmissionRequest, role: V1ClusterRole): void {
  const { resource, namespace, name, old } = request;
  const before = old as V1ClusterRole | undefined;
  if (
    before !== undefined &&
    isEqual(before.rules ?? [], role.rules ?? []) &&
    isEqual(before.aggregationRule, role.aggregationRule)
  )
    return;
  if (may(request, "escalate", resource.plural, namespace, name)) return;
  const held = rbac.grantedTo(request.user, namespace).rules.map(({ rule }) => rule);
  if (role.aggregationRule !== undefined && uncovered(held, everything).length > 0)
    throw forbiddenRequest(
      resource.resourceName,
      name,
      "must have cluster-admin privileges to use the aggregationRule",
    );
  confirm(request, held, role.rules ?? []);
}

function checkBinding(rbac: Rbac, request: AdmissionRequest, binding: V1RoleBinding): void {
  const { resource, namespace, old } = request;
  const { kind, name } = binding.roleRef;
  const before = old as V1RoleBinding | undefined;
  if (
    before !== undefined &&
    isEqual(before.subjects ?? [], binding.subjects ?? []) &&
    isEqual(before.roleRef, binding.roleRef)
  )
    return;
  const plural = kind === "ClusterRole" ? "clusterroles" : "roles";
  if (may(request, "bind", plural, namespace, name)) return;
  const wanted = rbac.rulesOfRole(kind, name, namespace);
  if (wanted === undefined) throw notFound(resource.resourceName, name);
  confirm(
    request,
    rbac.grantedTo(request.user, namespace).rules.map(({ rule }) => rule),
    wanted,
  );
}

function confirm(request: AdmissionRequest, held: readonly V1PolicyRule[], wanted: readonly V1PolicyRule[]): void {
  const missing = uncovered(held, wanted);
  if (missing.length === 0) return;
  const { user, resource, name } = request;
  const texts = [...new Set(compactRules(missing).map(compactText))].sort();
  const groups = `[${user.groups.map(goQuote).join(" ")}]`;
  const text = `user ${goQuote(user.name)} (groups=${groups}) is attempting to grant RBAC permissions not currently held:\n${texts.join("\n")}`;
  throw forbiddenRequest(resource.resourceName, name, text);
}
