/** Taints keep pods away that do not tolerate them. Upstream: plugins/tainttoleration/taint_toleration.go. */
import type { V1Toleration } from "#api/generated/types.ts";
import { lowestIsBest } from "#scheduler/normalize.ts";
import { definePlugin, fits, neverFits } from "#scheduler/plugin.ts";
import { hasUntoleratedTaint, isTolerated } from "#scheduler/tolerations.ts";

export const taintToleration = definePlugin<undefined, readonly V1Toleration[]>({
  name: "TaintToleration",
  retryWhen: ["node-added", "node-taints-changed", "own-change"],
  filter({ spec }, { taints }) {
    return hasUntoleratedTaint(taints, spec.tolerations) ? neverFits("node(s) had untolerated taint(s)") : fits;
  },
  scoring: {
    weight: 3,
    prepare: ({ spec }) => (spec.tolerations ?? []).filter(({ effect }) => !effect || effect === "PreferNoSchedule"),
    score: (_, { taints }, tolerations) =>
      taints.filter((taint) => taint.effect === "PreferNoSchedule" && !isTolerated(taint, tolerations)).length,
    normalize: lowestIsBest,
  },
});
