/**
 * What a pod asks for must be there; of the nodes that have it the emptier is better. Upstream:
 * plugins/noderesources/{fit,least_allocated}.go.
 */
import type { NodeInfo } from "#scheduler/node-info.ts";
import { scoreMax } from "#scheduler/normalize.ts";
import type { PodInfo } from "#scheduler/pod-info.ts";
import { type Cluster, definePlugin, fits, misfit, neverFits, ready, type Verdict } from "#scheduler/plugin.ts";
import { amountOf, type Amounts, cpu, memory } from "#scheduler/resources.ts";
import { deviceBackedResources } from "#scheduler/extended-resources.ts";

/** The order in which upstream looks at the resources that every node has. */
const plainResources = [cpu, memory, "ephemeral-storage"];

interface Wanted {
  amounts: Amounts;
  /** Extended resources that a device class stands for: a node without them may give devices instead. */
  deviceBacked: ReadonlySet<string>;
}

export const nodeResourcesFit = definePlugin<Wanted>({
  name: "NodeResourcesFit",
  retryWhen: [
    "node-added",
    "node-allocatable-changed",
    "pod-removed",
    "pod-shrunk",
    "own-change",
    "device-class-changed",
  ],
  prepare: ({ requests }, cluster: Cluster) => {
    const amounts = new Map([...requests].filter(([, amount]) => amount > 0));
    return ready({ amounts, deviceBacked: deviceBackedResources(amounts, cluster.objects) });
  },
  filter: (_, node, wanted) => fitOf(node, wanted),
  scoring: { weight: 1, prepare: () => undefined, score: leastAllocated },
});

function fitOf(node: NodeInfo, { amounts, deviceBacked }: Wanted): Verdict {
  let reasons: string[] | undefined;
  let isHopeless = false;
  if (node.pods.size + 1 > node.podsMax) reasons = ["Too many pods"];
  for (const name of inOrder(amounts)) {
    const amount = amountOf(amounts, name);
    const allocatable = amountOf(node.allocatable, name);
    if (deviceBacked.has(name) && !node.allocatable.has(name)) continue;
    if (amount <= allocatable - amountOf(node.requested, name)) continue;
    (reasons ??= []).push(`Insufficient ${name}`);
    if (amount > allocatable) isHopeless = true;
  }
  if (reasons === undefined) return fits;
  return isHopeless ? neverFits(...reasons) : misfit(...reasons);
}

function inOrder(amounts: Amounts): Iterable<string> {
  if (amounts.size < 2) return amounts.keys();
  const others = [...amounts.keys()].filter((name) => !plainResources.includes(name));
  return [...plainResources.filter((name) => amounts.has(name)), ...others];
}

function leastAllocated(pod: PodInfo, node: NodeInfo): number {
  const shares = [
    freeShare(node.scoredMilliCpu + pod.scoredMilliCpu, amountOf(node.allocatable, cpu)),
    freeShare(node.scoredMemory + pod.scoredMemory, amountOf(node.allocatable, memory)),
  ].filter((share) => share !== undefined);
  if (shares.length === 0) return 0;
  return Math.trunc(shares.reduce((sum, share) => sum + share, 0) / shares.length);
}

/** What stays free, in whole percent; undefined where there is nothing to share. */
function freeShare(requested: number, allocatable: number): number | undefined {
  if (allocatable === 0) return undefined;
  return requested > allocatable ? 0 : Math.trunc(((allocatable - requested) * scoreMax) / allocatable);
}
