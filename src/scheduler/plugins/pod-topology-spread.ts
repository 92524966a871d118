/** Pods alike are spread evenly over zones, nodes or whatever the topology key says. Upstream: plugins/podtopologyspread. */
import { matchesLabels } from "#api/label-selector.ts";
import type { NodeInfo } from "#scheduler/node-info.ts";
import { type NodeMatcher, requiredNodes } from "#scheduler/node-selector.ts";
import { scoreMax } from "#scheduler/normalize.ts";
import type { PodInfo } from "#scheduler/pod-info.ts";
import { type Cluster, definePlugin, fits, misfit, neverFits, ready, skip } from "#scheduler/plugin.ts";
import {
  defaultSpreadConstraints,
  hostnameKey,
  type SpreadConstraint,
  spreadConstraintsOf,
} from "#scheduler/spread-constraints.ts";
import { hasUntoleratedTaint } from "#scheduler/tolerations.ts";

interface Spread {
  constraint: SpreadConstraint;
  /** How many siblings each domain has; domains without any are here too. */
  siblings: Map<string, number>;
  least: number;
  /** 1 if the pod itself counts as a sibling. */
  own: number;
}

interface Wishes {
  spreads: readonly { constraint: SpreadConstraint; weight: number; siblings: Map<string, number> }[];
  /** Nodes that lack a topology: they score worst. */
  ignored: ReadonlySet<NodeInfo>;
}

export const podTopologySpread = definePlugin<readonly Spread[], Wishes>({
  name: "PodTopologySpread",
  retryWhen: [
    "node-added",
    "node-removed",
    "node-labels-changed",
    "node-taints-changed",
    "pod-added",
    "pod-removed",
    "pod-labels-changed",
    "own-change",
  ],
  dependsOnPods: true,
  prepare(pod, cluster) {
    const constraints = spreadConstraintsOf(pod.pod, "DoNotSchedule");
    return constraints.length === 0 ? skip : ready(spreadsOf(pod, constraints, cluster));
  },
  filter(_, node, spreads) {
    for (const { constraint, siblings, least, own } of spreads) {
      const domain = node.labels[constraint.topologyKey];
      if (domain === undefined)
        return neverFits("node(s) didn't match pod topology spread constraints (missing required label)");
      if ((siblings.get(domain) ?? 0) + own - least > constraint.maxSkew)
        return misfit("node(s) didn't match pod topology spread constraints");
    }
    return fits;
  },
  scoring: {
    weight: 2,
    prepare: (pod, cluster, nodes) => wishesOf(pod, cluster, nodes),
    score(_, node, { spreads, ignored }) {
      if (ignored.has(node)) return 0;
      let score = 0;
      for (const { constraint, weight, siblings } of spreads) {
        const domain = node.labels[constraint.topologyKey];
        if (domain !== undefined) score += (siblings.get(domain) ?? 0) * weight + (constraint.maxSkew - 1);
      }
      return Math.round(score);
    },
    normalize: fewestIsBest,
  },
});

/** Counts per domain, over the nodes that the constraint speaks of. */
function spreadsOf(pod: PodInfo, constraints: readonly SpreadConstraint[], cluster: Cluster): Spread[] {
  const nodes = cluster.state.nodes.filter((node) => hasTopologies(node, constraints));
  const isMeant = inclusion(pod);
  return constraints.map((constraint) => {
    const siblings = new Map<string, number>();
    for (const node of nodes) if (isMeant(constraint, node)) siblings.set(node.labels[constraint.topologyKey] ?? "", 0);
    countSiblings(
      pod,
      constraint,
      cluster,
      siblings,
      (node) => hasTopologies(node, constraints) && isMeant(constraint, node),
    );
    let least = siblings.size < constraint.minDomains ? 0 : Infinity;
    for (const count of siblings.values()) least = Math.min(least, count);
    const own = matchesLabels(constraint.selector, pod.labels) ? 1 : 0;
    return { constraint, siblings, least: least === Infinity ? 0 : least, own };
  });
}

const hasTopologies = ({ labels }: NodeInfo, constraints: readonly SpreadConstraint[]): boolean =>
  constraints.every(({ topologyKey }) => topologyKey in labels);

/** Whether a constraint counts a node: by the pod's node affinity and by taints, as its policies say. */
function inclusion({ spec }: PodInfo): (constraint: SpreadConstraint, node: NodeInfo) => boolean {
  const matches: NodeMatcher | undefined = requiredNodes(spec);
  return ({ honoursAffinity, honoursTaints }, node) =>
    (!honoursAffinity || matches === undefined || matches(node)) &&
    (!honoursTaints || !hasUntoleratedTaint(node.taints, spec.tolerations));
}

/** Adds up the siblings that do not end, in domains that are in `counts`. */
function countSiblings(
  pod: PodInfo,
  { selector, topologyKey }: SpreadConstraint,
  { state }: Cluster,
  counts: Map<string, number>,
  isCounted: (node: NodeInfo) => boolean,
): void {
  for (const other of state.podsMatching(pod.namespace, selector)) {
    if (other.isTerminating) continue;
    const node = state.node(other.nodeName);
    const domain = node?.labels[topologyKey];
    if (node === undefined || domain === undefined) continue;
    const count = counts.get(domain);
    if (count !== undefined && isCounted(node)) counts.set(domain, count + 1);
  }
}

function wishesOf(pod: PodInfo, cluster: Cluster, nodes: readonly NodeInfo[]): Wishes | typeof skip {
  const hasOwn = (pod.spec.topologySpreadConstraints ?? []).length > 0;
  const constraints = hasOwn
    ? spreadConstraintsOf(pod.pod, "ScheduleAnyway")
    : defaultSpreadConstraints(pod.pod, cluster.objects);
  if (constraints.length === 0) return skip;
  const ignored = new Set(hasOwn ? nodes.filter((node) => !hasTopologies(node, constraints)) : []);
  const counted = nodes.filter((node) => !ignored.has(node));
  const isMeant = inclusion(pod);
  const spreads = constraints.map((constraint) => {
    const { topologyKey } = constraint;
    const siblings = new Map<string, number>();
    // By default nodes without a topology count too: together they are one more domain.
    for (const { labels } of counted) siblings.set(labels[topologyKey] ?? "", 0);
    const isHostname = topologyKey === hostnameKey;
    // A node is its own domain: its siblings count whatever the policies say.
    countSiblings(
      pod,
      constraint,
      cluster,
      siblings,
      (node) => isHostname || ((!hasOwn || hasTopologies(node, constraints)) && isMeant(constraint, node)),
    );
    return { constraint, siblings, weight: Math.log((isHostname ? counted.length : siblings.size) + 2) };
  });
  return { spreads, ignored };
}

function fewestIsBest(scores: Float64Array, { ignored }: Wishes, nodes: readonly NodeInfo[]): void {
  let lowest = Infinity;
  let highest = 0;
  for (const [at, node] of nodes.entries()) {
    if (ignored.has(node)) continue;
    lowest = Math.min(lowest, scores[at] ?? 0);
    highest = Math.max(highest, scores[at] ?? 0);
  }
  for (const [at, node] of nodes.entries()) {
    if (ignored.has(node)) scores[at] = 0;
    else if (highest === 0) scores[at] = scoreMax;
    else scores[at] = Math.trunc((scoreMax * (highest + lowest - (scores[at] ?? 0))) / highest);
  }
}
