/**
 * The way to other nodes' pods: a plain route where the other node is on one of our segments, else through VXLAN. What
 * a node needs to know of another is in its Node object; the VXLAN device's hardware address follows from the node's
 * address, so nothing has to be published.
 */
import type { V1Node } from "#api/generated/types.ts";
import { type Cidr, cidrContains, type Family, formatAddress, parseAddress, parseCidr } from "./address.ts";

export type PeerMode = "auto" | "vxlan" | "routes";

export const vxlanDevice = "capstan-vxlan";
export const vxlanId = 1;
export const vxlanPort = 8472;
/** Bytes that VXLAN puts around a packet (IPv6 underlay: 20 more). */
export const vxlanOverheadBytes = 50;
/** Marks routes as ours, in the number range that is free for administrators. */
export const routeProtocol = 202;

export interface PeerInput {
  readonly nodeName: string;
  readonly nodes: Iterable<V1Node>;
  /** Ranges of the segments that this node is on. */
  readonly segments: readonly Cidr[];
  readonly mode: PeerMode;
}

/** Everything that leads to other nodes. Keys and values are texts, so that two plans can be compared. */
export interface PeerPlan {
  /** Range → what follows "route … RANGE". */
  readonly routes: ReadonlyMap<string, string>;
  /** Inner address on the VXLAN device → hardware address. */
  readonly neighbours: ReadonlyMap<string, string>;
  /** Hardware address → node address. */
  readonly forwarding: ReadonlyMap<string, string>;
}

export function planPeers({ nodeName, nodes, segments, mode }: PeerInput): PeerPlan {
  const routes = new Map<string, string>();
  const neighbours = new Map<string, string>();
  const forwarding = new Map<string, string>();
  for (const node of nodes) {
    if (node.metadata.name === nodeName) continue;
    for (const cidr of (node.spec?.podCIDRs ?? [node.spec?.podCIDR ?? ""]).flatMap((text) => parseCidr(text) ?? [])) {
      const range = `${formatAddress(cidr)}/${cidr.bits}`;
      const direct = nodeAddress(node, cidr.family);
      const isNear = direct !== undefined && segments.some((segment) => cidrContains(segment, parseAddress(direct)!));
      if (mode !== "vxlan" && isNear) {
        routes.set(range, `via ${direct}`);
        continue;
      }
      const outer = nodeAddress(node, "ip") ?? nodeAddress(node, "ip6");
      if (mode === "routes" || outer === undefined) continue;
      const hardware = hardwareAddress(outer);
      const inner = formatAddress(cidr);
      routes.set(range, `via ${inner} dev ${vxlanDevice} onlink`);
      neighbours.set(inner, hardware);
      forwarding.set(hardware, outer);
    }
  }
  return { routes, neighbours, forwarding };
}

/** A locally administered address that a node's VXLAN device has. */
export function hardwareAddress(nodeIp: string): string {
  const address = parseAddress(nodeIp);
  const value = address === undefined ? 0n : fold(address.value);
  const bytes = [24n, 16n, 8n, 0n].map((shift) => Number((value >> shift) & 255n));
  return ["0a", "ca", ...bytes.map((byte) => byte.toString(16).padStart(2, "0"))].join(":");
}

/** IPv4 addresses stay what they are; IPv6 ones are folded to as many bits. */
function fold(value: bigint): bigint {
  return [0n, 32n, 64n, 96n].reduce((sum, shift) => sum ^ ((value >> shift) & 0xffffffffn), 0n);
}

function nodeAddress({ status }: V1Node, family: Family): string | undefined {
  const isInFamily = (text: string): boolean => parseAddress(text)?.family === family;
  return status?.addresses?.find(({ type, address }) => type === "InternalIP" && isInFamily(address))?.address;
}

/** What there is of ours in the kernel, in the terms of a plan. */
export interface PeerChanges {
  /** Lines for `ip -batch`. */
  readonly ip: readonly string[];
  /** Lines for `bridge -batch`. */
  readonly bridge: readonly string[];
}

/** Only what differs. Neighbours come before the routes that need them, and go after them. */
export function peerChanges(have: PeerPlan, want: PeerPlan): PeerChanges {
  const ip: string[] = [];
  const bridge: string[] = [];
  for (const [hardware, outer] of missing(want.forwarding, have.forwarding))
    bridge.push(`fdb replace ${hardware} dev ${vxlanDevice} dst ${outer} self permanent`);
  for (const [inner, hardware] of missing(want.neighbours, have.neighbours))
    ip.push(`neigh replace ${inner} lladdr ${hardware} dev ${vxlanDevice} nud permanent`);
  for (const [range, way] of missing(want.routes, have.routes))
    ip.push(`route replace ${range} ${way} proto ${routeProtocol}`);
  for (const [range] of have.routes) if (!want.routes.has(range)) ip.push(`route del ${range} proto ${routeProtocol}`);
  for (const [inner] of have.neighbours)
    if (!want.neighbours.has(inner)) ip.push(`neigh del ${inner} dev ${vxlanDevice}`);
  for (const [hardware, outer] of have.forwarding)
    if (want.forwarding.get(hardware) === undefined)
      bridge.push(`fdb del ${hardware} dev ${vxlanDevice} dst ${outer} self`);
  return { ip, bridge };
}

function missing(want: ReadonlyMap<string, string>, have: ReadonlyMap<string, string>): [string, string][] {
  return [...want].filter(([key, value]) => have.get(key) !== value);
}
