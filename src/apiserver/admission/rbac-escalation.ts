/**
 * Nobody gives rights that they do not have: neither by writing a role nor by binding one. Upstream does this in the
 * storage of the RBAC kinds (pkg/registry/rbac/…/policybased); it is no plugin there, but the place is the same.
 */
import type { V1ClusterRole, V1PolicyRule, V1RoleBinding } from "#api/generated/types.ts";
import { goQuote } from "#api/go-text.ts";
import { forbiddenRequest, notFound } from "#api/status-catalogue.ts";
import { aggregateText } from "#api/validation/field-errors.ts";
import { semanticEqual } from "#api/validation/values.ts";
import { compactRules, compactText, uncovered } from "#apiserver/authz/covers.ts";
import type { Granted, Rbac } from "#apiserver/authz/rbac.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./plugin.ts";

const group = "rbac.authorization.k8s.io";
const everything: readonly V1PolicyRule[] = [
  { apiGroups: ["*"], resources: ["*"], verbs: ["*"] },
  { nonResourceURLs: ["*"], verbs: ["*"] },
];

export function rbacEscalation(rbac: Rbac): AdmissionPlugin {
  return {
    name: "RBACEscalation",
    /** Before the object is looked at: who may not give rights does not read what is wrong with them. */
    mutate(request) {
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
  if (isForCollector(request)) return;
  // A new role has no name yet in the request: a right on names does not cover it.
  if (may(request, "escalate", resource.plural, namespace, old === undefined ? "" : name)) return;
  const granted = rbac.grantedTo(request.user, namespace);
  confirm(request, granted, role.rules ?? []);
  const gathers = [role, old as V1ClusterRole | undefined].some(
    (one) => (one?.aggregationRule?.clusterRoleSelectors ?? []).length > 0,
  );
  if (!gathers || uncovered(heldIn(granted), everything).length === 0) return;
  const text = "must have cluster-admin privileges to use the aggregationRule";
  throw forbiddenRequest(resource.resourceName, name, text);
}

const heldIn = ({ rules }: Granted): V1PolicyRule[] => rules.map(({ rule }) => rule);

/** Whether an update changes what the garbage collector changes, at most. Upstream: IsOnlyMutatingGCFields. */
function isForCollector({ object, old }: AdmissionRequest): boolean {
  if (object === undefined || old === undefined) return false;
  const { finalizers, ownerReferences, managedFields } = old.metadata;
  const metadata = { ...object.metadata, finalizers, ownerReferences, managedFields };
  return semanticEqual({ ...object, metadata }, old);
}

function checkBinding(rbac: Rbac, request: AdmissionRequest, binding: V1RoleBinding): void {
  const { resource, namespace } = request;
  const { kind, name } = binding.roleRef;
  if (isForCollector(request)) return;
  const plural = kind === "ClusterRole" ? "clusterroles" : "roles";
  if (may(request, "bind", plural, namespace, name)) return;
  const wanted = rbac.rulesOfRole(kind, name, namespace);
  if (wanted === undefined) throw notFound(resource.resourceName, name);
  confirm(request, rbac.grantedTo(request.user, namespace), wanted);
}

function confirm(request: AdmissionRequest, granted: Granted, wanted: readonly V1PolicyRule[]): void {
  const missing = uncovered(heldIn(granted), wanted);
  if (missing.length === 0) return;
  const { user, resource, name } = request;
  const texts = [...new Set(compactRules(missing).map(compactText))].sort();
  const unresolved = granted.errors.length === 0 ? "" : `; resolution errors: [${aggregateText(granted.errors)}]`;
  const groups = `[${user.groups.map(goQuote).join(" ")}]`;
  const text = `user ${goQuote(user.name)} (groups=${groups}) is attempting to grant RBAC permissions not currently held:\n${texts.join("\n")}${unresolved}`;
  throw forbiddenRequest(resource.resourceName, name, text);
}
