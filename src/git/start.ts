/** The Git part of a server: sources and Kustomizations over one client. */
import type { Clock } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import type { V1ConfigMap, V1Secret } from "#api/generated/types.ts";
import { Cache } from "#client/cache.ts";
import type { Client } from "#client/client.ts";
import { Discovery } from "#client/discovery.ts";
import { createEventRecorder } from "#client/event-recorder.ts";
import type { ResourceRef } from "#client/resource-path.ts";
import { GitRepository, Kustomization } from "./kinds.ts";
import { Kustomizations } from "./kustomizations.ts";
import { createRenderSource } from "./render-source.ts";
import { Sources } from "./sources.ts";

export interface GitOptions {
  client: Client;
  /** Kinds that settings are read from. */
  secret: ResourceRef<V1Secret>;
  configMap: ResourceRef<V1ConfigMap>;
  /** Where copies of remote repositories are kept. */
  directory: string;
  clock: Clock;
  log: Logger;
}

export interface Git {
  /** Asks a remote at once: "namespace/name", or all. */
  trigger(source?: string): void;
  /** Resolves when no run is under way any more. */
  stop(): Promise<void>;
}

export function startGit({ client, secret, configMap, directory, clock, log }: GitOptions): Git {
  const stopped = new AbortController();
  const { signal } = stopped;
  const repositories = new Cache(client, GitRepository, { log });
  const kustomizations = new Cache(client, Kustomization, { log });
  const discovery = new Discovery(client);
  const sources = new Sources({
    client,
    cache: repositories,
    secret,
    directory,
    clock,
    log,
    events: createEventRecorder(client, { log, component: "source-controller" }),
    signal,
    onCommit: (key) => applied.onCommit(key),
  });
  const applied = new Kustomizations({
    client,
    cache: kustomizations,
    discovery,
    sources,
    render: createRenderSource(client, { secret, configMap }),
    clock,
    log,
    events: createEventRecorder(client, { log, component: "kustomize-controller" }),
    signal,
  });
  void repositories.run(signal);
  void kustomizations.run(signal);
  return {
    trigger: (source) => sources.trigger(source),
    async stop() {
      stopped.abort();
      await Promise.all([sources.loop.settled(), applied.loop.settled()]);
    },
  };
}
