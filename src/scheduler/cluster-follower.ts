/**
 * Follows the API server: keeps ClusterState and the queue up to date, and tells the queue what happened. The view that
 * it gives takes kinds that the server does not serve as empty.
 */
import { assert } from "#lib/assert.ts";
import type { V1Node, V1Pod } from "#api/generated/types.ts";
import { apiVersionOf, type KubernetesObject } from "#api/object.ts";
import { isNotFound } from "#api/status-error.ts";
import type { CacheChange } from "#client/cache.ts";
import type { Client, ResourceRef } from "#client/client.ts";
import type { ClusterCache } from "#client/cluster-cache.ts";
import { ObjectSet } from "#client/object-set.ts";
import { groupVersionPath } from "#client/resource-path.ts";
import { createView, type View } from "#client/view.ts";
import type { AssumedObjects } from "./assumed-objects.ts";
import {
  type ClusterEvent,
  type ClusterEventName,
  isRelevantOwnChange,
  nodeEvents,
  podEvents,
} from "./cluster-event.ts";
import type { ClusterState } from "./cluster-state.ts";
import * as kinds from "./kinds.ts";
import { isFinished, podInfoOf } from "./pod-info.ts";
import type { SchedulingQueue } from "./queue.ts";

const eventsOfKinds: readonly (readonly [ResourceRef<never>, ClusterEventName])[] = [
  [kinds.namespaceRef, "namespace-changed"],
  [kinds.serviceRef, "service-changed"],
  [kinds.replicationControllerRef, "service-changed"],
  [kinds.replicaSetRef, "service-changed"],
  [kinds.statefulSetRef, "service-changed"],
  [kinds.volumeRef, "volume-changed"],
  [kinds.volumeClaimRef, "volume-claim-changed"],
  [kinds.storageClassRef, "storage-class-changed"],
  [kinds.csiNodeRef, "csi-node-changed"],
  [kinds.csiDriverRef, "csi-driver-changed"],
  [kinds.storageCapacityRef, "storage-capacity-changed"],
  [kinds.resourceClaimRef, "resource-claim-changed"],
  [kinds.resourceSliceRef, "resource-slice-changed"],
  [kinds.deviceClassRef, "device-class-changed"],
] as unknown as readonly (readonly [ResourceRef<never>, ClusterEventName])[];

/** A view over a cache in which some kinds may be missing, now or always. */
export function forgivingView(cache: ClusterCache, assumed: AssumedObjects): View {
  const empty = new ObjectSet<never>();
  return createView(<T extends KubernetesObject>(ref: ResourceRef<T>) => {
    const overlaid = assumed.setOf(ref);
    return overlaid ?? cache.peek(ref)?.objects ?? (empty as unknown as ObjectSet<T>);
  });
}

/** Of the optional kinds those that the server serves. */
export async function servedKinds(client: Client, signal: AbortSignal): Promise<ResourceRef<KubernetesObject>[]> {
  const groups = new Map<string, Promise<ReadonlySet<string>>>();
  const served: ResourceRef<KubernetesObject>[] = [];
  for (const ref of kinds.optionalKinds as unknown as readonly ResourceRef<KubernetesObject>[]) {
    const groupVersion = apiVersionOf(ref);
    const plurals = groups.get(groupVersion) ?? pluralsOf(client, ref, signal);
    groups.set(groupVersion, plurals);
    if ((await plurals).has(ref.plural)) served.push(ref);
  }
  return served;
}

async function pluralsOf(
  client: Client,
  ref: ResourceRef<KubernetesObject>,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  try {
    const list = await client.call({ method: "GET", path: groupVersionPath(ref), signal });
    return new Set(((list as { resources?: { name: string }[] }).resources ?? []).map(({ name }) => name));
  } catch (error) {
    if (isNotFound(error)) return new Set();
    throw error;
  }
}

export interface FollowerOptions {
  cache: ClusterCache;
  state: ClusterState;
  queue: SchedulingQueue;
  assumed: AssumedObjects;
  schedulerName: string;
  /** Something changed that may give the scheduler work. */
  onWork(): void;
}

export class ClusterFollower {
  readonly #options: FollowerOptions;
  /** Pods that were given a node and whose binding is not yet seen: uid → node. */
  readonly #assumedPods = new Map<string, string>();

  constructor(options: FollowerOptions) {
    this.#options = options;
    const { cache, state } = options;
    const namespaces = cache.of(kinds.namespaceRef);
    state.namespaceLabels = (name) => namespaces.get({ name })?.metadata.labels ?? {};
  }

  /** To be called when all kinds that are served have been listed. Others are followed from when they come to be served. */
  start(): void {
    const { cache, assumed } = this.#options;
    cache.of(kinds.nodeRef).onChange((change) => this.#nodeChanged(change));
    cache.of(kinds.podRef).onChange((change) => this.#podChanged(change));
    for (const [ref, name] of eventsOfKinds) {
      cache.of(ref as unknown as ResourceRef<KubernetesObject>).onChange((change) => {
        assumed.seen(ref as unknown as ResourceRef<KubernetesObject>, change.object, change.type === "deleted");
        this.#happened([{ name, object: change.object }]);
      });
    }
  }

  /** From now on the pod counts as being on the node. */
  assume(pod: V1Pod, nodeName: string): void {
    const info = podInfoOf(pod, nodeName);
    assert(!this.#assumedPods.has(info.uid), `${info.namespace}/${info.name} is given one node`);
    this.#assumedPods.set(info.uid, nodeName);
    this.#options.state.withdrawNomination(info.uid);
    this.#options.state.addPod(info);
  }

  /** The pod could not be bound. */
  forget(pod: V1Pod): void {
    const uid = pod.metadata.uid ?? "";
    if (!this.#assumedPods.delete(uid)) return;
    this.#options.state.removePod(uid);
    this.#happened([{ name: "pod-removed", object: pod }]);
  }

  #happened(events: readonly ClusterEvent[]): void {
    for (const event of events) this.#options.queue.happened(event);
    this.#options.onWork();
  }

  #nodeChanged(change: CacheChange<V1Node>): void {
    if (change.type === "deleted") this.#options.state.removeNode(change.object.metadata.name ?? "");
    else this.#options.state.setNode(change.object);
    this.#happened(nodeEvents(change));
  }

  #podChanged(change: CacheChange<V1Pod>): void {
    const { type, object } = change;
    const uid = object.metadata.uid ?? "";
    const events = podEvents(change);
    if (type === "deleted" || isFinished(object)) {
      // A pod that only had a promise, or whose binding was under way, leaves room too.
      if (this.#podGone(uid) && events.length === 0) events.push({ name: "pod-removed", object });
    } else if ((object.spec?.nodeName ?? "") !== "") this.#podOnNode(object, uid);
    else this.#podWaits(change, uid);
    this.#happened(events);
  }

  /** True if that leaves room. */
  #podGone(uid: string): boolean {
    const { state, queue } = this.#options;
    const hadRoom = state.pod(uid) !== undefined || state.nomination(uid) !== undefined;
    this.#assumedPods.delete(uid);
    state.removePod(uid);
    state.withdrawNomination(uid);
    queue.remove(uid);
    return hadRoom;
  }

  #podOnNode(pod: V1Pod, uid: string): void {
    const { state, queue } = this.#options;
    this.#assumedPods.delete(uid);
    state.withdrawNomination(uid);
    queue.remove(uid);
    state.addPod(podInfoOf(pod));
  }

  #podWaits({ object, old }: CacheChange<V1Pod>, uid: string): void {
    const { state, queue, schedulerName } = this.#options;
    if (this.#assumedPods.has(uid)) return;
    if (object.spec?.schedulerName !== schedulerName) return;
    if (object.metadata.deletionTimestamp !== undefined) return void this.#podGone(uid);
    const nominated = object.status?.nominatedNodeName ?? "";
    if (nominated === "") state.withdrawNomination(uid);
    else state.nominate(podInfoOf(object, nominated));
    queue.put(podInfoOf(object), old !== undefined && isRelevantOwnChange(old, object));
  }
}
