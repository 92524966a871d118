/**
 * Devices that a pod claims, or asks for by the name of an extended resource: it goes where they are, and has them before
 * it is bound. Upstream: plugins/dynamicresources.
 */
import type { ResourceV1ResourceClaim, V1DeviceRequest, V1Pod } from "#api/generated/types.ts";
import type { View } from "#client/view.ts";
import { allocateDevices, missingClass } from "#scheduler/devices/allocate.ts";
import { addTaken, type Taken } from "#scheduler/devices/capacity.ts";
import { deviceId, type DevicePool, devicePools } from "#scheduler/devices/pools.ts";
import { deviceClassOf } from "#scheduler/extended-resources.ts";
import { resourceClaimRef } from "#scheduler/kinds.ts";
import type { NodeInfo } from "#scheduler/node-info.ts";
import { nodeSelectorMatcher } from "#scheduler/node-selector.ts";
import { definePlugin, fits, neverFits, ready, refused, skip, type Step } from "#scheduler/plugin.ts";
import { amountsOf } from "#scheduler/resources.ts";

interface Prepared {
  /** Have their devices already. */
  allocated: readonly ResourceV1ResourceClaim[];
  unallocated: readonly ResourceV1ResourceClaim[];
  extended: ExtendedClaim;
  pools: readonly DevicePool[];
  taken: ReadonlySet<string>;
  shares: ReadonlyMap<string, Taken>;
}

/** A claim that is made for a pod's extended resources, with what they are called. */
interface ExtendedClaim {
  claim: ResourceV1ResourceClaim;
  mappings: readonly { containerName: string; resourceName: string; requestName: string }[];
}

/** Consumers of one claim. Upstream: ResourceClaimReservedForMaxSize. */
export const reservationsMax = 256;

export const dynamicResources = definePlugin<Prepared>({
  name: "DynamicResources",
  retryWhen: ["node-added", "resource-claim-changed", "resource-slice-changed", "device-class-changed", "own-change"],
  holds({ pod }, { objects }) {
    const claims = claimsOf(pod, objects);
    return typeof claims === "string" ? claims : undefined;
  },
  prepare({ pod, uid }, { objects }) {
    const claims = claimsOf(pod, objects);
    if (typeof claims === "string") return refused(neverFits(claims));
    const extended = extendedClaimOf(pod, objects);
    if (claims.length === 0 && extended.mappings.length === 0) return skip;
    const unallocated = claims.filter(({ status }) => status?.allocation === undefined);
    for (const claim of unallocated) {
      const missing = missingClass(claim, objects);
      if (missing !== undefined) return refused(neverFits(missing));
    }
    const allocated = claims.filter(({ status }) => status?.allocation !== undefined);
    if (allocated.some(({ status }) => !mayReserve(status?.reservedFor ?? [], uid)))
      return refused(neverFits("resourceclaim in use"));
    return ready({ allocated, unallocated, extended, pools: devicePools(objects), ...takenDevices(objects) });
  },
  filter(_, node, prepared, { objects }) {
    for (const { status } of prepared.allocated) {
      const selector = status?.allocation?.nodeSelector;
      if (selector !== undefined && !nodeSelectorMatcher(selector)(node))
        return neverFits("resourceclaim not available on the node");
    }
    const wanted = wantedOn(node, prepared);
    if (wanted.length === 0) return fits;
    const { pools, taken, shares } = prepared;
    return allocateDevices(wanted, { node, objects, pools, taken, shares }) === undefined
      ? neverFits("cannot allocate all claims")
      : fits;
  },
  afterRefusal: (prepared) =>
    prepared === undefined || prepared.allocated.length + prepared.unallocated.length === 0
      ? "no new claims to deallocate"
      : "still not schedulable",
  reserve({ pod }, node, prepared: Prepared | undefined, { objects }): readonly Step[] {
    if (prepared === undefined) return [];
    const { pools, taken, shares, extended } = prepared;
    const wanted = wantedOn(node, prepared);
    const allocations = allocateDevices(wanted, { node, objects, pools, taken, shares }) ?? [];
    const keyOf = ({ metadata: { namespace, name } }: ResourceV1ResourceClaim) => ({ namespace, name });
    const steps = wanted.map((claim, at): Step => {
      const allocation = allocations[at] ?? {};
      if (claim.metadata.name !== undefined) return { kind: "allocate-claim", claim: keyOf(claim), allocation };
      const { mappings } = extendedOn(node, extended);
      return { kind: "create-claim", claim, mappings, allocation };
    });
    const reserved = prepared.allocated.map((claim): Step => ({ kind: "reserve-claim", claim: keyOf(claim) }));
    return pod.metadata.uid === undefined ? [] : [...steps, ...reserved];
  },
});

/** The claims of a pod, or why one of them is not there yet. */
function claimsOf(pod: V1Pod, objects: View): ResourceV1ResourceClaim[] | string {
  const { namespace, name: podName } = pod.metadata;
  const claims: ResourceV1ResourceClaim[] = [];
  for (const { name, resourceClaimName, resourceClaimTemplateName } of pod.spec?.resourceClaims ?? []) {
    const made = pod.status?.resourceClaimStatuses?.find((status) => status.name === name);
    if (resourceClaimTemplateName !== undefined && made === undefined)
      return `pod "${namespace}/${podName}": ResourceClaim not created yet`;
    const claimName = resourceClaimName ?? made?.resourceClaimName;
    if (claimName === undefined) continue;
    const claim = objects.get(resourceClaimRef, { namespace, name: claimName });
    if (claim === undefined) return `resourceclaim "${claimName}" not found`;
    if (claim.metadata.deletionTimestamp !== undefined) return `resourceclaim "${claimName}" is being deleted`;
    claims.push(claim);
  }
  return claims;
}

function mayReserve(reservedFor: readonly { uid: string }[], uid: string): boolean {
  return reservedFor.length < reservationsMax || reservedFor.some((consumer) => consumer.uid === uid);
}

function takenDevices(objects: View): Pick<Prepared, "taken" | "shares"> {
  const taken = new Set<string>();
  const shares = new Map<string, Taken>();
  for (const { status } of objects.list(resourceClaimRef))
    for (const result of status?.allocation?.devices?.results ?? []) {
      const id = deviceId(result);
      if (result.shareID !== undefined) shares.set(id, addTaken(shares.get(id) ?? {}, result.consumedCapacity ?? {}));
      else if (result.adminAccess !== true) taken.add(id);
    }
  return { taken, shares };
}

/** A request for each container and each resource that a device class stands for. */
function extendedClaimOf(pod: V1Pod, objects: View): ExtendedClaim {
  const requests: V1DeviceRequest[] = [];
  const mappings: { containerName: string; resourceName: string; requestName: string }[] = [];
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  for (const [at, { name: containerName, resources }] of containers.entries()) {
    let place = 0;
    for (const [resourceName, count] of amountsOf(resources?.requests)) {
      const deviceClassName = count > 0 ? deviceClassOf(resourceName, objects) : undefined;
      if (deviceClassName === undefined) continue;
      const requestName = `container-${at}-request-${place++}`;
      requests.push({ name: requestName, exactly: { deviceClassName, allocationMode: "ExactCount", count } });
      mappings.push({ containerName, resourceName, requestName });
    }
  }
  const { namespace, name, uid } = pod.metadata;
  const generateName = `${name}-extended-resources-`;
  const owner = {
    apiVersion: "v1",
    kind: "Pod",
    name: name ?? "",
    uid: uid ?? "",
    controller: true,
    blockOwnerDeletion: true,
  };
  const annotations = { "resource.kubernetes.io/extended-resource-claim": "true" };
  const metadata = { namespace: namespace ?? "", generateName, annotations, ownerReferences: [owner] };
  return { claim: { metadata, spec: { devices: { requests } } }, mappings };
}

/** Without the resources that the node gives by itself. */
function extendedOn(node: NodeInfo, { claim, mappings }: ExtendedClaim): ExtendedClaim {
  const left = mappings.filter(({ resourceName }) => !node.allocatable.has(resourceName));
  if (left.length === mappings.length) return { claim, mappings };
  const names = new Set(left.map(({ requestName }) => requestName));
  const requests = (claim.spec.devices?.requests ?? []).filter(({ name }) => names.has(name));
  return { claim: { ...claim, spec: { devices: { requests } } }, mappings: left };
}

function wantedOn(node: NodeInfo, { unallocated, extended }: Prepared): ResourceV1ResourceClaim[] {
  const { claim, mappings } = extendedOn(node, extended);
  return mappings.length === 0 ? [...unallocated] : [...unallocated, claim];
}
