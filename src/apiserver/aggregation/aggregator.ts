/**
 * API services: registers what this server serves, watches over the servers of others, and sends on what is theirs.
 * Upstream: kube-aggregator/pkg/apiserver.
 */
import { formatTime, type Clock } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import type { V1EndpointSlice, V1Service } from "#api/generated/types.ts";
import type { Status } from "#api/status-error.ts";
import type { ResourceCache } from "#apiserver/cache/resource-cache.ts";
import type { ApiResource, RemoteVersion } from "#apiserver/discovery/api-resource.ts";
import { isEqual } from "#apiserver/resource/metadata.ts";
import type { LocalTransport } from "#apiserver/transport.ts";
import { faultText } from "#apiserver/webhook/fault-text.ts";
import { type Verdict, failedCheck, isAvailable, local, obstacle, passed, withVerdict } from "./availability.ts";
import { type ApiService, type GroupVersion, localApiServices } from "./priorities.ts";
import { Registration } from "./registration.ts";
import { remoteResources } from "./remote-discovery.ts";
import { type RemoteParts, RemoteServer } from "./remote-server.ts";

const path = "/apis/apiregistration.k8s.io/v1/apiservices";
const serviceLabel = "kubernetes.io/service-name";
/** A server that answers is asked again after this. */
const recheckMs = 30_000;
const retryFirstMs = 250;
const retryMaxMs = 30_000;
const probeTimeoutMs = 5_000;

export interface AggregatorParts extends RemoteParts {
  clock: Clock;
  log: Logger;
  builtIn(): Iterable<GroupVersion>;
  custom(): Iterable<GroupVersion>;
  onCatalogueChange(listener: () => void): void;
}

interface Followed {
  server: RemoteServer;
  resources: readonly ApiResource[];
  failures: number;
  timer: NodeJS.Timeout | undefined;
  isBusy: boolean;
  isStale: boolean;
}

export class Aggregator {
  readonly #parts: AggregatorParts;
  readonly #services: ResourceCache;
  readonly #remote = new Map<string, Followed>();
  #transport: LocalTransport | undefined;
  #registration: Registration | undefined;
  readonly #listeners = new Set<() => void>();
  readonly #stops: (() => void)[] = [];
  #isStopped = false;

  constructor(parts: AggregatorParts) {
    this.#parts = parts;
    this.#services = parts.cache.resource("/registry/apiregistration.k8s.io/apiservices/");
  }

  /** Acts through `transport`. Resolves when everything that is served here is registered. */
  async start(transport: LocalTransport): Promise<void> {
    const { cache, log, builtIn, custom, onCatalogueChange } = this.#parts;
    this.#transport = transport;
    const wanted = () => localApiServices(builtIn(), custom());
    const registration = new Registration({ services: this.#services, transport, log, wanted });
    this.#registration = registration;
    for (const { object } of this.#services.entries.range("")) this.#follow(object as ApiService);
    this.#stops.push(
      this.#services.listen((changes) => {
        for (const { key, current } of changes)
          if (current === undefined) this.#forget(key);
          else this.#follow(current.object as ApiService);
        void registration.settle();
      }),
      cache.resource("/registry/core/services/").listen((changes) => {
        for (const { key } of changes) this.#recheckService(key);
      }),
      cache.resource("/registry/discovery.k8s.io/endpointslices/").listen((changes) => {
        for (const { current, previous } of changes) {
          const { namespace = "", labels = {} } = (current ?? previous)!.object.metadata;
          this.#recheckService(`${namespace}/${labels[serviceLabel] ?? ""}`);
        }
      }),
    );
    onCatalogueChange(() => {
      if (!this.#isStopped) void registration.settle();
    });
    await registration.settle();
  }

  stop(): void {
    this.#isStopped = true;
    this.#registration?.stop();
    for (const stop of this.#stops) stop();
    for (const name of this.#remote.keys()) this.#forget(name);
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** The server that a path is for, where it is not this one. */
  find(where: string): RemoteServer | undefined {
    if (this.#remote.size === 0) return undefined;
    const [root, group = "", version = ""] = where
      .replace(/^\/openapi\/v3\//, "/")
      .split("/")
      .slice(1);
    if (root === "apis") return this.#remote.get(`${version}.${group}`)?.server;
    return root === "api" && group !== "" ? this.#remote.get(`${group}.`)?.server : undefined;
  }

  versions(): RemoteVersion[] {
    return [...this.#remote.values()].map(({ server, resources }) => {
      const { group = "", version = "", groupPriorityMinimum, versionPriority } = server.service.spec!;
      return {
        group,
        version,
        groupPriority: groupPriorityMinimum,
        versionPriority,
        isAvailable: isAvailable(server.service),
        resources,
      };
    });
  }

  #follow(service: ApiService): void {
    const name = service.metadata.name ?? "";
    const before = this.#remote.get(name);
    if (service.spec?.service === undefined) {
      this.#forget(name);
      if (!isAvailable(service)) this.#report(name, local);
      return;
    }
    const server = new RemoteServer(service, this.#parts);
    const isSame = before !== undefined && isEqual(before.server.service.spec, service.spec);
    if (isSame) before.server = server;
    else {
      this.#forget(name);
      const followed = { server, resources: [], failures: 0, timer: undefined, isBusy: false, isStale: false };
      this.#remote.set(name, followed);
      this.#check(name);
    }
    this.#changed();
  }

  #forget(name: string): void {
    const followed = this.#remote.get(name);
    if (followed === undefined) return;
    clearTimeout(followed.timer);
    this.#remote.delete(name);
    this.#changed();
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  #recheckService(key: string): void {
    for (const [name, { server }] of this.#remote) {
      const { namespace = "", name: service = "" } = server.service.spec?.service ?? {};
      if (key === `${namespace}/${service}`) this.#check(name);
    }
  }

  /** One check at a time for each; what comes meanwhile makes for another one. */
  #check(name: string): void {
    const followed = this.#remote.get(name);
    if (followed === undefined || this.#isStopped) return;
    if (followed.isBusy) {
      followed.isStale = true;
      return;
    }
    clearTimeout(followed.timer);
    followed.isBusy = true;
    followed.isStale = false;
    this.#checkOnce(name, followed)
      .catch((error: unknown) =>
        this.#parts.log.warn("an API service could not be checked", { name, error: error as Error }),
      )
      .finally(() => {
        followed.isBusy = false;
        if (this.#remote.get(name) !== followed || this.#isStopped) return;
        const delay = Math.min(retryFirstMs * 2 ** followed.failures, retryMaxMs);
        const wait = followed.isStale ? 0 : followed.failures === 0 ? recheckMs : delay;
        followed.timer = setTimeout(() => this.#check(name), wait);
        followed.timer.unref();
      })
      .catch(() => {});
  }

  async #checkOnce(name: string, followed: Followed): Promise<void> {
    const verdict = await this.#verdictOn(followed.server);
    followed.failures = verdict.reason === "FailedDiscoveryCheck" ? followed.failures + 1 : 0;
    if (verdict.status === "True") {
      const resources = await remoteResources(followed.server);
      if (resources !== undefined && !isEqual(resources, followed.resources)) {
        followed.resources = resources;
        this.#changed();
      }
    }
    await this.#write(name, verdict);
  }

  async #verdictOn(server: RemoteServer): Promise<Verdict> {
    const { group = "", version = "", service } = server.service.spec ?? {};
    const { cache } = this.#parts;
    const key = `${service?.namespace ?? ""}/${service?.name ?? ""}`;
    const found = cache.resource("/registry/core/services/").get(key)?.object as V1Service | undefined;
    const slices = [
      ...cache.resource("/registry/discovery.k8s.io/endpointslices/").entries.range(`${service?.namespace ?? ""}/`),
    ]
      .map(({ object }) => object as V1EndpointSlice)
      .filter(({ metadata }) => metadata?.labels?.[serviceLabel] === service?.name);
    const hindered = obstacle(server.service, found, slices);
    if (hindered !== undefined) return hindered;
    const root = server.service.metadata.name === "v1." ? "/api" : `/apis/${group}`;
    return probe(server, `${root}/${version}`);
  }

  #report(name: string, verdict: Verdict): void {
    this.#write(name, verdict).catch((error: unknown) =>
      this.#parts.log.warn("the status of an API service could not be written", { name, error: error as Error }),
    );
  }

  async #write(name: string, verdict: Verdict): Promise<void> {
    const service = this.#services.get(name)?.object as ApiService | undefined;
    if (service === undefined) return;
    const before = service.status?.conditions ?? [];
    const conditions = withVerdict(before, verdict, formatTime(this.#parts.clock.now()));
    if (conditions === before) return;
    const body = { ...service, status: { ...service.status, conditions } };
    const answer = await this.#transport!.request({ method: "PUT", path: `${path}/${name}/status`, body });
    if (answer.code === 409) {
      const followed = this.#remote.get(name);
      if (followed !== undefined) followed.isStale = true;
    } else if (answer.code >= 300 && answer.code !== 404) throw new Error((answer.body as Status).message);
  }
}

/** Whether the server says anything at the path of its group. */
async function probe(server: RemoteServer, where: string): Promise<Verdict> {
  let url = "";
  try {
    const { host, port } = server.destination();
    url = `https://${host.includes(":") ? `[${host}]` : host}:${port}${where}`;
    const answer = await server.get(where, { timeoutMs: probeTimeoutMs, isTrusting: true });
    answer.resume();
    const code = answer.statusCode ?? 0;
    if (code >= 200 && code < 300) return passed;
    return failedCheck(`failing or missing response from ${url}: bad status from ${url}: ${code}`);
  } catch (error) {
    const why = faultText(error as Error);
    return failedCheck(
      url === "" ? why : `failing or missing response from ${url}: Get ${JSON.stringify(url)}: ${why}`,
    );
  }
}
