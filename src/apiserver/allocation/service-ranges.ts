/**
 * The ranges that addresses of Services come from: those of the cluster's configuration, and those that ServiceCIDRs add.
 * Upstream: pkg/registry/core/service/ipallocator/cidrallocator.go.
 */
import type { V1ServiceCIDR } from "#api/generated/types.ts";
import type { ClusterCache } from "#apiserver/cache/cluster-cache.ts";
import { type Cidr, cidrText, parseCidr } from "./cidr.ts";

/** Families of the configuration only: a ServiceCIDR of another family is of no use. */
export function serviceRanges(cache: ClusterCache, configured: readonly Cidr[]): Cidr[] {
  const families = new Set(configured.map(({ family }) => family));
  const ranges = new Map(configured.map((range) => [cidrText(range), range]));
  for (const entry of cache.resource("/registry/networking.k8s.io/servicecidrs/").entries.range("")) {
    const range = entry.object as V1ServiceCIDR;
    if (!isReady(range)) continue;
    for (const cidr of (range.spec?.cidrs ?? []).flatMap((text) => parseCidr(text) ?? []))
      if (families.has(cidr.family)) ranges.set(cidrText(cidr), cidr);
  }
  return [...ranges.values()];
}

/** A range of which nobody says anything is ready: perhaps nobody is there to say so. */
function isReady({ metadata, status }: V1ServiceCIDR): boolean {
  if (metadata.deletionTimestamp !== undefined) return false;
  const condition = status?.conditions?.find(({ type }) => type === "Ready");
  return condition === undefined || condition.status === "True";
}
