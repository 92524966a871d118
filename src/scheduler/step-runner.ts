/** Carries out what must be written before a pod is bound: volumes and devices that go with it. */
import type { KubernetesObject } from "#api/object.ts";
import type { Client } from "#client/client.ts";
import type { ClusterCache } from "#client/cluster-cache.ts";
import type { AssumedObjects } from "./assumed-objects.ts";
import type { PodInfo } from "./pod-info.ts";
import type { Step } from "./plugin.ts";

export class StepRunner {
  readonly #client: Client;
  readonly #cache: ClusterCache;
  readonly #assumed: AssumedObjects;
  readonly #signal: AbortSignal;

  constructor(client: Client, cache: ClusterCache, assumed: AssumedObjects, signal: AbortSignal) {
    this.#client = client;
    this.#cache = cache;
    this.#assumed = assumed;
    this.#signal = signal;
  }

  assume(_steps: readonly Step[], _pod: PodInfo): void {}
  forget(_steps: readonly Step[], _pod: PodInfo): void {}
  async run(_steps: readonly Step[], _pod: PodInfo): Promise<void> {}
}
export type { KubernetesObject };
