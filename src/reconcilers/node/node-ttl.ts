/** Tells kubelets how long to keep secrets and config maps, by the size of the cluster. Upstream: pkg/controller/ttl. */
import { Node } from "#api/core/node.ts";
import { defineReconciler, patch } from "#reconcilers/reconciler.ts";

const annotation = "node.alpha.kubernetes.io/ttl";

/** A step is left upwards beyond `sizeMax`, downwards below `sizeMin`. */
const steps: readonly { sizeMin: number; sizeMax: number; seconds: number }[] = [
  { sizeMin: 0, sizeMax: 100, seconds: 0 },
  { sizeMin: 90, sizeMax: 500, seconds: 15 },
  { sizeMin: 450, sizeMax: 1_000, seconds: 30 },
  { sizeMin: 900, sizeMax: 2_000, seconds: 60 },
  { sizeMin: 1_800, sizeMax: 10_000, seconds: 300 },
  { sizeMin: 9_000, sizeMax: Infinity, seconds: 600 },
];

export const nodeTtlReconciler = defineReconciler<Node>({
  name: "node-ttl",
  component: "ttl-controller",
  watches: Node,
  ignores: ({ metadata }, old) => metadata.annotations?.[annotation] === old.metadata.annotations?.[annotation],
  reconcile(node, view) {
    if (node.metadata.deletionTimestamp !== undefined) return [];
    const current = node.metadata.annotations?.[annotation];
    const wished = String(secondsFor(view.list(Node).length, current));
    return current === wished
      ? []
      : [patch(Node, node, "merge", { metadata: { annotations: { [annotation]: wished } } })];
  },
});

/** Stays at the current step as long as the size is within it. */
export function secondsFor(size: number, current: string | undefined): number {
  const step = steps.find(({ seconds }) => String(seconds) === current);
  if (step !== undefined && size >= step.sizeMin && size <= step.sizeMax) return step.seconds;
  return steps.find(({ sizeMax }) => size <= sizeMax)?.seconds ?? 0;
}
