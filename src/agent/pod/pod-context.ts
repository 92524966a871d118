/** What every pod worker of a node shares. */
import type { Clock } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import type { Service } from "#api/core/service.ts";
import type { Client } from "#client/client.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import type { AgentPaths } from "#agent/agent-paths.ts";
import type { ImagePuller } from "#agent/images/image-puller.ts";
import type { Cgroups } from "#agent/node/cgroups.ts";
import type { RuntimeClient } from "#agent/runtime/runtime-client.ts";
import type { ObjectCaches } from "#agent/volumes/object-caches.ts";
import type { PodVolumes } from "#agent/volumes/pod-volumes.ts";
import type { Allocatable } from "./field-ref.ts";
import type { ClusterDns, DnsSettings } from "./pod-dns.ts";

export interface PodContext {
  readonly log: Logger;
  readonly clock: Clock;
  readonly client: Client;
  readonly events: EventRecorder;
  readonly runtime: RuntimeClient;
  readonly paths: AgentPaths;
  readonly volumes: PodVolumes;
  readonly objects: ObjectCaches;
  readonly images: ImagePuller;
  readonly cgroups: Cgroups;
  readonly dns: ClusterDns;
  readonly nodeMemoryBytes: number;
  readonly hostIps: readonly string[];
  hostDns(): Promise<DnsSettings>;
  allocatable(): Allocatable;
  /** Services of a namespace, and the API server's own. Waits for the first list. */
  services(namespace: string): Promise<readonly Service[]>;
}
