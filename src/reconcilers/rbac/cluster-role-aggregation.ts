/** A ClusterRole with an aggregation rule has the rules of all that it selects. Upstream: pkg/controller/clusterroleaggregation. */
import { labelSelectorOf, matchesLabels } from "#api/label-selector.ts";
import { ClusterRole } from "#api/rbac/cluster-role.ts";
import { defineIndex } from "#client/object-set.ts";
import { apply, defineReconciler, trigger, type View } from "#reconcilers/reconciler.ts";
import { canonical } from "#reconcilers/template-hash.ts";

const aggregating = defineIndex<ClusterRole>("aggregating", ({ aggregationRule }) =>
  aggregationRule === undefined ? [] : [""],
);

const manager = "clusterrole-aggregation-controller";

export const clusterRoleAggregationReconciler = defineReconciler<ClusterRole>({
  name: "clusterrole-aggregation",
  watches: ClusterRole,
  also: [trigger(ClusterRole, (_, view) => view.byIndex(ClusterRole, aggregating, "").map(({ metadata }) => metadata))],
  reconcile(role, view) {
    if (role.aggregationRule === undefined) return [];
    const { name, uid } = role.metadata;
    const rules = aggregated(role, view);
    if (canonical(role.rules ?? []) === canonical(rules)) return [];
    return [apply(ClusterRole, { metadata: { name, uid }, rules }, manager)];
  },
});

/** In the order of the selectors, then by name; equal rules once. */
function aggregated(role: ClusterRole, view: View): NonNullable<ClusterRole["rules"]> {
  const rules: NonNullable<ClusterRole["rules"]> = [];
  const known = new Set<string>();
  const others = [...view.list(ClusterRole)].filter(({ metadata }) => metadata.name !== role.metadata.name);
  const sorted = others.sort((a, b) => (a.metadata.name! < b.metadata.name! ? -1 : 1));
  for (const each of role.aggregationRule?.clusterRoleSelectors ?? []) {
    const selector = labelSelectorOf(each);
    for (const { metadata, rules: own } of sorted) {
      if (!matchesLabels(selector, metadata.labels)) continue;
      for (const rule of own ?? []) {
        const text = canonical(rule);
        if (!known.has(text)) rules.push(rule);
        known.add(text);
      }
    }
  }
  return rules;
}
