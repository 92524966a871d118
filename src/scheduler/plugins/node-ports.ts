/** Two pods cannot hold the same host port. Upstream: plugins/nodeports/node_ports.go. */
import { definePlugin, fits, misfit, ready, skip } from "#scheduler/plugin.ts";

export const nodePorts = definePlugin({
  name: "NodePorts",
  retryWhen: ["node-added", "pod-removed", "own-change"],
  prepare: ({ hostPorts }) => (hostPorts.length === 0 ? skip : ready(undefined)),
  filter: ({ hostPorts }, node) =>
    hostPorts.some((port) => node.hasPortConflict(port))
      ? misfit("node(s) didn't have free ports for the requested pod ports")
      : fits,
});
