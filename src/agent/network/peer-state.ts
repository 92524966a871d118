/** Reads what there is of peer-route.ts's plan in the kernel, and makes and removes the devices that it needs. */
import { type Cidr, familyOf, parseCidr } from "./address.ts";
import type { RunCommand } from "./command.ts";
import { type PeerPlan, routeProtocol, vxlanDevice, vxlanId, vxlanPort } from "./peer-route.ts";

export interface LinkAddress {
  readonly device: string;
  readonly ip: string;
  readonly segment: Cidr;
  readonly mtu: number;
}

interface ListedLink {
  ifname: string;
  mtu: number;
  address?: string;
  addr_info?: { local?: string; prefixlen?: number; scope?: string }[];
}

/** Every address of global scope in this network namespace. */
export async function readAddresses(run: RunCommand): Promise<LinkAddress[]> {
  const links = parseList<ListedLink>(await run("ip", ["-json", "addr", "show"]));
  return links.flatMap(({ ifname, mtu, addr_info = [] }) =>
    addr_info.flatMap(({ local, prefixlen, scope }) => {
      const segment = parseCidr(`${local}/${prefixlen}`);
      return scope === "global" && local !== undefined && segment !== undefined
        ? [{ device: ifname, ip: local, segment, mtu }]
        : [];
    }),
  );
}

export async function readPeers(run: RunCommand): Promise<PeerPlan> {
  const routes = new Map<string, string>();
  for (const family of ["-4", "-6"]) {
    const listed = await run("ip", ["-json", family, "route", "show", "proto", String(routeProtocol)]);
    for (const { dst, gateway, dev, flags } of parseList<ListedRoute>(listed)) {
      const range = dst.includes("/") ? dst : `${dst}/${familyOf(dst) === "ip" ? 32 : 128}`;
      routes.set(range, flags?.includes("onlink") === true ? `via ${gateway} dev ${dev} onlink` : `via ${gateway}`);
    }
  }
  if (!(await hasLink(run, vxlanDevice))) return { routes, neighbours: new Map(), forwarding: new Map() };
  const neighbours = parseList<{ dst: string; lladdr: string }>(
    await run("ip", ["-json", "neigh", "show", "dev", vxlanDevice, "nud", "permanent"]),
  );
  const forwarding = parseList<{ mac: string; dst?: string }>(
    await run("bridge", ["-json", "fdb", "show", "dev", vxlanDevice]),
  );
  return {
    routes,
    neighbours: new Map(neighbours.map(({ dst, lladdr }) => [dst, lladdr])),
    forwarding: new Map(forwarding.flatMap(({ mac, dst }) => (dst === undefined ? [] : [[mac, dst] as const]))),
  };
}

interface ListedRoute {
  dst: string;
  gateway: string;
  dev: string;
  flags?: string[];
}

export interface VxlanOptions {
  readonly nodeIp: string;
  readonly hardwareAddress: string;
  readonly device: string;
  readonly mtu: number;
  /** The device's own inner addresses: the first of each pod range. */
  readonly addresses: readonly string[];
}

/** Makes the device unless there is one; one of another underlay (the node's address changed) is made anew. */
export async function ensureVxlan(run: RunCommand, options: VxlanOptions): Promise<void> {
  const { nodeIp, hardwareAddress, device, mtu, addresses } = options;
  const [known] = (await hasLink(run, vxlanDevice))
    ? parseList<ListedLink>(await run("ip", ["-json", "addr", "show", "dev", vxlanDevice]))
    : [];
  const lines: string[] = [];
  if (known !== undefined && known.address !== hardwareAddress) lines.push(`link del ${vxlanDevice}`);
  if (known?.address !== hardwareAddress)
    lines.push(
      `link add ${vxlanDevice} address ${hardwareAddress} mtu ${mtu} type vxlan id ${vxlanId} dev ${device} local ${nodeIp} dstport ${vxlanPort} nolearning`,
    );
  const present = known?.address === hardwareAddress ? (known.addr_info ?? []).map(({ local }) => local) : [];
  for (const address of addresses)
    if (!present.includes(address.split("/", 1)[0])) lines.push(`addr add ${address} dev ${vxlanDevice} noprefixroute`);
  lines.push(`link set ${vxlanDevice} up`);
  await run("ip", ["-batch", "-"], `${lines.join("\n")}\n`);
}

export async function hasLink(run: RunCommand, device: string): Promise<boolean> {
  const links = parseList<ListedLink>(await run("ip", ["-json", "link", "show"]));
  return links.some(({ ifname }) => ifname === device);
}

/** `ip -json` prints nothing at all for an empty list, at times. */
function parseList<T>(text: string): T[] {
  return text.trim() === "" ? [] : (JSON.parse(text) as T[]);
}
