/** Carries out what must be written before a pod is bound: volumes and devices that go with it. */
import type { ResourceV1ResourceClaim, V1PersistentVolume, V1PersistentVolumeClaim } from "#api/generated/types.ts";
import type { Client, ObjectKey } from "#client/client.ts";
import type { ClusterCache } from "#client/cluster-cache.ts";
import { keyText } from "#client/resource-path.ts";
import type { AssumedObjects } from "./assumed-objects.ts";
import type { ClaimWriter } from "./devices/claim-writer.ts";
import { podRef, resourceClaimRef, volumeClaimRef, volumeRef } from "./kinds.ts";
import type { PodInfo } from "./pod-info.ts";
import { PluginFailure, type Step } from "./plugin.ts";
import { boundByControllerAnnotation, isFullyBound, selectedNodeAnnotation } from "./volumes.ts";

/** How long a claim may take to be bound. Upstream: bindTimeoutSeconds. */
export const volumeWaitMsMax = 600_000;

export class StepRunner {
  readonly #client: Client;
  readonly #cache: ClusterCache;
  readonly #assumed: AssumedObjects;
  readonly #claims: ClaimWriter;
  readonly #signal: AbortSignal;

  constructor(client: Client, cache: ClusterCache, assumed: AssumedObjects, claims: ClaimWriter, signal: AbortSignal) {
    this.#claims = claims;
    this.#client = client;
    this.#cache = cache;
    this.#assumed = assumed;
    this.#signal = signal;
  }

  /** From now on nobody else is given the same. */
  assume(steps: readonly Step[], pod: PodInfo): void {
    for (const step of steps) {
      if (step.kind === "bind-volume") {
        const bound = this.#boundVolume(step);
        if (bound !== undefined) this.#assumed.assume(volumeRef, bound, ({ spec }) => spec?.claimRef !== undefined);
      } else if (step.kind === "provision") {
        const claim = this.#claim(step.claim);
        const isDone = ({ metadata }: V1PersistentVolumeClaim) =>
          selectedNodeAnnotation in (metadata.annotations ?? {});
        if (claim !== undefined) this.#assumed.assume(volumeClaimRef, withSelectedNode(claim, step.node), isDone);
      } else if (step.kind === "allocate-claim" || step.kind === "create-claim") {
        const claim = this.#allocatedClaim(step, pod);
        if (claim !== undefined)
          this.#assumed.assume(resourceClaimRef, claim, ({ status }) => status?.allocation !== undefined);
      }
    }
  }

  forget(steps: readonly Step[], pod: PodInfo): void {
    for (const step of steps) {
      if (step.kind === "bind-volume")
        this.#assumed.forget(volumeRef, { metadata: { name: step.volume } } as V1PersistentVolume);
      else if (step.kind === "provision")
        this.#assumed.forget(volumeClaimRef, { metadata: { ...step.claim } } as V1PersistentVolumeClaim);
      else if (step.kind === "allocate-claim" || step.kind === "create-claim") {
        const claim = this.#allocatedClaim(step, pod);
        if (claim !== undefined) this.#assumed.forget(resourceClaimRef, claim);
      }
    }
  }

  /** A claim that is yet to be made stands under a name that no claim has. */
  #allocatedClaim(
    step: Step & { kind: "allocate-claim" | "create-claim" },
    { uid }: PodInfo,
  ): ResourceV1ResourceClaim | undefined {
    const { allocation } = step;
    if (step.kind === "create-claim") {
      const { metadata, spec } = step.claim;
      return { metadata: { ...metadata, name: `${metadata.generateName}${uid}` }, spec, status: { allocation } };
    }
    const claim = this.#cache.peek(resourceClaimRef)?.get(step.claim);
    return claim === undefined ? undefined : { ...claim, status: { ...claim.status, allocation } };
  }

  /** Rejects if a step cannot be done: the pod is to be decided on again. */
  async run(steps: readonly Step[], info: PodInfo, nodeName: string): Promise<void> {
    if (steps.length === 0) return;
    const { pod } = info;
    // Whoever wonders where the pod will go, while this takes its time, can see it.
    await this.#client.patch(
      podRef,
      pod.metadata,
      "strategic",
      { metadata: { uid: pod.metadata.uid }, status: { nominatedNodeName: nodeName } },
      { subresource: "status" },
    );
    await Promise.all(steps.map((step) => this.#begin(step, info)));
    const claims = steps.flatMap((step) =>
      step.kind === "bind-volume" || step.kind === "provision" ? [step.claim] : [],
    );
    await this.#bound(claims, pod.metadata, nodeName);
  }

  async #begin(step: Step, info: PodInfo): Promise<void> {
    if (step.kind === "allocate-claim") await this.#claims.allocate(step.claim, step.allocation, info);
    else if (step.kind === "reserve-claim") await this.#claims.allocate(step.claim, undefined, info);
    else if (step.kind === "create-claim") {
      await this.#claims.create(step.claim, step.mappings, step.allocation, info);
      this.forget([step], info);
    } else if (step.kind === "bind-volume") {
      const { claimRef, annotations } = this.#bindingOf(step);
      await this.#client.patch(volumeRef, { name: step.volume }, "merge", {
        metadata: { annotations },
        spec: { claimRef },
      });
    } else if (step.kind === "provision") {
      const annotations = { [selectedNodeAnnotation]: step.node };
      await this.#client.patch(volumeClaimRef, step.claim, "merge", { metadata: { annotations } });
    }
  }

  /** Waits until the volume controller, or whoever provisions, has bound every claim. */
  async #bound(claims: readonly ObjectKey[], pod: ObjectKey, nodeName: string): Promise<void> {
    if (claims.length === 0) return;
    const cache = this.#cache.of(volumeClaimRef);
    const pods = this.#cache.of(podRef);
    const isOver = (): boolean =>
      claims.every((key) => {
        const claim = cache.get(key);
        return claim === undefined || isFullyBound(claim) || lostNode(claim, nodeName);
      });
    // Whichever wait ends first ends the other.
    const done = new AbortController();
    const signal = AbortSignal.any([this.#signal, done.signal, AbortSignal.timeout(volumeWaitMsMax)]);
    await Promise.race([cache.when(isOver, signal), pods.when(() => pods.get(pod) === undefined, signal)]);
    done.abort();
    for (const key of claims) {
      const claim = cache.get(key);
      if (claim === undefined || !isFullyBound(claim))
        throw new PluginFailure(`binding volumes: claim ${keyText(key)} was not bound`);
    }
  }

  #claim(key: ObjectKey): V1PersistentVolumeClaim | undefined {
    return this.#cache.peek(volumeClaimRef)?.get(key);
  }

  #bindingOf({ claim, volume }: Step & { kind: "bind-volume" }) {
    const found = this.#claim(claim);
    const { namespace, name, uid, resourceVersion } =
      found?.metadata ?? (claim as { namespace?: string; name?: string; uid?: string; resourceVersion?: string });
    const isReserved = this.#cache.peek(volumeRef)?.get({ name: volume })?.spec?.claimRef !== undefined;
    return {
      claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name, uid, resourceVersion },
      annotations: isReserved ? {} : { [boundByControllerAnnotation]: "yes" },
    };
  }

  #boundVolume(step: Step & { kind: "bind-volume" }): V1PersistentVolume | undefined {
    const volume = this.#cache.peek(volumeRef)?.get({ name: step.volume });
    if (volume === undefined) return undefined;
    return { ...volume, spec: { ...volume.spec, claimRef: this.#bindingOf(step).claimRef } } as V1PersistentVolume;
  }
}

/** A provisioner gave up on the node. */
function lostNode({ metadata, spec }: V1PersistentVolumeClaim, nodeName: string): boolean {
  const selected = metadata.annotations?.[selectedNodeAnnotation];
  return (spec?.volumeName ?? "") === "" && selected !== undefined && selected !== nodeName;
}

function withSelectedNode(claim: V1PersistentVolumeClaim, node: string): V1PersistentVolumeClaim {
  const annotations = { ...claim.metadata.annotations, [selectedNodeAnnotation]: node };
  return { ...claim, metadata: { ...claim.metadata, annotations } };
}
