/**
 * All kinds that the server serves now, custom ones too, each with a running cache. A kind that is served in several
 * versions is cached once, in the preferred one.
 */
import type { Logger } from "#lib/log.ts";
import { sleep } from "#lib/sleep.ts";
import { CustomResourceDefinition } from "#api/apiextensions/custom-resource-definition.ts";
import { apiVersionOf } from "#api/object.ts";
import type { Client } from "#client/client.ts";
import type { ClusterCache } from "#client/cluster-cache.ts";
import { Discovery, type DiscoveredResource } from "#client/discovery.ts";
import { resourceName } from "#client/resource-path.ts";
import type { ServedKind } from "#reconcilers/every-kind.ts";

/** Discovery is read again this often even if nothing is known to have changed. */
const refreshMs = 30_000;
/** Changes of definitions are gathered for this long; names and schemas settle shortly after a definition is made. */
const settleMs = 50;
/** Verbs that the garbage collector needs of a kind. */
const neededVerbs = ["list", "watch", "delete"] as const;

export class ServedKinds {
  readonly #discovery: Discovery;
  readonly #cache: ClusterCache;
  readonly #log: Logger;
  readonly #handlers = new Set<(kind: ServedKind) => void>();
  #kinds = new Map<string, ServedKind>();
  #byKind = new Map<string, ServedKind>();

  constructor(client: Client, cache: ClusterCache, log: Logger) {
    this.#discovery = new Discovery(client);
    this.#cache = cache;
    this.#log = log;
  }

  get all(): readonly ServedKind[] {
    return [...this.#kinds.values()];
  }

  /** The kind of an owner reference, whatever version of it the reference names. */
  resolve(apiVersion: string, kind: string): ServedKind | undefined {
    return this.#byKind.get(`${apiVersion}/${kind}`);
  }

  named(name: string): ServedKind | undefined {
    return this.#kinds.get(name);
  }

  /** Calls back for every kind, now and whenever one is added. */
  onKind(handler: (kind: ServedKind) => void): void {
    for (const kind of this.#kinds.values()) handler(kind);
    this.#handlers.add(handler);
  }

  /** Reads discovery once, then keeps reading it until the signal fires. */
  async start(signal: AbortSignal): Promise<void> {
    await this.#refresh(signal);
    void this.#follow(signal);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    let changed = new AbortController();
    const stop = this.#cache.of(CustomResourceDefinition).onChange(() => changed.abort());
    signal.addEventListener("abort", stop, { once: true });
    while (!signal.aborted) {
      const waited = AbortSignal.any([signal, changed.signal]);
      await sleep(refreshMs, waited);
      if (signal.aborted) return;
      if (changed.signal.aborted) await sleep(settleMs, signal);
      changed = new AbortController();
      await this.#refresh(signal);
    }
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    try {
      this.#take(await this.#discovery.resources(true));
    } catch (error) {
      if (signal.aborted) return;
      this.#log.warn("cannot read which kinds are served", { error });
      await sleep(settleMs, signal);
    }
  }

  #take(resources: readonly DiscoveredResource[]): void {
    const kinds = new Map<string, ServedKind>();
    const byKind = new Map<string, ServedKind>();
    const cached = new Map<string, ServedKind>();
    const sorted = [...resources].sort((a, b) => Number(b.preferred) - Number(a.preferred));
    for (const resource of sorted.filter(isCollectable)) {
      const groupResource = `${resource.group}/${resource.plural}`;
      const canDeleteCollection = resource.verbs.includes("deletecollection");
      const kind = cached.get(groupResource) ?? { ...resource, canDeleteCollection };
      cached.set(groupResource, kind);
      kinds.set(resourceName(kind), kind);
      byKind.set(`${apiVersionOf(resource)}/${resource.kind}`, kind);
    }
    const [before, known] = [this.#kinds, this.#byKind];
    this.#kinds = kinds;
    this.#byKind = byKind;
    for (const [name, kind] of before) if (!kinds.has(name)) this.#cache.drop(kind);
    if (known.size === byKind.size && [...kinds.keys()].every((name) => before.has(name))) return;
    for (const [name, kind] of kinds) if (!before.has(name)) for (const handler of this.#handlers) handler(kind);
  }
}

/** Events are too many, own nothing and go by themselves. */
function isCollectable({ kind, verbs, plural }: DiscoveredResource): boolean {
  return kind !== "Event" && !plural.includes("/") && neededVerbs.every((verb) => verbs.includes(verb));
}
