/**
 * Likes nodes whose CPU and memory are used in equal shares, by how much the pod changes that. A pod that asks for neither
 * is left alone. Upstream: plugins/noderesources/balanced_allocation.go.
 */
import type { NodeInfo } from "#scheduler/node-info.ts";
import { scoreMax } from "#scheduler/normalize.ts";
import type { PodInfo } from "#scheduler/pod-info.ts";
import { definePlugin, skip } from "#scheduler/plugin.ts";
import { amountOf, cpu, memory } from "#scheduler/resources.ts";

const resources = [cpu, memory];

export const nodeResourcesBalancedAllocation = definePlugin({
  name: "NodeResourcesBalancedAllocation",
  retryWhen: [],
  scoring: {
    weight: 1,
    prepare: ({ requests }) => (resources.some((name) => amountOf(requests, name) > 0) ? undefined : skip),
    score(pod, node) {
      const change = balance(node, pod) - balance(node, undefined);
      return scoreMax / 2 + Math.trunc((scoreMax / 2 + change) / 2);
    },
  },
});

/** 100 when the shares in use are equal, less the more they differ. */
function balance(node: NodeInfo, pod: PodInfo | undefined): number {
  const shares: number[] = [];
  for (const name of resources) {
    const allocatable = amountOf(node.allocatable, name);
    if (allocatable === 0) continue;
    const requested = amountOf(node.requested, name) + (pod === undefined ? 0 : amountOf(pod.requests, name));
    shares.push(Math.min(1, requested / allocatable));
  }
  const [one, other] = shares;
  const deviation = one === undefined || other === undefined ? 0 : Math.abs(one - other) / 2;
  return Math.trunc((1 - deviation) * scoreMax);
}
