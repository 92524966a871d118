/**
 * UDP flows that the kernel still leads to an endpoint that is gone. Their packets are put into another conntrack zone,
 * where they are new and are balanced afresh. That needs no tool and no netlink socket, and takes effect within one
 * nftables transaction. The list of flows is the kernel's /proc/net/nf_conntrack.
 */
import { type Family, formatAddress, parseAddress } from "./address.ts";

export interface Flow {
  readonly family: Family;
  /** "10.42.0.5 . 40000 . 10.43.0.10 . 53": source and target before any translation. */
  readonly key: string;
  /** "10.43.0.10 . udp . 53" */
  readonly frontend: string;
  /** "10.42.0.9 . 53": who answers. */
  readonly target: string;
  readonly zone: number;
}

const zonesMax = 65_535;
/** Flows that are held in other zones at once; beyond it the rest waits for the kernel's time-out. */
export const movedFlowsMax = 65_536;

/** The UDP flows of a text like /proc/net/nf_conntrack. */
export function parseUdpFlows(text: string): Flow[] {
  return text.split("\n").flatMap((line) => parseUdpFlow(line) ?? []);
}

/**
 * The map of moved flows after a change: those already moved that still live, and those that have become stale.
 * `targetsOf` gives a frontend's targets (it is told who answers now), undefined where the frontend is not ours (any
 * more). `changed`: the frontends that may have lost a target; undefined: all of ours.
 */
export function movedFlows(
  flows: readonly Flow[],
  moved: ReadonlyMap<string, string>,
  targetsOf: (frontend: string, target: string) => readonly string[] | undefined,
  changed: ReadonlySet<string> | undefined,
): Map<string, string> {
  const next = new Map<string, string>();
  for (const { key, zone } of flows) if (moved.get(key) === String(zone)) next.set(key, String(zone));
  for (const { key, frontend, target, zone } of flows) {
    const isCurrent = (moved.get(key) ?? "0") === String(zone);
    if (!isCurrent || changed?.has(frontend) === false) continue;
    const targets = targetsOf(frontend, target);
    const isStale = targets === undefined ? changed !== undefined : !targets.includes(target);
    if (!isStale) continue;
    if (next.size < movedFlowsMax || next.has(key)) next.set(key, String((zone % zonesMax) + 1));
  }
  return next;
}

function parseUdpFlow(line: string): Flow | undefined {
  const [layer, , protocol] = line.split(/\s+/, 3);
  if (protocol !== "udp") return undefined;
  const family: Family = layer === "ipv6" ? "ip6" : "ip";
  const [source, back] = valuesOf(line, "src");
  const [target] = valuesOf(line, "dst");
  const [sourcePort, backPort] = valuesOf(line, "sport");
  const [targetPort] = valuesOf(line, "dport");
  if (source === undefined || target === undefined || back === undefined) return undefined;
  const to = shortAddress(target);
  return {
    family,
    key: `${shortAddress(source)} . ${sourcePort} . ${to} . ${targetPort}`,
    frontend: `${to} . udp . ${targetPort}`,
    target: `${shortAddress(back)} . ${backPort}`,
    zone: Number(valuesOf(line, "zone-orig")[0] ?? 0),
  };
}

function valuesOf(line: string, name: string): string[] {
  return [...line.matchAll(new RegExp(`(?:^|\\s)${name}=(\\S+)`, "g"))].map(([, value]) => value ?? "");
}

function shortAddress(text: string): string {
  const address = parseAddress(text);
  return address === undefined ? text : formatAddress(address);
}
