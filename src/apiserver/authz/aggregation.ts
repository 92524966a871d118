/**
 * Keeps the rules of aggregated cluster roles equal to those of the roles that their selectors choose.
 * Upstream: pkg/controller/clusterroleaggregation.
 */
import type { Logger } from "#lib/log.ts";
import type { V1ClusterRole, V1PolicyRule } from "#api/generated/types.ts";
import { labelSelectorOf, matchesLabels } from "#api/label-selector.ts";
import type { ClusterCache } from "#apiserver/cache/cluster-cache.ts";
import { isEqual } from "#apiserver/resource/metadata.ts";
import type { LocalTransport } from "#apiserver/transport.ts";

const path = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
const settleMs = 50;

export function aggregatedRules(role: V1ClusterRole, roles: readonly V1ClusterRole[]): V1PolicyRule[] {
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

/** Follows the roles until it is stopped. Changes that come together are answered together. */
export function startAggregation(cache: ClusterCache, transport: LocalTransport, log: Logger): () => void {
  const resource = cache.resource("/registry/rbac.authorization.k8s.io/clusterroles/");
  let timer: NodeJS.Timeout | undefined;
  const plan = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      settle().catch((error: unknown) => log.warn("roles could not be aggregated", { error: error as Error }));
    }, settleMs);
    timer.unref();
  };
  async function settle(): Promise<void> {
    const roles = [...resource.entries.range("")].map(({ object }) => object as V1ClusterRole);
    for (const role of roles) {
      if (role.aggregationRule === undefined) continue;
      const rules = aggregatedRules(role, roles);
      if (isEqual(rules, role.rules ?? [])) continue;
      // A role that changed meanwhile comes here again.
      const { resourceVersion = "" } = role.metadata;
      const body = { metadata: { resourceVersion }, rules };
      await transport.request({
        method: "PATCH",
        path: `${path}/${encodeURIComponent(role.metadata.name ?? "")}`,
        contentType: "application/merge-patch+json",
        body,
      });
    }
  }
  plan();
  const stop = resource.listen(plan);
  return () => {
    stop();
    clearTimeout(timer);
  };
}
