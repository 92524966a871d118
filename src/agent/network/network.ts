/**
 * The pod network of this node: CNI configuration, kernel settings, host ports and masquerading, ways to other nodes.
 * Works in the network namespace that the agent runs in and needs nothing of any other.
 */
import type { V1Node, V1Pod } from "#api/generated/types.ts";
import type { Logger } from "#lib/log.ts";
import { cidrContains, type Family, familyOf, formatAddress, parseAddress, parseCidr } from "./address.ts";
import { cniConfig, writeCniConfig } from "./cni-config.ts";
import { runCommand, type RunCommand } from "./command.ts";
import { FlowMover } from "./flow-mover.ts";
import { podsContents, podsLayout } from "./host-port.ts";
import {
  changeScript,
  diffContents,
  presentChains,
  replaceScript,
  runNft,
  type TableChanges,
  type TableContents,
} from "./nftables.ts";
import type { ObjectSource } from "./object-source.ts";
import {
  hardwareAddress,
  peerChanges,
  type PeerMode,
  type PeerPlan,
  planPeers,
  vxlanDevice,
  vxlanOverheadBytes,
} from "./peer-route.ts";
import { ensureVxlan, type LinkAddress, readAddresses, readPeers } from "./peer-state.ts";
import { startSyncLoop, type SyncLoop } from "./sync-loop.ts";
import { applySysctls } from "./sysctl.ts";

export interface NetworkOptions {
  readonly nodeName: string;
  readonly nodeIps: readonly string[];
  /** The cluster's pod ranges. */
  readonly clusterCidrs: readonly string[];
  /** Addresses that this node answers on itself, such as the cluster DNS address. */
  readonly servedIps?: readonly string[];
  readonly cniConfigDirectory: string;
  readonly cniStateDirectory: string;
  /** How other nodes' pods are reached; default "auto": routes on one segment, else VXLAN. */
  readonly mode?: PeerMode;
  readonly nodes: ObjectSource<V1Node>;
  /** The pods of this node. */
  readonly pods: ObjectSource<V1Pod>;
  readonly log: Logger;
  readonly run?: RunCommand;
}

export interface RunningNetwork {
  /** Resolves when all that was seen so far is in the kernel. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

export const podBridge = "capstan0";
const mtuDefault = 1_500;
const noPeers: PeerPlan = { routes: new Map(), neighbours: new Map(), forwarding: new Map() };
const noContents: TableContents = { chains: new Map(), elements: new Map() };

export async function startNetwork(options: NetworkOptions, signal?: AbortSignal): Promise<RunningNetwork> {
  await Promise.all([options.nodes.synced(signal), options.pods.synced(signal)]);
  const network = new PodNetwork(options);
  network.start();
  return { settled: async () => await network.loop.settled(), stop: async () => await network.stop() };
}

interface FamilyPart {
  readonly family: Family;
  readonly mover: FlowMover;
  contents: TableContents;
}

class PodNetwork {
  readonly loop: SyncLoop;
  readonly #options: NetworkOptions;
  readonly #run: RunCommand;
  readonly #nodes = new Map<string, V1Node>();
  readonly #pods = new Map<string, V1Pod>();
  readonly #parts: readonly FamilyPart[];
  readonly #stops: (() => void)[] = [];
  #peers: PeerPlan = noPeers;
  #addresses: readonly LinkAddress[] = [];

  constructor(options: NetworkOptions) {
    this.#options = options;
    this.#run = options.run ?? runCommand;
    const texts = [...options.nodeIps, ...options.clusterCidrs];
    const families = new Set<Family>(["ip", ...texts.flatMap((text) => familyOf(text.split("/")[0] ?? "") ?? [])]);
    this.#parts = [...families].map((family) => ({
      family,
      mover: new FlowMover(family, options.log),
      contents: noContents,
    }));
    this.loop = startSyncLoop({
      sync: async (full) => await this.#sync(full),
      check: async () => await this.#isPresent(),
      log: options.log,
    });
  }

  start(): void {
    const { nodes, pods } = this.#options;
    this.#stops.push(
      nodes.onChange(({ type, object, old }) => {
        const name = object.metadata.name ?? "";
        if (type === "deleted") this.#nodes.delete(name);
        else this.#nodes.set(name, object);
        if (type !== "modified" || peerText(object) !== peerText(old)) this.loop.request();
      }),
      pods.onChange(({ type, object }) => {
        const key = object.metadata.uid ?? `${object.metadata.namespace}/${object.metadata.name}`;
        if (type === "deleted") this.#pods.delete(key);
        else this.#pods.set(key, object);
        this.loop.request();
      }),
    );
    this.loop.request();
  }

  /** Ends following the cluster; what is set up stays, so that pods go on. */
  async stop(): Promise<void> {
    for (const stop of this.#stops) stop();
    await this.loop.stop();
  }

  get #podCidrs(): readonly string[] {
    const spec = this.#nodes.get(this.#options.nodeName)?.spec;
    return spec?.podCIDRs ?? (spec?.podCIDR === undefined ? [] : [spec.podCIDR]);
  }

  async #sync(full: boolean): Promise<void> {
    if (full) {
      const families = this.#parts.map(({ family }) => family);
      await applySysctls(families, this.#options.log);
      this.#addresses = await readAddresses(this.#run);
    }
    for (const part of this.#parts) await this.#syncRules(part, full);
    if (this.#podCidrs.length > 0) await this.#writeCni();
    await this.#syncPeers(full);
  }

  async #syncRules(part: FamilyPart, full: boolean): Promise<void> {
    const { family, mover } = part;
    const layout = podsLayout(family);
    if (full) mover.forget();
    const want = this.#wantedContents(part);
    const changes = diffContents(full ? noContents : part.contents, want);
    if (full) await runNft(replaceScript(layout, want, await presentChains(layout, this.#run)), this.#run);
    else await runNft(changeScript(layout, changes), this.#run);
    part.contents = want;
    await this.#moveStaleFlows(part, changes);
  }

  #wantedContents({ family, mover }: FamilyPart): TableContents {
    const pods = [...this.#pods.values()].sort((one, other) => ageOf(one).localeCompare(ageOf(other)));
    const { clusterCidrs, servedIps = [] } = this.#options;
    const { chains, elements } = podsContents(family, { pods, podCidrs: this.#podCidrs, clusterCidrs, servedIps });
    return { chains, elements: new Map([...elements, ["moved", mover.moved]]) };
  }

  /** A host port that leads to another pod now: UDP senders that go on sending must not stay with the old one. */
  async #moveStaleFlows(part: FamilyPart, { deleteElements }: TableChanges): Promise<void> {
    const isUdp = (set: string): boolean =>
      [...(deleteElements.get(set)?.keys() ?? [])].some((key) => /\budp\b/.test(key));
    if (!isUdp("address-ports") && !isUdp("any-ports")) return;
    const { elements } = part.contents;
    const targetsOf = (frontend: string, target: string): readonly string[] | undefined => {
      const port = frontend.slice(frontend.indexOf("udp"));
      const current = elements.get("address-ports")?.get(frontend) ?? elements.get("any-ports")?.get(port);
      return current === undefined || !this.#isPodTarget(target) ? undefined : [current];
    };
    await part.mover.look(targetsOf, undefined);
    const want = this.#wantedContents(part);
    await runNft(changeScript(podsLayout(part.family), diffContents(part.contents, want)), this.#run);
    part.contents = want;
  }

  #isPodTarget(target: string): boolean {
    const address = parseAddress(target.split(" ", 1)[0] ?? "");
    const cidrs = this.#podCidrs.flatMap((text) => parseCidr(text) ?? []);
    return address !== undefined && cidrs.some((cidr) => cidrContains(cidr, address));
  }

  async #writeCni(): Promise<void> {
    const { cniConfigDirectory, cniStateDirectory, mode } = this.#options;
    const mtu = this.#underlay()?.mtu ?? mtuDefault;
    const text = cniConfig({
      bridge: podBridge,
      podCidrs: this.#podCidrs,
      mtu: mode === "routes" ? mtu : mtu - vxlanOverheadBytes,
      stateDirectory: cniStateDirectory,
    });
    if (await writeCniConfig(cniConfigDirectory, text)) await this.#dropOldGateways();
  }

  /** A node that was given other ranges has a bridge with the old addresses; the plug-in would refuse to work with it. */
  async #dropOldGateways(): Promise<void> {
    const cidrs = this.#podCidrs.flatMap((range) => parseCidr(range) ?? []);
    for (const { device, ip, segment } of await readAddresses(this.#run)) {
      const address = parseAddress(ip);
      if (device !== podBridge || address === undefined || cidrs.some((cidr) => cidrContains(cidr, address))) continue;
      await this.#run("ip", ["addr", "del", `${ip}/${segment.bits}`, "dev", device]);
    }
  }

  async #syncPeers(full: boolean): Promise<void> {
    const { nodeName, mode = "auto" } = this.#options;
    const segments = this.#addresses
      .filter(({ device }) => device !== podBridge && device !== vxlanDevice)
      .map(({ segment }) => segment);
    const want = planPeers({ nodeName, nodes: this.#nodes.values(), segments, mode });
    const underlay = this.#underlay();
    const isDevicePresent = !full && this.#peers.forwarding.size > 0;
    if (want.forwarding.size > 0 && underlay !== undefined && !isDevicePresent)
      await ensureVxlan(this.#run, {
        nodeIp: underlay.ip,
        hardwareAddress: hardwareAddress(underlay.ip),
        device: underlay.device,
        mtu: underlay.mtu - vxlanOverheadBytes,
        addresses: this.#podCidrs.flatMap((text) => innerAddress(text) ?? []),
      });
    const have = full ? await readPeers(this.#run) : this.#peers;
    const { ip, bridge } = peerChanges(have, want);
    if (bridge.length > 0) await this.#run("bridge", ["-batch", "-"], `${bridge.join("\n")}\n`);
    if (ip.length > 0) await this.#run("ip", ["-batch", "-"], `${ip.join("\n")}\n`);
    this.#peers = want;
  }

  /** The link of the node's address. */
  #underlay(): LinkAddress | undefined {
    const [nodeIp] = this.#options.nodeIps;
    return this.#addresses.find(({ ip }) => ip === nodeIp);
  }

  async #isPresent(): Promise<boolean> {
    for (const { family } of this.#parts)
      if ((await presentChains(podsLayout(family), this.#run)) === undefined) return false;
    if (JSON.stringify(segmentTexts(await readAddresses(this.#run))) !== JSON.stringify(segmentTexts(this.#addresses)))
      return false;
    const { ip, bridge } = peerChanges(await readPeers(this.#run), this.#peers);
    return ip.length === 0 && bridge.length === 0;
  }
}

/** What of another node leads to its pods: nodes change far more often than this does. */
function peerText(node: V1Node | undefined): string {
  return JSON.stringify([node?.spec?.podCIDR, node?.spec?.podCIDRs, node?.status?.addresses]);
}

function ageOf({ metadata }: V1Pod): string {
  return `${metadata.creationTimestamp ?? ""} ${metadata.uid ?? ""}`;
}

function innerAddress(podCidr: string): string | undefined {
  const cidr = parseCidr(podCidr);
  return cidr === undefined ? undefined : `${formatAddress(cidr)}/${cidr.family === "ip" ? 32 : 128}`;
}

/** Our own bridge comes and goes with pods; it says nothing about the way to other nodes. */
function segmentTexts(addresses: readonly LinkAddress[]): string[] {
  const others = addresses.filter(({ device }) => device !== podBridge && device !== vxlanDevice);
  return others.map(({ device, ip, mtu, segment }) => `${device} ${ip}/${segment.bits} ${mtu}`);
}
