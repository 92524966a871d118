/** Brings pods' statuses to the API: one write a pod at a time, the newest wins, tried again until it is there or moot. */
import { backoffMs } from "#lib/backoff.ts";
import type { Logger } from "#lib/log.ts";
import { sleep } from "#lib/sleep.ts";
import { Pod } from "#api/core/pod.ts";
import type { V1PodStatus } from "#api/generated/types.ts";
import { isConflict, isNotFound, StatusError } from "#api/status-error.ts";
import type { Client } from "#client/client.ts";
import { statusPatch } from "./status-patch.ts";

interface Pending {
  pod: Pod;
  status: V1PodStatus;
  written(pod: Pod): void;
}

const retry = { initialMs: 200, limitMs: 10_000 };

export class StatusWriter {
  readonly #client: Client;
  readonly #log: Logger;
  readonly #signal: AbortSignal;
  readonly #pending = new Map<string, Pending>();
  readonly #writing = new Map<string, Promise<void>>();

  constructor(client: Client, log: Logger, signal: AbortSignal) {
    this.#client = client;
    this.#log = log;
    this.#signal = signal;
  }

  /** `written` gets the object as it is after a write. */
  put(pod: Pod, status: V1PodStatus, written: (pod: Pod) => void): void {
    const uid = pod.metadata.uid ?? "";
    if (statusPatch(pod, status) === undefined) {
      if (!this.#writing.has(uid)) this.#pending.delete(uid);
      else this.#pending.set(uid, { pod, status, written });
      return;
    }
    this.#pending.set(uid, { pod, status, written });
    this.#begin(uid);
  }

  #begin(uid: string): void {
    if (this.#writing.has(uid)) return;
    const work = this.#write(uid).finally(() => {
      this.#writing.delete(uid);
      // Put after the last look and before this.
      if (this.#pending.has(uid) && !this.#signal.aborted) this.#begin(uid);
    });
    this.#writing.set(uid, work);
  }

  /** Resolves when nothing about this pod waits to be written. */
  async settled(uid: string): Promise<void> {
    while (this.#writing.has(uid)) await this.#writing.get(uid);
  }

  async flush(): Promise<void> {
    await Promise.all(this.#writing.values());
  }

  async #write(uid: string): Promise<void> {
    let failures = 0;
    let newest: Pod | undefined;
    for (let next = this.#pending.get(uid); next !== undefined; next = this.#pending.get(uid)) {
      this.#pending.delete(uid);
      const base = newest ?? next.pod;
      const patch = statusPatch(base, next.status);
      if (patch === undefined) continue;
      try {
        newest = await this.#client.patch(Pod, base.metadata, "strategic", patch, { subresource: "status" });
        next.written(newest);
        failures = 0;
      } catch (error) {
        if (isNotFound(error) || isConflict(error)) return;
        failures += 1;
        this.#log.warn("cannot write a pod's status", { pod: next.pod.metadata.name, failures, error });
        const hopeless = error instanceof StatusError && error.code >= 400 && error.code < 500 && error.code !== 429;
        if (hopeless || this.#signal.aborted) return;
        if (!this.#pending.has(uid)) this.#pending.set(uid, next);
        await sleep(backoffMs(failures, retry), this.#signal);
        if (this.#signal.aborted) return;
      }
    }
  }
}
