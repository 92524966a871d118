/**
 * Where one pod goes: filters, then scores, then picks; if nothing fits, whom to evict. Pure: reads the cluster, gives a
 * decision; chance is handed in. Upstream: pkg/scheduler/schedule_one.go.
 */
import type { Random } from "#lib/random.ts";
import { Attempt } from "./attempt.ts";
import { noNodes, Reasons } from "./fit-message.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodInfo } from "./pod-info.ts";
import { fits, type Cluster, type Plugin, PluginFailure, skip } from "./plugin.ts";
import { type Preemption, preempt } from "./preemption.ts";

export type Decision =
  | { readonly kind: "chosen"; readonly node: string; readonly attempt: Attempt }
  | {
      readonly kind: "unschedulable";
      readonly message: string;
      /** The plugins that refused: their events are worth another try. */
      readonly refusedBy: ReadonlySet<string>;
      readonly preemption: Preemption | undefined;
      /** What it was promised before is of no use. */
      readonly losesNomination: boolean;
    }
  /** A rule could not be applied. */
  | { readonly kind: "failed"; readonly message: string };

export interface CycleOptions {
  plugins: readonly Plugin[];
  random: Random;
  /** Where in the list of nodes to begin: with many nodes not all are looked at each time. */
  startAt?: number;
}

/** With fewer nodes all of them are scored. */
const nodesToFindMin = 100;

/** How many nodes that fit are enough. Upstream: numFeasibleNodesToFind. */
export function nodesToFind(nodes: number): number {
  if (nodes < nodesToFindMin) return nodes;
  const percent = Math.max(5, 50 - Math.trunc(nodes / 125));
  return Math.max(nodesToFindMin, Math.trunc((nodes * percent) / 100));
}

export function decide(pod: PodInfo, cluster: Cluster, options: CycleOptions): Decision {
  try {
    return tryToDecide(pod, cluster, options);
  } catch (error) {
    if (error instanceof PluginFailure) return { kind: "failed", message: error.message };
    throw error;
  }
}

function tryToDecide(pod: PodInfo, cluster: Cluster, options: CycleOptions): Decision {
  const nodes = cluster.state.nodes;
  if (nodes.length === 0)
    return {
      kind: "unschedulable",
      message: "no nodes available to schedule pods",
      refusedBy: new Set(),
      preemption: undefined,
      losesNomination: false,
    };
  const attempt = new Attempt(pod, cluster, options.plugins);
  const search = attempt.refusal === undefined ? findNodes(attempt, options.startAt ?? 0) : refusedEverywhere(attempt);
  const [only, ...others] = search.found;
  if (only === undefined) return unschedulable(attempt, search);
  const chosen = others.length === 0 ? only : best(pod, cluster, search.found, options);
  return { kind: "chosen", node: chosen.name, attempt };
}

interface Search {
  found: NodeInfo[];
  /** The refusals of the nodes that were looked at. */
  refusals: Map<NodeInfo, { isHopeless: boolean; reasons: readonly string[] }>;
  refusedBy: Set<string>;
}

function refusedEverywhere({ refusal }: Attempt): Search {
  return { found: [], refusals: new Map(), refusedBy: new Set(refusal === undefined ? [] : [refusal.plugin]) };
}

function findNodes(attempt: Attempt, startAt: number): Search {
  const { pod, cluster } = attempt;
  const search: Search = { found: [], refusals: new Map(), refusedBy: new Set(attempt.narrowedBy) };
  const promised = cluster.state.node(pod.pod.status?.nominatedNodeName ?? "");
  if (promised !== undefined && isInQuestion(attempt, promised)) {
    look(attempt, promised, search);
    if (search.found.length > 0) return search;
  }
  const candidates = candidatesOf(attempt);
  const enough = nodesToFind(candidates.length);
  for (let at = 0; at < candidates.length && search.found.length < enough; at++) {
    const node = candidates[(startAt + at) % candidates.length];
    if (node !== undefined && node !== promised) look(attempt, node, search);
  }
  return search;
}

const isInQuestion = ({ onlyNodes }: Attempt, { name }: NodeInfo): boolean => onlyNodes?.has(name) ?? true;

function candidatesOf({ onlyNodes, cluster }: Attempt): readonly NodeInfo[] {
  if (onlyNodes === undefined) return cluster.state.nodes;
  return [...onlyNodes].flatMap((name) => cluster.state.node(name) ?? []);
}

function look(attempt: Attempt, node: NodeInfo, search: Search): void {
  const { verdict, plugin } = attempt.outcomeOn(node);
  if (verdict === fits) {
    search.found.push(node);
    return;
  }
  if (verdict.kind === "fits") return;
  search.refusals.set(node, { isHopeless: verdict.kind === "neverFits", reasons: verdict.reasons });
  if (plugin !== undefined) search.refusedBy.add(plugin);
}

function unschedulable(attempt: Attempt, { refusals, refusedBy }: Search): Decision {
  const nodes = attempt.cluster.state.nodes;
  let message: string;
  if (attempt.refusal !== undefined) {
    message = `${noNodes(nodes.length)} ${attempt.refusal.verdict.reasons.join(", ")}.`;
  } else {
    const reasons = new Reasons();
    for (const refusal of refusals.values()) reasons.add(refusal.reasons);
    reasons.add([attempt.narrowedReason], nodes.length - refusals.size);
    message = reasons.message(nodes.length);
  }
  const helpable = [...refusals].filter(([, { isHopeless }]) => !isHopeless).map(([node]) => node);
  const isHelpableEverywhere = attempt.refusal?.verdict.kind === "misfit";
  const rescue = rescueOf(attempt, isHelpableEverywhere ? nodes : helpable);
  return {
    kind: "unschedulable",
    message: rescue.message === "" ? message : `${message} ${rescue.message}`,
    refusedBy,
    preemption: rescue.preemption,
    losesNomination: rescue.losesNomination,
  };
}

interface Rescue {
  message: string;
  preemption: Preemption | undefined;
  losesNomination: boolean;
}

/** Plugins have the first word; upstream's is at a loss ("not found") if the pod was refused before its turn. */
function rescueOf(attempt: Attempt, helpable: readonly NodeInfo[]): Rescue {
  const nothing = { preemption: undefined, losesNomination: false };
  const said = attempt.afterRefusal();
  if (said === undefined) return { ...nothing, message: "not found" };
  const outcome = preempt(attempt, helpable);
  if (outcome.kind === "preempted") return { message: "", preemption: outcome.preemption, losesNomination: false };
  const message = [...said, `preemption: ${outcome.message}`].join(", ");
  return { message, preemption: undefined, losesNomination: outcome.losesNomination };
}

function best(pod: PodInfo, cluster: Cluster, nodes: readonly NodeInfo[], { plugins, random }: CycleOptions): NodeInfo {
  const totals = new Float64Array(nodes.length);
  for (const { scoring } of plugins) {
    if (scoring === undefined) continue;
    const prepared = scoring.prepare(pod, cluster, nodes);
    if (prepared === skip) continue;
    const scores = Float64Array.from(nodes, (node) => scoring.score(pod, node, prepared));
    scoring.normalize?.(scores, prepared, nodes);
    for (let at = 0; at < totals.length; at++) totals[at] = (totals[at] ?? 0) + scoring.weight * (scores[at] ?? 0);
  }
  const highest = totals.reduce((most, total) => Math.max(most, total), -Infinity);
  const winners = nodes.filter((_, at) => totals[at] === highest);
  return winners[Math.floor(random.next() * winners.length)] ?? (nodes[0] as NodeInfo);
}
