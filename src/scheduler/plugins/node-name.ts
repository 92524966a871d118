/** A pod that names a node fits there and nowhere else. Upstream: plugins/nodename/node_name.go. */
import { definePlugin, fits, neverFits } from "#scheduler/plugin.ts";

export const nodeName = definePlugin({
  name: "NodeName",
  retryWhen: ["node-added"],
  filter({ spec }, node) {
    const wanted = spec.nodeName ?? "";
    return wanted === "" || wanted === node.name ? fits : neverFits("node(s) didn't match the requested node name");
  },
});
