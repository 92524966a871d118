/**
 * Makes Services reachable on this node: follows Services and EndpointSlices and keeps our nftables table equal to what
 * they ask for. Only what changed is planned again and sent to the kernel.
 */
import type { V1EndpointSlice, V1Node, V1Service } from "#api/generated/types.ts";
import type { Logger } from "#lib/log.ts";
import { type Family, familyOf, minimalRanges, parseCidr } from "#agent/network/address.ts";
import { runCommand, type RunCommand } from "#agent/network/command.ts";
import { FlowMover } from "#agent/network/flow-mover.ts";
import { changeScript, presentChains, replaceScript, runNft, type TableChanges } from "#agent/network/nftables.ts";
import type { ObjectSource } from "#agent/network/object-source.ts";
import { startSyncLoop, type SyncLoop } from "#agent/network/sync-loop.ts";
import { HealthCheckServers } from "./health-check.ts";
import { endpointsOf, servicesLayout } from "./service-layout.ts";
import { isProxied, planService, type ProxyNode, type ServicePlan } from "./service-plan.ts";
import { ServiceTable } from "./service-table.ts";

export interface ProxyOptions {
  readonly nodeName: string;
  /** The node's primary address of each family; node ports listen on these. */
  readonly nodeIps: readonly string[];
  /** The cluster's pod ranges. */
  readonly clusterCidrs: readonly string[];
  readonly serviceCidrs: readonly string[];
  /** Addresses that the node answers on itself, such as the cluster DNS address. */
  readonly servedIps?: readonly string[];
  readonly services: ObjectSource<V1Service>;
  readonly endpointSlices: ObjectSource<V1EndpointSlice>;
  readonly nodes: ObjectSource<V1Node>;
  readonly log: Logger;
  readonly run?: RunCommand;
}

export interface RunningProxy {
  /** Resolves when all that was seen so far is in the kernel. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

const serviceNameLabel = "kubernetes.io/service-name";
const headlessLabel = "service.kubernetes.io/headless";
const zoneLabel = "topology.kubernetes.io/zone";
const apiServerService = "default/kubernetes";

/** Starts once Services, EndpointSlices and Nodes are listed: rules of a former run hold until then. */
export async function startProxy(options: ProxyOptions, signal?: AbortSignal): Promise<RunningProxy> {
  const { services, endpointSlices, nodes } = options;
  await Promise.all([services, endpointSlices, nodes].map((source) => source.synced(signal)));
  const proxy = new ServiceProxy(options);
  proxy.start();
  return { settled: async () => await proxy.loop.settled(), stop: async () => await proxy.stop() };
}

interface FamilyPart {
  readonly family: Family;
  readonly table: ServiceTable;
  readonly mover: FlowMover;
}

class ServiceProxy {
  readonly loop: SyncLoop;
  readonly #options: ProxyOptions;
  readonly #run: RunCommand;
  readonly #tables: readonly FamilyPart[];
  readonly #health: HealthCheckServers;
  readonly #services = new Map<string, V1Service>();
  readonly #slices = new Map<string, Map<string, V1EndpointSlice>>();
  readonly #nodes = new Map<string, V1Node>();
  readonly #checks = new Map<string, NonNullable<ServicePlan["healthCheck"]>>();
  readonly #dirty = new Set<string>();
  readonly #stops: (() => void)[] = [];
  #place: ProxyNode | undefined;

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#run = options.run ?? runCommand;
    const families = new Set<Family>([
      "ip",
      ...[...options.nodeIps, ...options.serviceCidrs].flatMap((text) => familyOf(text.split("/")[0] ?? "") ?? []),
    ]);
    this.#tables = [...families].map((family) => ({
      family,
      table: new ServiceTable(family),
      mover: new FlowMover(family, options.log),
    }));
    this.#health = new HealthCheckServers(options.log);
    this.loop = startSyncLoop({
      sync: async (full) => await this.#sync(full),
      check: async () => await this.#isPresent(),
      log: options.log,
    });
  }

  start(): void {
    const { services, endpointSlices, nodes } = this.#options;
    this.#stops.push(
      nodes.onChange(({ type, object, old }) => this.#takeNode(type === "deleted" ? undefined : object, old)),
      services.onChange(({ type, object }) => this.#takeService(type === "deleted", object)),
      endpointSlices.onChange(({ type, object, old }) =>
        this.#takeSlice(type === "deleted" ? undefined : object, old ?? object),
      ),
    );
    this.loop.request();
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops) stop();
    this.#health.stop();
    await this.loop.stop();
  }

  #takeService(isDeleted: boolean, service: V1Service): void {
    const name = nameOf(service);
    if (isDeleted || !isProxied(service)) this.#services.delete(name);
    else this.#services.set(name, service);
    this.#touch(name);
  }

  #takeSlice(slice: V1EndpointSlice | undefined, old: V1EndpointSlice | undefined): void {
    const owner = slice === undefined ? undefined : ownerOf(slice);
    const formerOwner = old === undefined ? undefined : ownerOf(old);
    if (formerOwner !== undefined && formerOwner !== owner) this.#setSlice(formerOwner, nameOf(old!), undefined);
    if (owner !== undefined) this.#setSlice(owner, nameOf(slice!), slice);
  }

  #setSlice(owner: string, name: string, slice: V1EndpointSlice | undefined): void {
    const slices = this.#slices.get(owner) ?? new Map<string, V1EndpointSlice>();
    if (slice === undefined) slices.delete(name);
    else slices.set(name, slice);
    if (slices.size === 0) this.#slices.delete(owner);
    else this.#slices.set(owner, slices);
    this.#touch(owner);
    if (owner === apiServerService) this.#replace();
  }

  #takeNode(node: V1Node | undefined, old: V1Node | undefined): void {
    const name = (node ?? old)?.metadata.name ?? "";
    if (node === undefined) this.#nodes.delete(name);
    else this.#nodes.set(name, node);
    if (placeText(node) !== placeText(old)) this.#replace();
  }

  #touch(name: string): void {
    this.#dirty.add(name);
    this.loop.request();
  }

  /** Plans all Services again if what they are planned for has changed. */
  #replace(): void {
    const place = this.#makePlace();
    if (comparable(place) === comparable(this.#place)) return;
    this.#place = place;
    for (const { family, table } of this.#tables) {
      const { podCidrs, serviceCidrs } = this.#ranges(family);
      table.setShared("node", [
        ...podCidrs.map((range) => ["pod-cidrs", range] as const),
        ...serviceCidrs.map((range) => ["service-cidrs", range] as const),
      ]);
    }
    for (const name of this.#services.keys()) this.#dirty.add(name);
    this.loop.request();
  }

  #ranges(family: Family): { podCidrs: string[]; serviceCidrs: string[] } {
    const ofFamily = (texts: readonly string[]): string[] =>
      minimalRanges(texts.filter((text) => parseCidr(text)?.family === family));
    return {
      // Where another network plug-in gives addresses, the node's range says little; the cluster's says enough.
      podCidrs: ofFamily([...podCidrsOf(this.#nodes.get(this.#options.nodeName)), ...this.#options.clusterCidrs]),
      serviceCidrs: ofFamily(this.#options.serviceCidrs),
    };
  }

  #makePlace(): ProxyNode {
    const { nodeName, nodeIps, servedIps = [], clusterCidrs, serviceCidrs } = this.#options;
    const node = this.#nodes.get(nodeName);
    const zone = node?.metadata.labels?.[zoneLabel];
    const addresses = [...this.#nodes.values()].flatMap(({ status }) => status?.addresses ?? []);
    const servers = [...(this.#slices.get(apiServerService)?.values() ?? [])].flatMap(
      ({ endpoints }) => endpoints ?? [],
    );
    return {
      nodeName,
      nodeIps,
      servedIps,
      ...(zone === undefined || zone === "" ? {} : { zone }),
      podCidrs: podCidrsOf(node).flatMap((text) => parseCidr(text) ?? []),
      clusterCidrs: [...clusterCidrs, ...serviceCidrs].flatMap((text) => parseCidr(text) ?? []),
      guardedIps: new Set([
        ...nodeIps,
        ...addresses.map(({ address }) => address),
        ...servers.flatMap((s) => s.addresses),
      ]),
    };
  }

  async #sync(full: boolean): Promise<void> {
    this.#planDirty();
    for (const part of this.#tables) {
      const { family, table, mover } = part;
      if (full) {
        mover.forget();
        table.setMap("moved", mover.moved);
      }
      const changes = table.takeChanges();
      if (full) await this.#replaceTable(family, table);
      else await runNft(changeScript(servicesLayout(family), changes), this.#run);
      await this.#moveStaleFlows(part, full ? undefined : udpFrontends(changes));
    }
  }

  #planDirty(): void {
    const place = this.#place ?? (this.#place = this.#makePlace());
    for (const name of this.#dirty) {
      const service = this.#services.get(name);
      const slices = [...(this.#slices.get(name)?.values() ?? [])];
      const plan = service === undefined ? undefined : planService(service, slices, place);
      for (const { table } of this.#tables) table.set(name, plan);
      if (plan?.healthCheck === undefined) this.#checks.delete(name);
      else this.#checks.set(name, plan.healthCheck);
    }
    this.#dirty.clear();
    this.#health.set([...this.#checks.values()]);
  }

  async #replaceTable(family: Family, table: ServiceTable): Promise<void> {
    const layout = servicesLayout(family);
    const present = await presentChains(layout, this.#run);
    await runNft(replaceScript(layout, table.contents(), present), this.#run);
  }

  async #isPresent(): Promise<boolean> {
    for (const { family } of this.#tables)
      if ((await presentChains(servicesLayout(family), this.#run)) === undefined) return false;
    return true;
  }

  async #moveStaleFlows(part: FamilyPart, changed: ReadonlySet<string> | undefined): Promise<void> {
    const { family, table, mover } = part;
    await mover.look((frontend) => table.targetsOf(frontend), changed);
    table.setMap("moved", mover.moved);
    await runNft(changeScript(servicesLayout(family), table.takeChanges()), this.#run);
  }
}

/** UDP frontends of which something was taken away. */
function udpFrontends({ deleteElements }: TableChanges): Set<string> {
  const keys = [endpointsOf("udp"), "held", "refused"].flatMap((set) => [...(deleteElements.get(set)?.keys() ?? [])]);
  return new Set(keys.filter((key) => key.includes(" . udp . ")).map((key) => key.split(" . ", 3).join(" . ")));
}

function podCidrsOf(node: V1Node | undefined): readonly string[] {
  return node?.spec?.podCIDRs ?? (node?.spec?.podCIDR === undefined ? [] : [node.spec.podCIDR]);
}

/** The Service whose endpoints a slice holds; undefined if it is none of a proxied Service. */
function ownerOf({ metadata }: V1EndpointSlice): string | undefined {
  const service = metadata.labels?.[serviceNameLabel];
  if (service === undefined || service === "" || metadata.labels?.[headlessLabel] !== undefined) return undefined;
  return `${metadata.namespace ?? ""}/${service}`;
}

/** The part of a node that plans depend on: nodes change far more often than this does. */
function placeText(node: V1Node | undefined): string {
  if (node === undefined) return "";
  return JSON.stringify([podCidrsOf(node), node.metadata.labels?.[zoneLabel], node.status?.addresses]);
}

function nameOf({ metadata }: V1Service | V1EndpointSlice): string {
  return `${metadata.namespace ?? ""}/${metadata.name ?? ""}`;
}

function comparable(place: ProxyNode | undefined): string {
  if (place === undefined) return "";
  const replacer = (_key: string, value: unknown): unknown => {
    if (typeof value === "bigint") return value.toString();
    return value instanceof Set ? [...(value as Set<string>)].sort() : value;
  };
  return JSON.stringify(place, replacer);
}
