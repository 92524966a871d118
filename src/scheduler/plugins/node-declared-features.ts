/** A pod that needs what not every node can do goes to a node that says it can. Upstream: plugins/nodedeclaredfeatures. */
import { featuresNeeded } from "#api/core/node-features.ts";
import { definePlugin, fits, neverFits, ready, skip } from "#scheduler/plugin.ts";

export const nodeDeclaredFeatures = definePlugin<readonly string[]>({
  name: "NodeDeclaredFeatures",
  retryWhen: ["node-added", "node-features-changed", "own-change"],
  prepare({ spec }) {
    const needed = featuresNeeded(spec);
    return needed.length === 0 ? skip : ready(needed);
  },
  filter(_, { node }, needed) {
    const declared = node?.status?.declaredFeatures ?? [];
    if (needed.every((feature) => declared.includes(feature))) return fits;
    return neverFits("node(s) didn't match Pod's required features");
  },
});
