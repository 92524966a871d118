/**
 * The nftables table of a node's own pods: host ports, masquerading of what leaves the cluster, and the guard that lets
 * nobody outside reach 127.0.0.1 through the routing that host ports there need (CVE-2020-8558).
 */
import type { V1Container, V1Pod } from "#api/generated/types.ts";
import { type Family, familyOf, minimalRanges, parseCidr } from "./address.ts";
import { movedFlowsLayout } from "./flow-mover.ts";
import type { TableContents, TableLayout } from "./nftables.ts";

export interface PodTrafficInput {
  readonly pods: Iterable<V1Pod>;
  /** This node's pod ranges. */
  readonly podCidrs: readonly string[];
  /** The cluster's pod ranges: between these no address is changed. */
  readonly clusterCidrs: readonly string[];
  /** Addresses that the node answers on itself, such as the cluster DNS address: no host port is on them. */
  readonly servedIps?: readonly string[];
}

export function podsLayout(family: Family): TableLayout {
  const source = `${family} saddr`;
  const target = `${family} daddr`;
  const address = family === "ip" ? "ipv4_addr" : "ipv6_addr";
  const moved = movedFlowsLayout(family);
  const loopback = family === "ip" ? "127.0.0.0/8" : "::1";
  const multicast = family === "ip" ? "224.0.0.0/4" : "ff00::/8";
  return {
    family,
    name: "capstan-pods",
    sets: {
      "address-ports": `map address-ports { type ${address} . inet_proto . inet_service : ${address} . inet_service; }`,
      "any-ports": `map any-ports { type inet_proto . inet_service : ${address} . inet_service; }`,
      hairpin: `set hairpin { type ${address} . ${address}; }`,
      "pod-cidrs": `set pod-cidrs { type ${address}; flags interval; }`,
      ...moved.sets,
      served: `set served { type ${address}; }`,
      "cluster-cidrs": `set cluster-cidrs { type ${address}; flags interval; }`,
    },
    chains: {
      ...moved.chains,
      ports: {
        rules: [
          `dnat ${family} to ${target} . meta l4proto . th dport map @address-ports`,
          `${target} @served return`,
          `fib daddr type local dnat ${family} to meta l4proto . th dport map @any-ports`,
        ],
      },
      guard: {
        hook: "type filter hook prerouting priority -300;",
        rules: [`iifname != "lo" ${target} ${loopback} drop`],
      },
      "nat-in": { hook: "type nat hook prerouting priority -99;", rules: ["jump ports"] },
      "nat-out": { hook: "type nat hook output priority -99;", rules: ["jump ports"] },
      "nat-post": {
        hook: "type nat hook postrouting priority 101;",
        rules: [
          `ct status dnat ${source} . ${target} @hairpin masquerade fully-random`,
          `ct status dnat ${source} ${loopback} ${target} @pod-cidrs masquerade fully-random`,
          `${source} @pod-cidrs ${target} != @cluster-cidrs ${target} != ${multicast} masquerade fully-random`,
        ],
      },
    },
  };
}

/** The elements that these pods and ranges ask for. */
export function podsContents(
  family: Family,
  { pods, podCidrs, clusterCidrs, servedIps = [] }: PodTrafficInput,
): TableContents {
  const addressPorts = new Map<string, string>();
  const anyPorts = new Map<string, string>();
  const hairpin = new Map<string, string>();
  for (const pod of pods) {
    const podIp = podIpOf(pod, family);
    if (podIp === undefined) continue;
    for (const { hostIP = "", protocol, hostPort, containerPort } of hostPortsOf(pod)) {
      const key = `${(protocol ?? "TCP").toLowerCase()} . ${hostPort}`;
      const target = `${podIp} . ${containerPort}`;
      hairpin.set(`${podIp} . ${podIp}`, "");
      if (hostIP === "" || isUnspecified(hostIP)) anyPorts.set(key, target);
      else if (familyOf(hostIP) === family) addressPorts.set(`${hostIP} . ${key}`, target);
    }
  }
  const ranges = (texts: readonly string[]): Map<string, string> =>
    new Map(minimalRanges(texts.filter((text) => parseCidr(text)?.family === family)).map((range) => [range, ""]));
  return {
    chains: new Map(),
    elements: new Map([
      ["address-ports", addressPorts],
      ["any-ports", anyPorts],
      ["hairpin", hairpin],
      ["served", new Map(servedIps.filter((ip) => familyOf(ip) === family).map((ip) => [ip, ""]))],
      ["pod-cidrs", ranges(podCidrs)],
      ["cluster-cidrs", ranges([...clusterCidrs, ...podCidrs])],
    ]),
  };
}

/** True if the pod's traffic is ours to steer: it has an address of its own and still runs. */
export function hasHostPorts(pod: V1Pod): boolean {
  return hostPortsOf(pod).length > 0;
}

function podIpOf({ spec, status }: V1Pod, family: Family): string | undefined {
  if (spec?.hostNetwork === true || status?.phase === "Succeeded" || status?.phase === "Failed") return undefined;
  const all = status?.podIPs?.map(({ ip }) => ip) ?? (status?.podIP === undefined ? [] : [status.podIP]);
  return all.find((ip) => ip !== undefined && familyOf(ip) === family);
}

function hostPortsOf({ spec }: V1Pod): NonNullable<V1Container["ports"]> {
  if (spec?.hostNetwork === true) return [];
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  const ports = [...(spec?.containers ?? []), ...sidecars].flatMap((container) => container.ports ?? []);
  return ports.filter(({ hostPort }) => hostPort !== undefined && hostPort > 0);
}

function isUnspecified(ip: string): boolean {
  return ip === "0.0.0.0" || ip === "::";
}
