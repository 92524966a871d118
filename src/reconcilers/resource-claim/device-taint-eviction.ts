/** Deletes pods whose devices have NoExecute taints that their claims do not tolerate (any longer). Upstream: pkg/controller/devicetainteviction. */
import { formatTime } from "#lib/clock.ts";
import { Pod } from "#api/core/pod.ts";
import { ResourceClaim } from "#api/devices/resource-claim.ts";
import { ResourceSlice } from "#api/devices/resource-slice.ts";
import type { V1DeviceRequestAllocationResult, V1DeviceTaint } from "#api/generated/types.ts";
import { defineIndex } from "#client/object-set.ts";
import { tolerates } from "#reconcilers/node/taints.ts";
import { isPodActive, timeOf } from "#reconcilers/pod-state.ts";
import {
  defineReconciler,
  event,
  patch,
  remove,
  trigger,
  wake,
  type Change,
  type ObjectKey,
  type View,
} from "#reconcilers/reconciler.ts";
import { canonical } from "#reconcilers/template-hash.ts";
import { claimNameOf, mayUse } from "./pod-claims.ts";

const poolText = (driver: string, pool: string): string => `${driver}/${pool}`;

const slicesByPool = defineIndex<ResourceSlice>("slice-pool", ({ spec }) => [poolText(spec.driver, spec.pool.name)]);
const claimsByPool = defineIndex<ResourceClaim>("claim-pool", (claim) => [
  ...new Set(devicesOf(claim).map(({ driver, pool }) => poolText(driver, pool))),
]);

export const deviceTaintEvictionReconciler = defineReconciler<Pod>({
  name: "device-taint-eviction",
  component: "device-taint-eviction",
  watches: Pod,
  also: [
    trigger(ResourceClaim, consumersOf),
    trigger(ResourceSlice, (slice, view, other) =>
      canonical(taintsIn(slice)) === canonical(other === undefined ? [] : taintsIn(other))
        ? []
        : view
            .byIndex(ResourceClaim, claimsByPool, poolText(slice.spec.driver, slice.spec.pool.name))
            .flatMap(consumersOf),
    ),
  ],
  ignores: ({ spec, status, metadata }, old) =>
    spec?.nodeName === old.spec?.nodeName &&
    metadata.deletionTimestamp === old.metadata.deletionTimestamp &&
    canonical(status?.resourceClaimStatuses) === canonical(old.status?.resourceClaimStatuses),
  reconcile(pod, view, { now, waitingSince }) {
    if ((pod.spec?.nodeName ?? "") === "" || !isPodActive(pod)) return [];
    const ends = claimsOf(pod, view).flatMap((claim) => devicesOf(claim).flatMap((each) => endsOf(each, view, now)));
    if (ends.length === 0) return waitingSince === undefined ? [] : [told(pod, "Cancelling deletion")];
    const at = Math.min(...ends);
    return at > now ? [wake(at)] : evicted(pod, now);
  },
});

const devicesOf = ({ status }: ResourceClaim): V1DeviceRequestAllocationResult[] =>
  status?.allocation?.devices?.results ?? [];

const taintsIn = ({ spec }: ResourceSlice): unknown[] =>
  (spec.devices ?? []).filter(({ taints = [] }) => taints.length > 0).map(({ name, taints }) => [name, taints]);

function consumersOf({ metadata: { namespace }, status }: ResourceClaim): ObjectKey[] {
  return (status?.reservedFor ?? [])
    .filter(({ apiGroup = "", resource }) => apiGroup === "" && resource === "pods")
    .map(({ name }) => ({ namespace, name }));
}

/** The claims that the pod holds: those it names, and the one for its extended resources. */
function claimsOf(pod: Pod, view: View): ResourceClaim[] {
  const { namespace, uid } = pod.metadata;
  const get = (name: string | undefined) => view.get(ResourceClaim, { namespace, name: name ?? "" });
  const named = (pod.spec?.resourceClaims ?? []).flatMap((podClaim) => {
    const claim = get(claimNameOf(pod, podClaim));
    return claim !== undefined && mayUse(pod, podClaim, claim) ? [claim] : [];
  });
  const extended = get(pod.status?.extendedResourceClaimStatus?.resourceClaimName);
  const all = extended === undefined ? named : [...named, extended];
  return all.filter(({ status }) => status?.reservedFor?.some((consumer) => consumer.uid === uid));
}

/** When each taint of a device that evicts ends the pod's stay; nothing of those that are tolerated for ever. */
function endsOf(
  { driver, pool, device, tolerations = [] }: V1DeviceRequestAllocationResult,
  view: View,
  now: number,
): number[] {
  return taintsOf(driver, pool, device, view)
    .filter(({ effect }) => effect === "NoExecute")
    .flatMap((taint) => {
      const since = taint.timeAdded === undefined ? now : timeOf(taint.timeAdded);
      const using = tolerations.filter((each) => tolerates(each, taint));
      if (using.length === 0) return [since];
      if (using.some(({ tolerationSeconds }) => tolerationSeconds === undefined)) return [];
      return [since + Math.min(...using.map(({ tolerationSeconds = 0 }) => Math.max(0, tolerationSeconds))) * 1_000];
    });
}

/** Of the device as the newest generation of its pool has it. */
function taintsOf(driver: string, pool: string, device: string, view: View): V1DeviceTaint[] {
  const slices = view.byIndex(ResourceSlice, slicesByPool, poolText(driver, pool));
  const newest = Math.max(...slices.map(({ spec }) => spec.pool.generation));
  return slices
    .filter(({ spec }) => spec.pool.generation === newest)
    .flatMap(({ spec }) => spec.devices ?? [])
    .filter(({ name }) => name === device)
    .flatMap(({ taints }) => taints ?? []);
}

function evicted(pod: Pod, now: number): Change[] {
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    lastTransitionTime: formatTime(now),
    reason: "DeletionByDeviceTaintManager",
    message: "Device Taint manager: deleting due to NoExecute taint",
  };
  const body = { metadata: { uid: pod.metadata.uid }, status: { conditions: [condition] } };
  return [
    told(pod, "Marking for deletion"),
    patch(Pod, pod, "strategic", body, { subresource: "status" }),
    remove(Pod, pod),
  ];
}

function told({ metadata: { namespace, name } }: Pod, message: string): Change {
  return event({ apiVersion: "v1", kind: "Pod", namespace, name }, "Normal", "DeviceTaintManagerEviction", message);
}
