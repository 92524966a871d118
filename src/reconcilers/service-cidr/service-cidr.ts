/** Keeps a range of service addresses until none of its addresses is in use. Upstream: pkg/controller/servicecidrs. */
import { formatTime } from "#lib/clock.ts";
import { Service } from "#api/core/service.ts";
import type { V1Condition } from "#api/generated/types.ts";
import { containsCidr } from "#api/networking/cidr-range.ts";
import { IPAddress } from "#api/networking/ip-address.ts";
import { ServiceCIDR } from "#api/networking/service-cidr.ts";
import { type Cidr, parseAddress, parseCidr } from "#api/validation/ip.ts";
import { timeOf } from "#reconcilers/pod-state.ts";
import {
  defineReconciler,
  patch,
  trigger,
  updateStatus,
  wake,
  type Change,
  type View,
} from "#reconcilers/reconciler.ts";

const finalizer = "networking.k8s.io/service-cidr-finalizer";
/** Addresses may be on their way while the range is being deleted. */
export const deletionGraceMs = 10_000;

const everyRange = (_: unknown, view: View) => view.list(ServiceCIDR).map(({ metadata }) => metadata);
const leavingRanges = (_: unknown, view: View) =>
  view.list(ServiceCIDR).flatMap(({ metadata }) => (metadata.deletionTimestamp === undefined ? [] : [metadata]));

export const serviceCidrReconciler = defineReconciler<ServiceCIDR>({
  name: "service-cidr",
  watches: ServiceCIDR,
  reads: [Service, IPAddress],
  also: [trigger(ServiceCIDR, everyRange), trigger(Service, leavingRanges), trigger(IPAddress, leavingRanges)],
  reconcile(range, view, { now }): Change[] {
    const has = range.metadata.finalizers?.includes(finalizer) === true;
    if (range.metadata.deletionTimestamp === undefined) {
      const ready = { status: "True", reason: "", message: "Kubernetes Service CIDR is ready" };
      return [...(has ? [] : [withFinalizer(range, true)]), ...condition(range, ready, now)];
    }
    if (!has) return [];
    if (isInUse(range, view)) {
      const message =
        "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR";
      return condition(range, { status: "False", reason: "Terminating", message }, now);
    }
    const at = timeOf(range.metadata.deletionTimestamp) + deletionGraceMs;
    return at > now ? [wake(at)] : [withFinalizer(range, false)];
  },
});

const cidrsOf = ({ spec }: ServiceCIDR): Cidr[] => (spec?.cidrs ?? []).flatMap((text) => parseCidr(text) ?? []);

/** An address that another range has as well does not need this one. */
function isInUse(range: ServiceCIDR, view: View): boolean {
  const others = view
    .list(ServiceCIDR)
    .filter(({ metadata }) => metadata.name !== range.metadata.name && metadata.deletionTimestamp === undefined)
    .flatMap(cidrsOf);
  const own = cidrsOf(range);
  const texts = [
    ...view.list(IPAddress).map(({ metadata }) => metadata.name ?? ""),
    ...view.list(Service).flatMap(({ spec }) => spec?.clusterIPs ?? []),
  ];
  return texts.some((text) => {
    const address = parseAddress(text);
    if (address === undefined) return false;
    const single = { ...address, prefix: address.family === "IPv4" ? 32 : 128 };
    return own.some((each) => containsCidr(each, single)) && !others.some((each) => containsCidr(each, single));
  });
}

function condition(
  range: ServiceCIDR,
  wanted: Pick<V1Condition, "status" | "reason" | "message">,
  now: number,
): Change[] {
  const before = range.status?.conditions ?? [];
  const old = before.find(({ type }) => type === "Ready");
  if (old?.status === wanted.status && old.reason === wanted.reason && old.message === wanted.message) return [];
  const lastTransitionTime = old?.status === wanted.status ? old.lastTransitionTime : formatTime(now);
  const next = { type: "Ready", ...wanted, lastTransitionTime };
  const conditions = [...before.filter(({ type }) => type !== "Ready"), next];
  return [updateStatus(ServiceCIDR, { ...range, status: { ...range.status, conditions } })];
}

function withFinalizer(range: ServiceCIDR, wanted: boolean): Change {
  const others = (range.metadata.finalizers ?? []).filter((each) => each !== finalizer);
  const finalizers = wanted ? [...others, finalizer] : others;
  const { uid } = range.metadata;
  return patch(ServiceCIDR, range, "merge", {
    metadata: { uid, finalizers: finalizers.length === 0 ? null : finalizers },
  });
}
