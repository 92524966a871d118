/** Writes into resource claims which devices they have and which pod uses them. */
import { randomUUID } from "node:crypto";
import { formatTime, type Clock } from "#lib/clock.ts";
import type {
  ResourceV1ResourceClaim,
  V1AllocationResult,
  V1ContainerExtendedResourceRequest,
} from "#api/generated/types.ts";
import { isConflict } from "#api/status-error.ts";
import type { Client, ObjectKey } from "#client/client.ts";
import { podRef, resourceClaimRef } from "#scheduler/kinds.ts";
import type { PodInfo } from "#scheduler/pod-info.ts";

const finalizer = "resource.kubernetes.io/delete-protection";
/** Others write to claims too: so often a write begins anew. */
const triesMax = 5;

export class ClaimWriter {
  readonly #client: Client;
  readonly #clock: Clock;

  constructor(client: Client, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** Notes the allocation, if there is a new one, and that the pod uses the claim. */
  async allocate(key: ObjectKey, allocation: V1AllocationResult | undefined, pod: PodInfo): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#tryToAllocate(await this.#client.get(resourceClaimRef, key), allocation, pod);
      } catch (error) {
        if (!isConflict(error) || tries === triesMax) throw error;
      }
    }
  }

  /** Makes the claim for a pod's extended resources, allocates it, and notes in the pod what it is called. */
  async create(
    claim: ResourceV1ResourceClaim,
    requestMappings: readonly V1ContainerExtendedResourceRequest[],
    allocation: V1AllocationResult,
    pod: PodInfo,
  ): Promise<void> {
    const made = await this.#client.create(resourceClaimRef, claim);
    await this.#tryToAllocate(made, allocation, pod);
    const extendedResourceClaimStatus = { requestMappings, resourceClaimName: made.metadata.name };
    const patch = { metadata: { uid: pod.pod.metadata.uid }, status: { extendedResourceClaimStatus } };
    await this.#client.patch(podRef, pod.pod.metadata, "strategic", patch, { subresource: "status" });
  }

  async #tryToAllocate(
    claim: ResourceV1ResourceClaim,
    allocation: V1AllocationResult | undefined,
    { name, uid }: PodInfo,
  ): Promise<void> {
    let current = claim;
    const { finalizers = [] } = claim.metadata;
    // The finalizer comes first: a claim that has devices must not vanish.
    if (allocation !== undefined && !finalizers.includes(finalizer)) {
      const metadata = { ...claim.metadata, finalizers: [...finalizers, finalizer] };
      current = await this.#client.update(resourceClaimRef, { ...claim, metadata });
    }
    const { reservedFor = [], ...rest } = current.status ?? {};
    const isReserved = reservedFor.some((consumer) => consumer.uid === uid);
    const allocationTimestamp = formatTime(this.#clock.now());
    await this.#client.updateStatus(resourceClaimRef, {
      ...current,
      status: {
        ...rest,
        ...(allocation === undefined ? {} : { allocation: { ...withShareIds(allocation), allocationTimestamp } }),
        reservedFor: isReserved ? reservedFor : [...reservedFor, { resource: "pods", name, uid }],
      },
    });
  }
}

/** A share of a device that others have too is known by an id of its own. */
function withShareIds({ devices, ...rest }: V1AllocationResult): V1AllocationResult {
  const results = devices?.results?.map((each) => (each.shareID === "" ? { ...each, shareID: randomUUID() } : each));
  return { ...rest, devices: { ...devices, ...(results === undefined ? {} : { results }) } };
}
