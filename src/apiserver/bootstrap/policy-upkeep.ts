/**
 * What a start does to policy that is there already: it gives back what a new cluster would have, and takes nothing away.
 * Objects that say so (autoupdate: "false") are left alone. Upstream: pkg/registry/rbac/reconciliation.
 */
import type { RbacV1Subject, V1ClusterRole, V1ClusterRoleBinding, V1PolicyRule } from "#api/generated/types.ts";
import type { KubernetesObject } from "#api/object.ts";
import { semanticEqual } from "#api/validation/values.ts";
import { uncovered } from "#apiserver/authz/covers.ts";

export const autoUpdate = "rbac.authorization.kubernetes.io/autoupdate";

export type Upkeep = { type: "none" } | { type: "update" | "recreate"; object: KubernetesObject };

type Role = KubernetesObject & Pick<V1ClusterRole, "rules" | "aggregationRule">;
type Binding = KubernetesObject & Pick<V1ClusterRoleBinding, "roleRef" | "subjects">;

/** What has to happen to `live` (as it was read) so that it gives what `wanted` gives. */
export function policyUpkeep(live: KubernetesObject, wanted: KubernetesObject): Upkeep {
  if (live.metadata.annotations?.[autoUpdate] === "false") return { type: "none" };
  const isBinding = "roleRef" in wanted;
  if (isBinding && !semanticEqual((live as Binding).roleRef, (wanted as Binding).roleRef))
    return { type: "recreate", object: wanted };
  const fields = isBinding ? keptSubjects(live as Binding, wanted as Binding) : keptRules(live as Role, wanted as Role);
  const object = { ...live, ...fields, metadata: keptMetadata(live, wanted) };
  return semanticEqual(object, live) ? { type: "none" } : { type: "update", object };
}

/** What someone set themselves stays. */
function keptMetadata({ metadata: live }: KubernetesObject, { metadata: wanted }: KubernetesObject) {
  return {
    ...live,
    ...(wanted.labels && { labels: { ...wanted.labels, ...live.labels } }),
    ...(wanted.annotations && { annotations: { ...wanted.annotations, ...live.annotations } }),
  };
}

function keptSubjects(live: Binding, wanted: Binding): Partial<Binding> {
  const present: readonly RbacV1Subject[] = live.subjects ?? [];
  const missing = (wanted.subjects ?? []).filter((one) => !present.some((other) => semanticEqual(one, other)));
  return missing.length === 0 ? {} : { subjects: [...present, ...missing] };
}

/** The rules of a role that is made of others are not its own. */
function keptRules(live: Role, wanted: Role): Partial<Role> {
  const selectors = wanted.aggregationRule?.clusterRoleSelectors;
  if (selectors !== undefined) {
    const present = live.aggregationRule?.clusterRoleSelectors ?? [];
    const missing = selectors.filter((one) => !present.some((other) => semanticEqual(one, other)));
    return missing.length === 0 ? {} : { aggregationRule: { clusterRoleSelectors: [...present, ...missing] } };
  }
  const present: readonly V1PolicyRule[] = live.rules ?? [];
  const missing = uncovered(present, wanted.rules ?? []);
  return missing.length === 0 ? {} : { rules: [...present, ...missing] };
}
