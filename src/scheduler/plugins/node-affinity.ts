/** Node selectors and node affinity. Upstream: plugins/nodeaffinity/node_affinity.go. */
import type { V1NodeSelectorTerm } from "#api/generated/types.ts";
import { highestIsBest } from "#scheduler/normalize.ts";
import { type NodeMatcher, requiredNodes, termMatcher } from "#scheduler/node-selector.ts";
import { definePlugin, fits, neverFits, ready, refused, skip } from "#scheduler/plugin.ts";

interface WeightedMatcher {
  weight: number;
  matches: NodeMatcher;
}

export const nodeAffinity = definePlugin<NodeMatcher, readonly WeightedMatcher[]>({
  name: "NodeAffinity",
  retryWhen: ["node-added", "node-labels-changed", "own-change"],
  prepare({ spec }) {
    const matches = requiredNodes(spec);
    if (matches === undefined) return skip;
    const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
    const onlyNodes = namedNodes(terms);
    return onlyNodes?.size === 0 ? refused(neverFits("pod affinity terms conflict")) : ready(matches, onlyNodes);
  },
  filter: (_, node, matches) => (matches(node) ? fits : neverFits("node(s) didn't match Pod's node affinity/selector")),
  scoring: {
    weight: 2,
    prepare({ spec }) {
      const preferred = spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
      if (preferred.length === 0) return skip;
      return preferred.map(({ weight, preference }) => ({ weight, matches: termMatcher(preference) }));
    },
    score: (_, node, preferred) =>
      preferred.reduce((sum, { weight, matches }) => sum + (matches(node) ? weight : 0), 0),
    normalize: highestIsBest,
  },
});

/** The nodes that all terms name; undefined if some term names none and so leaves all in question. */
function namedNodes(terms: readonly V1NodeSelectorTerm[] | undefined): ReadonlySet<string> | undefined {
  if (terms === undefined || terms.length === 0) return undefined;
  const all = new Set<string>();
  for (const { matchFields = [] } of terms) {
    const named = matchFields.filter(({ key, operator }) => key === "metadata.name" && operator === "In");
    if (named.length === 0) return undefined;
    const [first, ...others] = named.map(({ values }) => new Set(values));
    for (const name of first ?? []) if (others.every((values) => values.has(name))) all.add(name);
  }
  return all;
}
