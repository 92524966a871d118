/** Nothing new goes to a cordoned node, but what tolerates that. Upstream: plugins/nodeunschedulable. */
import { definePlugin, fits, neverFits } from "#scheduler/plugin.ts";
import { isTolerated } from "#scheduler/tolerations.ts";

const cordon = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };

export const nodeUnschedulable = definePlugin({
  name: "NodeUnschedulable",
  retryWhen: ["node-added", "node-taints-changed", "own-change"],
  filter({ spec }, { node }) {
    if (node?.spec?.unschedulable !== true || isTolerated(cordon, spec.tolerations)) return fits;
    return neverFits("node(s) were unschedulable");
  },
});
