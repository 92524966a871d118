/**
 * Hints that give every zone endpoints in proportion to its CPUs, for services that ask for that by annotation. Unlike
 * upstream, which moves as few hints as it can, they are worked out anew each time, the same for the same endpoints.
 * Upstream: staging endpointslice/topologycache.
 */
import type { Node } from "#api/core/node.ts";
import type { Service } from "#api/core/service.ts";
import type { V1Endpoint } from "#api/generated/types.ts";
import { milliValue } from "#api/quantity.ts";
import { nodeCondition } from "#reconcilers/node/node-health.ts";

const zoneLabel = "topology.kubernetes.io/zone";
const modeAnnotations = ["service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode"];
/** Nodes with any of these labels count for nothing. */
const excludedLabels = ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"];
/** No endpoint shall bear more than so much above its share. */
const overloadMax = 0.2;

export function wantsTopologyHints({ metadata: { annotations = {} } }: Service): boolean {
  const mode = modeAnnotations.map((name) => annotations[name]).find((value) => value !== undefined);
  return mode === "Auto" || mode === "auto";
}

/** What a node says of itself that hints depend on. */
export function topologyFacts({ metadata: { labels = {} }, status }: Node): readonly unknown[] {
  const isExcluded = excludedLabels.some((name) => name in labels);
  const isReady =
    nodeCondition({ metadata: {}, ...(status === undefined ? {} : { status }) }, "Ready")?.status === "True";
  return [labels[zoneLabel], status?.allocatable?.["cpu"], isExcluded, isReady];
}

export type Hints =
  | { hints: ReadonlyMap<V1Endpoint, string> }
  /** Why there are none. */
  | { fault: string };

/** The zone that each ready endpoint serves. */
export function topologyHints(endpoints: readonly V1Endpoint[], nodes: readonly Node[]): Hints {
  const ready = endpoints.filter(({ conditions }) => conditions?.ready === true);
  const shares = cpuShares(nodes);
  if (shares === undefined)
    return { fault: "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes" };
  const counts = `(${ready.length} endpoints, ${shares.size} zones)`;
  if (shares.size > ready.length) return { fault: `Insufficient number of endpoints ${counts}` };
  const least = new Map(
    [...shares].map(([zone, share]) => [zone, Math.ceil((share * ready.length) / (1 + overloadMax))]),
  );
  if ([...least.values()].reduce((sum, count) => sum + count, 0) > ready.length)
    return {
      fault: `Unable to allocate minimum required endpoints to each zone without exceeding overload threshold ${counts}`,
    };
  if (ready.some(({ zone = "" }) => zone === ""))
    return { fault: "One or more endpoints do not have a zone specified" };
  const desired = new Map(
    [...shares].map(([zone, share]) => [zone, Math.max(share * ready.length, least.get(zone) ?? 0)]),
  );
  return { hints: redistributed(ready, desired) };
}

/** By zone; undefined if some node does not say enough, or there are not two zones. */
function cpuShares(nodes: readonly Node[]): Map<string, number> | undefined {
  const milli = new Map<string, number>();
  for (const node of nodes) {
    const [zone, cpu, isExcluded, isReady] = topologyFacts(node) as [string?, string?, boolean?, boolean?];
    if (isExcluded === true || isReady !== true) continue;
    const amount = milliValue(cpu ?? "0");
    if (zone === undefined || zone === "" || amount === 0) return undefined;
    milli.set(zone, (milli.get(zone) ?? 0) + amount);
  }
  if (milli.size < 2) return undefined;
  const total = [...milli.values()].reduce((sum, amount) => sum + amount, 0);
  return new Map([...milli].sort(([a], [b]) => (a < b ? -1 : 1)).map(([zone, amount]) => [zone, amount / total]));
}

/** Each serves its own zone, but for those that zones with too many lend to zones with too few. */
function redistributed(ready: readonly V1Endpoint[], desired: ReadonlyMap<string, number>): Map<V1Endpoint, string> {
  const { giving, receiving } = exchangeOf(ready, desired);
  const hints = new Map<V1Endpoint, string>();
  for (const endpoint of ready) {
    const { zone = "" } = endpoint;
    const [to] = [...receiving].find(([, count]) => count > 0) ?? [];
    const left = giving.get(zone) ?? 0;
    if (left === 0 || to === undefined) {
      hints.set(endpoint, zone);
      continue;
    }
    giving.set(zone, left - 1);
    receiving.set(to, (receiving.get(to) ?? 0) - 1);
    hints.set(endpoint, to);
  }
  return hints;
}

/** How many endpoints go from which zones to which. */
function exchangeOf(ready: readonly V1Endpoint[], desired: ReadonlyMap<string, number>) {
  const surplus = new Map<string, number>();
  const lack = new Map<string, number>();
  for (const [zone, wished] of desired) {
    const has = ready.filter((endpoint) => endpoint.zone === zone).length;
    if (has > wished) surplus.set(zone, has - wished);
    else if (has < wished) lack.set(zone, wished - has);
  }
  const giving = new Map<string, number>();
  const receiving = new Map<string, number>();
  for (;;) {
    const [from, toGive] = most(surplus);
    const [to, toReceive] = most(lack);
    const isSettled = (toGive < 1 && toReceive < 1) || toGive < 0.5 || toReceive < 0.5;
    if (from === undefined || to === undefined || isSettled) return { giving, receiving };
    giving.set(from, (giving.get(from) ?? 0) + 1);
    receiving.set(to, (receiving.get(to) ?? 0) + 1);
    surplus.set(from, toGive - 1);
    lack.set(to, toReceive - 1);
  }
}

function most(counts: ReadonlyMap<string, number>): [zone: string | undefined, count: number] {
  const [first] = [...counts].filter(([, count]) => count > 0).sort(([, a], [, b]) => b - a);
  return first ?? [undefined, 0];
}
