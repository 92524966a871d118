/**
 * One of several candidates leads at a time, by a Lease that it renews. Who cannot renew within `renewDeadlineMs` stops
 * leading before another may begin. Upstream: client-go/tools/leaderelection.
 */
import { formatMicroTime, systemClock, type Clock } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import { systemRandom, type Random } from "#lib/random.ts";
import { sleep } from "#lib/sleep.ts";
import type { V1Lease } from "#api/generated/types.ts";
import type { KubernetesObject } from "#api/object.ts";
import { isAlreadyExists, isConflict, isNotFound } from "#api/status-error.ts";
import type { Client, ResourceRef } from "./client.ts";

export type LeaseObject = V1Lease & KubernetesObject;
export const leaseRef: ResourceRef<LeaseObject> = {
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  plural: "leases",
  scope: "Namespaced",
};

export interface LeaderElectionOptions {
  client: Client;
  log: Logger;
  namespace: string;
  name: string;
  /** Unique among the candidates. */
  identity: string;
  signal: AbortSignal;
  /** Does the work until its signal fires; when it returns, leadership is given up. */
  lead(signal: AbortSignal): Promise<void>;
  clock?: Clock;
  random?: Random;
  leaseDurationMs?: number;
  renewDeadlineMs?: number;
  retryPeriodMs?: number;
}

/** Runs until `signal` fires: waits for the lease, leads, loses it, waits again. */
export async function runWithLeaderElection(options: LeaderElectionOptions): Promise<void> {
  while (!options.signal.aborted) {
    const candidate = new Candidate(options);
    if (!(await candidate.acquire())) return;
    options.log.info("leading", { lease: options.name, identity: options.identity });
    const lost = new AbortController();
    const signal = AbortSignal.any([options.signal, lost.signal]);
    const work = options.lead(signal).finally(() => lost.abort());
    await candidate.renewUntilLost(signal);
    lost.abort();
    await work;
    await candidate.release();
    options.log.info("no longer leading", { lease: options.name, identity: options.identity });
  }
}

class Candidate {
  readonly #options: LeaderElectionOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #leaseDurationMs: number;
  readonly #renewDeadlineMs: number;
  readonly #retryPeriodMs: number;
  /** The lease as it was last seen, and when it last changed by our own clock: other machines' clocks do not count. */
  #seen: { lease: LeaseObject; at: number } | undefined;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#leaseDurationMs = options.leaseDurationMs ?? 15_000;
    this.#renewDeadlineMs = options.renewDeadlineMs ?? 10_000;
    this.#retryPeriodMs = options.retryPeriodMs ?? 2_000;
  }

  /** False if the signal fired first. */
  async acquire(): Promise<boolean> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      if (await this.#attempt(signal)) return true;
      await sleep(this.#retryPeriodMs * (1 + 1.2 * this.#random.next()), signal);
    }
    return false;
  }

  async renewUntilLost(signal: AbortSignal): Promise<void> {
    let renewedAt = this.#clock.now();
    while (!signal.aborted) {
      await sleep(this.#retryPeriodMs, signal);
      if (signal.aborted) return;
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(this.#retryPeriodMs * 2)]);
      if (await this.#attempt(deadline)) renewedAt = this.#clock.now();
      else if (this.#clock.now() - renewedAt >= this.#renewDeadlineMs) return;
      else if (this.#holder() !== this.#options.identity) return;
    }
  }

  /** Lets the next candidate begin at once. */
  async release(): Promise<void> {
    const lease = this.#seen?.lease;
    if (lease === undefined || this.#holder() !== this.#options.identity) return;
    const now = formatMicroTime(this.#clock.now());
    const spec = { ...lease.spec, holderIdentity: "", leaseDurationSeconds: 1, renewTime: now, acquireTime: now };
    try {
      await this.#options.client.update(leaseRef, { ...lease, spec }, { signal: AbortSignal.timeout(2_000) });
    } catch (error) {
      this.#options.log.debug("lease not released", { lease: this.#options.name, error });
    }
  }

  /** One try to take or renew the lease. */
  async #attempt(signal: AbortSignal): Promise<boolean> {
    try {
      return await this.#takeOrRenew(signal);
    } catch (error) {
      if (!signal.aborted && !isConflict(error) && !isAlreadyExists(error))
        this.#options.log.debug("lease not renewed", { lease: this.#options.name, error });
      return false;
    }
  }

  async #takeOrRenew(signal: AbortSignal): Promise<boolean> {
    const { client, namespace, name, identity } = this.#options;
    const found = await client.get(leaseRef, { namespace, name }, { signal }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    const now = this.#clock.now();
    if (found === undefined) {
      const created = { metadata: { namespace, name }, spec: this.#spec(now, undefined) };
      this.#remember(await client.create(leaseRef, created, { signal }), now);
      return true;
    }
    this.#remember(found, now);
    const holder = found.spec?.holderIdentity ?? "";
    if (holder !== identity && holder !== "" && this.#isHeldByOther(now)) return false;
    const renewed = { ...found, spec: this.#spec(now, found.spec) };
    this.#remember(await client.update(leaseRef, renewed, { signal }), now);
    return true;
  }

  #spec(now: number, old: LeaseObject["spec"]): NonNullable<LeaseObject["spec"]> {
    const { identity } = this.#options;
    const same = old?.holderIdentity === identity;
    const transitions = old?.leaseTransitions ?? 0;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(this.#leaseDurationMs / 1_000),
      acquireTime: same && old?.acquireTime !== undefined ? old.acquireTime : formatMicroTime(now),
      renewTime: formatMicroTime(now),
      leaseTransitions: old === undefined || same ? transitions : transitions + 1,
    };
  }

  #isHeldByOther(now: number): boolean {
    const seconds = this.#seen?.lease.spec?.leaseDurationSeconds ?? 0;
    return this.#seen !== undefined && this.#seen.at + seconds * 1_000 > now;
  }

  #remember(lease: LeaseObject, now: number): void {
    if (this.#seen?.lease.metadata.resourceVersion !== lease.metadata.resourceVersion) this.#seen = { lease, at: now };
  }

  #holder(): string {
    return this.#seen?.lease.spec?.holderIdentity ?? "";
  }
}
