/**
 * Pods that want to be near other pods, or away from them, in the same node, zone or whatever the topology key says.
 * Upstream: plugins/interpodaffinity/{filtering,scoring}.go.
 */
import type { NodeInfo } from "#scheduler/node-info.ts";
import { scoreMax } from "#scheduler/normalize.ts";
import { type PodInfo, type PodTerm, termMatches, type WeightedPodTerm } from "#scheduler/pod-info.ts";
import { type Cluster, definePlugin, fits, misfit, neverFits, ready, skip, type Verdict } from "#scheduler/plugin.ts";
import { matchesLabels, selectsEverything } from "#api/label-selector.ts";

/** Topology key → topology value → a number. */
type Counts = Map<string, Map<string, number>>;

interface Prepared {
  /** Places where a pod is that does not want this one near. */
  forbidding: Counts;
  /** Places with a pod that this one must be away from. */
  avoided: Counts;
  /** Places with a pod that matches all terms that this one must be near to. */
  sought: Counts;
}

/** What a required affinity of a pod that is there adds to the score: upstream's hardPodAffinityWeight. */
const requiredWeight = 1;

export const interPodAffinity = definePlugin<Prepared, Counts>({
  name: "InterPodAffinity",
  retryWhen: [
    "node-added",
    "node-labels-changed",
    "pod-added",
    "pod-removed",
    "pod-labels-changed",
    "namespace-changed",
    "own-change",
  ],
  dependsOnPods: true,
  prepare(pod, cluster) {
    const forbidding = countForbidding(pod, cluster);
    if (pod.affinity.length === 0 && pod.antiAffinity.length === 0 && forbidding.size === 0) return skip;
    return ready({ forbidding, avoided: countAvoided(pod, cluster), sought: countSought(pod, cluster) });
  },
  filter(pod, node, prepared, cluster) {
    const refusal = nearEnough(pod, node, prepared, cluster);
    if (refusal !== fits) return refusal;
    if (pod.antiAffinity.some(({ topologyKey }) => countAt(prepared.avoided, topologyKey, node) > 0))
      return misfit("node(s) didn't match pod anti-affinity rules");
    for (const topologyKey of prepared.forbidding.keys())
      if (countAt(prepared.forbidding, topologyKey, node) > 0)
        return misfit("node(s) didn't satisfy existing pods anti-affinity rules");
    return fits;
  },
  scoring: {
    weight: 2,
    prepare(pod, cluster) {
      const scores = placeScores(pod, cluster);
      return scores.size === 0 ? skip : scores;
    },
    score(_, node, places) {
      let sum = 0;
      for (const topologyKey of places.keys()) sum += countAt(places, topologyKey, node);
      return sum;
    },
    normalize(scores) {
      const lowest = scores.reduce((least, score) => Math.min(least, score), Infinity);
      const highest = scores.reduce((most, score) => Math.max(most, score), -Infinity);
      for (let at = 0; at < scores.length; at++)
        // In this order of steps upstream's share of 29 in 100 comes to 28, and so does this one.
        scores[at] =
          highest === lowest ? 0 : Math.trunc(scoreMax * (((scores[at] ?? 0) - lowest) / (highest - lowest)));
    },
  },
});

/** The first pod of a group that wants to be near its own kind may go anywhere that has the topology. */
function nearEnough(pod: PodInfo, node: NodeInfo, { sought }: Prepared, { state }: Cluster): Verdict {
  const refusal = neverFits("node(s) didn't match pod affinity rules");
  if (pod.affinity.length === 0) return fits;
  if (pod.affinity.some(({ topologyKey }) => !(topologyKey in node.labels))) return refusal;
  if (pod.affinity.every(({ topologyKey }) => countAt(sought, topologyKey, node) > 0)) return fits;
  const isFirstOfItsKind = sought.size === 0 && matchesAll(pod.affinity, pod, state.namespaceLabels);
  return isFirstOfItsKind ? fits : refusal;
}

type NamespaceLabels = Cluster["state"]["namespaceLabels"];

const matchesAll = (terms: readonly PodTerm[], pod: PodInfo, namespaceLabels: NamespaceLabels): boolean =>
  terms.every((term) => termMatches(term, pod, namespaceLabels));

function countForbidding(pod: PodInfo, { state }: Cluster): Counts {
  const counts: Counts = new Map();
  for (const other of state.withRequiredAntiAffinity)
    for (const term of other.antiAffinity)
      if (termMatches(term, pod, state.namespaceLabels)) addAt(counts, term.topologyKey, state.node(other.nodeName), 1);
  return counts;
}

function countAvoided({ antiAffinity }: PodInfo, cluster: Cluster): Counts {
  const counts: Counts = new Map();
  for (const term of antiAffinity)
    for (const other of podsOfTerm(term, cluster))
      addAt(counts, term.topologyKey, cluster.state.node(other.nodeName), 1);
  return counts;
}

function countSought({ affinity }: PodInfo, cluster: Cluster): Counts {
  const counts: Counts = new Map();
  const [first] = affinity;
  if (first === undefined) return counts;
  const { state } = cluster;
  for (const other of podsOfTerm(first, cluster)) {
    if (!matchesAll(affinity, other, state.namespaceLabels)) continue;
    for (const { topologyKey } of affinity) addAt(counts, topologyKey, state.node(other.nodeName), 1);
  }
  return counts;
}

/** The pods on nodes that a term speaks of. */
function* podsOfTerm(term: PodTerm, { state }: Cluster): Generator<PodInfo> {
  const isNarrow = term.namespaceSelector.nothing === true;
  const namespaces = isNarrow ? term.namespaces : state.namespaces;
  for (const namespace of namespaces) {
    const isMeant =
      isNarrow ||
      term.namespaces.has(namespace) ||
      selectsEverything(term.namespaceSelector) ||
      matchesLabels(term.namespaceSelector, state.namespaceLabels(namespace));
    if (isMeant) yield* state.podsMatching(namespace, term.selector);
  }
}

/** What each place gains by the wishes of this pod about those there, and of those there about this pod. */
function placeScores(pod: PodInfo, cluster: Cluster): Counts {
  const { state } = cluster;
  const scores: Counts = new Map();
  const addOwn = (terms: readonly WeightedPodTerm[], sign: 1 | -1) => {
    for (const term of terms)
      for (const other of podsOfTerm(term, cluster))
        addAt(scores, term.topologyKey, state.node(other.nodeName), sign * term.weight);
  };
  addOwn(pod.preferredAffinity, 1);
  addOwn(pod.preferredAntiAffinity, -1);
  for (const other of state.withAffinity) {
    const place = state.node(other.nodeName);
    const addTheirs = (terms: readonly PodTerm[], weightOf: (term: PodTerm) => number) => {
      for (const term of terms)
        if (termMatches(term, pod, state.namespaceLabels)) addAt(scores, term.topologyKey, place, weightOf(term));
    };
    addTheirs(other.affinity, () => requiredWeight);
    addTheirs(other.preferredAffinity, (term) => (term as WeightedPodTerm).weight);
    addTheirs(other.preferredAntiAffinity, (term) => -(term as WeightedPodTerm).weight);
  }
  return scores;
}

function addAt(counts: Counts, topologyKey: string, node: NodeInfo | undefined, amount: number): void {
  const value = node?.labels[topologyKey];
  if (value === undefined) return;
  let values = counts.get(topologyKey);
  if (values === undefined) counts.set(topologyKey, (values = new Map()));
  values.set(value, (values.get(value) ?? 0) + amount);
}

function countAt(counts: Counts, topologyKey: string, node: NodeInfo): number {
  const value = node.labels[topologyKey];
  return value === undefined ? 0 : (counts.get(topologyKey)?.get(value) ?? 0);
}
