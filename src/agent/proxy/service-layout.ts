/**
 * The nftables layout of Services: data maps, and one chain for each distinct number of endpoints that all Services
 * share (a chain for each Service takes this kernel over a minute for 10,000 of them). What a chain does is said by its
 * name, so chains are only ever added.
 */
import { type Family, minimalRanges } from "#agent/network/address.ts";
import { movedFlowsLayout } from "#agent/network/flow-mover.ts";
import type { TableLayout } from "#agent/network/nftables.ts";
import type { Frontend } from "./service-plan.ts";

export const servicesTable = "capstan-services";

/** The bit that asks for masquerading, the same as kube-proxy's. */
const masqueradeMark = "0x4000";
const keptMark = "0xffffbfff";
/** Slots for traffic from this node and its pods lie above these, in the same maps. */
const insideOffset = 0x100000;
/** Clients that are remembered at once, all Services together; beyond it a client gets a random endpoint. */
const stickyClientsMax = 262_144;

const protocols = ["tcp", "udp", "sctp"] as const;

/** The map of targets of one protocol. */
export function endpointsOf(protocol: string): string {
  return `endpoints-${protocol}`;
}

interface Words {
  readonly source: string;
  readonly target: string;
  readonly address: string;
}

function wordsOf(family: Family): Words {
  return { source: `${family} saddr`, target: `${family} daddr`, address: family === "ip" ? "ipv4_addr" : "ipv6_addr" };
}

export function servicesLayout(family: Family): TableLayout {
  const { source, target, address } = wordsOf(family);
  const moved = movedFlowsLayout(family);
  const frontend = `${address} . inet_proto . inet_service`;
  const key = `${target} . meta l4proto . th dport`;
  const slot = (port: string): string => `typeof ${target} . meta l4proto . ${port} . numgen random mod 2`;
  return {
    family,
    name: servicesTable,
    sets: {
      services: `map services { type ${frontend} : verdict; }`,
      inside: `map inside { type ${frontend} : verdict; }`,
      refused: `map refused { type ${frontend} : verdict; }`,
      // Only `typeof` can say "a number", and then values must be said with a protocol's own port: nft 1.0.6 takes no rule
      // for a map of `th dport` values once that map is in the kernel. So there is a map for each protocol.
      ...Object.fromEntries(
        protocols.map((protocol) => [
          endpointsOf(protocol),
          `map ${endpointsOf(protocol)} { ${slot(`${protocol} dport`)} : ${target} . ${protocol} dport; }`,
        ]),
      ),
      slots: `map slots { ${slot("tcp dport")} : ct mark; }`,
      held: `map held { type ${frontend} . mark : ${address} . inet_service; }`,
      affinity: `map affinity { ${clientType(family)}; flags dynamic,timeout; size ${stickyClientsMax}; }`,
      guarded: `set guarded { type ${frontend}; }`,
      sources: `set sources { type ${frontend} . ${address}; flags interval; }`,
      hairpin: `set hairpin { type ${address} . ${address}; }`,
      "cluster-ips": `set cluster-ips { type ${address}; }`,
      "service-cidrs": `set service-cidrs { type ${address}; flags interval; }`,
      "pod-cidrs": `set pod-cidrs { type ${address}; flags interval; }`,
      ...moved.sets,
    },
    keeps: ["affinity"],
    chains: {
      refuse: { rules: [`meta l4proto tcp reject with tcp reset`, `reject`] },
      dispatch: { rules: [`${key} vmap @services`] },
      check: {
        rules: [
          `${key} vmap @refused`,
          `oifname != "lo" ${target} @cluster-ips goto refuse`,
          `oifname != "lo" ${target} @service-cidrs drop`,
        ],
      },
      guard: { rules: [`${key} @guarded ${key} . ${source} != @sources drop`] },
      ...moved.chains,
      "guard-in": { hook: "type filter hook prerouting priority -110;", rules: ["ct state new jump guard"] },
      "guard-out": { hook: "type filter hook output priority -110;", rules: ["ct state new jump guard"] },
      "nat-in": { hook: "type nat hook prerouting priority -100;", rules: ["jump dispatch"] },
      "nat-out": { hook: "type nat hook output priority -100;", rules: ["jump dispatch"] },
      "check-in": { hook: "type filter hook input priority 0;", rules: [`ct state new ${key} vmap @refused`] },
      "check-forward": {
        hook: "type filter hook forward priority 0;",
        // Packets that the kernel cannot place are not translated back either: the asker would answer them with a reset.
        rules: ["ct state invalid drop", "ct state new jump check"],
      },
      "check-out": { hook: "type filter hook output priority -90;", rules: ["ct state new jump check"] },
      "nat-post": {
        hook: "type nat hook postrouting priority 100;",
        rules: [
          `meta mark & ${masqueradeMark} != 0 meta mark set meta mark & ${keptMark} masquerade fully-random`,
          `ct status dnat ${source} . ${target} @hairpin masquerade fully-random`,
        ],
      },
    },
  };
}

/** What a frontend puts into the table: elements, and the chains that these need (in order of reference). */
export interface FrontendEntry {
  readonly elements: readonly (readonly [set: string, key: string, value: string])[];
  readonly chains: readonly (readonly [name: string, rules: readonly string[]])[];
}

/** `slots`: the frontend's targets in the order in which they are numbered; it is kept from plan to plan. */
export function frontendEntry(
  frontend: Frontend,
  slots: { readonly targets: readonly string[]; readonly inside: readonly string[] },
): FrontendEntry {
  const { family, key, sources } = frontend;
  const elements: [string, string, string][] = [];
  const chains: [string, readonly string[]][] = [];
  const main = balanceChain(frontend, slots.targets.length, 0);
  const inside = balanceChain(frontend, slots.inside.length, insideOffset);
  elements.push(...slotElements(frontend, slots.targets, 0), ...slotElements(frontend, slots.inside, insideOffset));
  if (inside !== undefined) {
    chains.push([inside.name, inside.rules]);
    elements.push(["inside", key, `goto ${inside.name}`]);
  }
  if (main !== undefined) chains.push([main.name, main.rules]);
  if (main !== undefined || inside !== undefined) {
    const entry = entryChain(frontend, main?.name, family);
    chains.push([entry.name, entry.rules]);
    elements.push(["services", key, `goto ${entry.name}`]);
  }
  if (frontend.otherwise !== undefined)
    elements.push(["refused", key, frontend.otherwise === "drop" ? "drop" : "goto refuse"]);
  if (sources !== undefined) {
    elements.push(["guarded", key, ""]);
    for (const range of minimalRanges(sources)) elements.push(["sources", `${key} . ${range}`, ""]);
  }
  return { elements, chains };
}

interface NamedChain {
  readonly name: string;
  readonly rules: readonly string[];
}

/** How traffic comes in decides about masquerading; then it goes on to be balanced. */
function entryChain({ kind, insideTargets }: Frontend, balance: string | undefined, family: Family): NamedChain {
  const { source, target } = wordsOf(family);
  const masquerade = `meta mark set meta mark | ${masqueradeMark}`;
  const onward = balance === undefined ? [] : [`goto ${balance}`];
  if (kind === "cluster")
    return { name: `cluster-${balance}`, rules: [`${source} != @pod-cidrs ${masquerade}`, ...onward] };
  if (insideTargets === undefined) return { name: `outside-${balance}`, rules: [masquerade, ...onward] };
  const key = `${target} . meta l4proto . th dport`;
  return {
    name: `local-${balance ?? "none"}`,
    rules: [
      `${source} @pod-cidrs ${key} vmap @inside`,
      `fib saddr type local ${masquerade}`,
      `fib saddr type local ${key} vmap @inside`,
      ...onward,
    ],
  };
}

function balanceChain({ family, stickySeconds }: Frontend, count: number, offset: number): NamedChain | undefined {
  if (count === 0) return undefined;
  const { target } = wordsOf(family);
  const key = `${target} . meta l4proto . th dport`;
  const choice = `${key} . numgen random mod ${count}${offset === 0 ? "" : ` offset ${offset}`}`;
  const suffix = offset === 0 ? "" : "-inside";
  if (stickySeconds === undefined)
    return {
      name: `to-${count}${suffix}`,
      rules: protocols.map((protocol) => `dnat ${family} to ${choice} map @${endpointsOf(protocol)}`),
    };
  const client = clientKey(family);
  const choose = `ct mark set ${choice} map @slots`;
  // Sets the client's endpoint if it has none, else only prolongs it.
  const remember = `update @affinity { ${client} timeout ${stickySeconds}s : ct mark }`;
  const recall = `ct mark set ${client} map @affinity`;
  const go = `dnat ${family} to ${key} . ct mark map @held`;
  const forget = `delete @affinity { ${client} : ct mark }`;
  // The first `go` finds nothing if the remembered endpoint is gone: then the client is given another.
  return {
    name: `held-${count}-${stickySeconds}${suffix}`,
    rules: [choose, remember, recall, go, forget, choose, remember, go],
  };
}

/**
 * A client at a frontend. nft 1.0.6 crashes on rules that put keys of more than 16 bytes into a map, so in IPv6 two hashes
 * of 32 bits stand for the addresses.
 */
function clientKey(family: Family): string {
  const { source, target } = wordsOf(family);
  const whole = `${source} . ${target} . meta l4proto . th dport`;
  return family === "ip" ? whole : [1, 2].map((seed) => `jhash ${whole} mod 0xffffffff seed ${seed}`).join(" . ");
}

function clientType(family: Family): string {
  if (family === "ip") return "type ipv4_addr . ipv4_addr . inet_proto . inet_service : mark";
  return "typeof numgen random mod 2 . numgen random mod 2 : ct mark";
}

function slotElements(frontend: Frontend, targets: readonly string[], offset: number): [string, string, string][] {
  const { key, stickySeconds } = frontend;
  const [, protocol = ""] = key.split(" . ");
  if (stickySeconds === undefined)
    return targets.map((target, slot) => [endpointsOf(protocol), `${key} . ${slot + offset}`, target]);
  const ids = targetIds(targets);
  return [
    ...targets.map((target, slot): [string, string, string] => [
      "slots",
      `${key} . ${slot + offset}`,
      markText(ids.get(target)!),
    ]),
    ...targets.map((target): [string, string, string] => ["held", `${key} . ${markText(ids.get(target)!)}`, target]),
  ];
}

function markText(id: number): string {
  return `0x${id.toString(16).padStart(8, "0")}`;
}

/**
 * A number for each target that depends on the target alone, so that a restart of the agent finds the clients that the
 * kernel remembers at the same endpoints. Two targets of one number (one in 10^9) share what clients hold.
 */
export function targetIds(targets: readonly string[]): ReadonlyMap<string, number> {
  return new Map(targets.map((target) => [target, hashOf(target)]));
}

function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39) >>> 0;
  return (hash ^ (hash >>> 15)) >>> 0;
}

/**
 * Gives each target a number from 0 up and moves as few as possible: a target keeps its number, a new one takes the
 * place of one that is gone, the last ones fill what stays empty.
 */
export function assignSlots(previous: readonly string[], wanted: readonly string[]): string[] {
  const fresh = wanted.filter((target) => !previous.includes(target));
  const keep = new Set(wanted);
  const slots: (string | undefined)[] = previous.map((target) => (keep.has(target) ? target : fresh.shift()));
  slots.push(...fresh);
  const kept: string[] = [];
  for (let index = 0, end = slots.length; index < end; index++) {
    let target = slots[index];
    while (target === undefined && end > index + 1) target = slots[--end];
    if (target !== undefined) kept.push(target);
  }
  return kept;
}
