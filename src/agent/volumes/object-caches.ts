/**
 * ConfigMaps and Secrets that pods of this node refer to: each one is watched by its name as long as a pod needs it, so that
 * a change reaches the pods at once and the node never asks for objects that are none of its business.
 */
import type { Logger } from "#lib/log.ts";
import { sleep } from "#lib/sleep.ts";
import { ConfigMap } from "#api/core/config-map.ts";
import type { Pod } from "#api/core/pod.ts";
import { Secret } from "#api/core/secret.ts";
import { Cache } from "#client/cache.ts";
import type { Client } from "#client/client.ts";
import { podReferences } from "./projections.ts";

interface Watched {
  readonly cache: Cache<ConfigMap> | Cache<Secret>;
  readonly stop: AbortController;
  readonly users: Set<string>;
}

/** How long a pod waits for the first answer about an object. */
const firstAnswerMs = 10_000;

export class ObjectCaches {
  readonly #watched = new Map<string, Watched>();
  readonly #client: Client;
  readonly #log: Logger;
  readonly #changed: (podUid: string) => void;

  /** `changed` is told which pods use an object that is new, different or gone. */
  constructor(client: Client, log: Logger, changed: (podUid: string) => void) {
    this.#client = client;
    this.#log = log;
    this.#changed = changed;
  }

  /** Resolves when everything that the pod refers to is known to exist or not. */
  async want(pod: Pod): Promise<void> {
    const { uid = "", namespace = "" } = pod.metadata;
    const { configMaps, secrets } = podReferences(pod);
    const waiting: Promise<void>[] = [];
    for (const name of configMaps) waiting.push(this.#watch("configmap", namespace, name, uid));
    for (const name of secrets) waiting.push(this.#watch("secret", namespace, name, uid));
    if (waiting.length === 0) return;
    const giveUp = new AbortController();
    await Promise.race([Promise.all(waiting), sleep(firstAnswerMs, giveUp.signal)]);
    giveUp.abort();
  }

  configMap(namespace: string, name: string): ConfigMap | undefined {
    return this.#watched.get(key("configmap", namespace, name))?.cache.get({ namespace, name }) as
      | ConfigMap
      | undefined;
  }

  secret(namespace: string, name: string): Secret | undefined {
    return this.#watched.get(key("secret", namespace, name))?.cache.get({ namespace, name }) as Secret | undefined;
  }

  drop(podUid: string): void {
    for (const [name, { users, stop }] of this.#watched) {
      if (!users.delete(podUid) || users.size > 0) continue;
      stop.abort();
      this.#watched.delete(name);
    }
  }

  stop(): void {
    for (const { stop } of this.#watched.values()) stop.abort();
    this.#watched.clear();
  }

  async #watch(kind: "configmap" | "secret", namespace: string, name: string, uid: string): Promise<void> {
    const known = this.#watched.get(key(kind, namespace, name));
    if (known !== undefined) {
      known.users.add(uid);
      return await known.cache.synced(known.stop.signal);
    }
    const options = { log: this.#log, namespace, fieldSelector: `metadata.name=${name}` };
    const cache =
      kind === "configmap" ? new Cache(this.#client, ConfigMap, options) : new Cache(this.#client, Secret, options);
    const watched: Watched = { cache, stop: new AbortController(), users: new Set([uid]) };
    this.#watched.set(key(kind, namespace, name), watched);
    cache.onChange(() => {
      if (cache.hasSynced) for (const user of watched.users) this.#changed(user);
    });
    void cache.run(watched.stop.signal);
    await cache.synced(watched.stop.signal);
  }
}

const key = (kind: string, namespace: string, name: string): string => `${kind}/${namespace}/${name}`;
