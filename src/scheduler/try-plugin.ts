/** One plugin's word on a pod, as a test asks for it: node by node, without the others. */
import type { V1Pod } from "#api/generated/types.ts";
import type { KubernetesObject } from "#api/object.ts";
import { Attempt } from "./attempt.ts";
import { clusterOf } from "./cluster-of.ts";
import { podInfoOf } from "./pod-info.ts";
import { type Plugin, skip } from "./plugin.ts";

/** "fits", or the kind of refusal and its reasons, for each node in order; a single text if no node is looked at. */
export function verdicts(plugin: Plugin, pod: V1Pod, objects: readonly KubernetesObject[]): string | string[] {
  const cluster = clusterOf(objects);
  const attempt = new Attempt(podInfoOf(pod), cluster, [plugin]);
  if (attempt.refusal !== undefined)
    return `${attempt.refusal.verdict.kind}: ${attempt.refusal.verdict.reasons.join(", ")}`;
  return cluster.state.nodes.map((node) => {
    const { verdict } = attempt.outcomeOn(node);
    return verdict.kind === "fits" ? "fits" : `${verdict.kind}: ${verdict.reasons.join(", ")}`;
  });
}

/** Its score of each node, brought to 0–100; undefined if it has nothing to say. */
export function scores(plugin: Plugin, pod: V1Pod, objects: readonly KubernetesObject[]): number[] | undefined {
  const cluster = clusterOf(objects);
  const info = podInfoOf(pod);
  const { nodes } = cluster.state;
  const prepared = plugin.scoring?.prepare(info, cluster, nodes);
  if (plugin.scoring === undefined || prepared === skip) return undefined;
  const { scoring } = plugin;
  const found = Float64Array.from(nodes, (node) => scoring.score(info, node, prepared));
  scoring.normalize?.(found, prepared, nodes);
  return [...found];
}
