/** Deletes pods from nodes whose NoExecute taints they do not tolerate (any longer). Upstream: pkg/controller/tainteviction. */
import { formatTime } from "#lib/clock.ts";
import { Node } from "#api/core/node.ts";
import { Pod } from "#api/core/pod.ts";
import { podsByNode } from "#reconcilers/endpoints/pod-endpoints.ts";
import { isPodActive, timeOf } from "#reconcilers/pod-state.ts";
import { defineReconciler, event, patch, remove, trigger, wake, type Change } from "#reconcilers/reconciler.ts";
import { canonical } from "#reconcilers/template-hash.ts";
import { changedAt } from "./node-health.ts";
import { tolerates, type Taint } from "./taints.ts";

export const taintEvictionReconciler = defineReconciler<Pod>({
  name: "taint-eviction",
  watches: Pod,
  also: [
    trigger(Node, (node, view, other) =>
      canonical(evicting(node)) === canonical(other === undefined ? [] : evicting(other))
        ? []
        : view.byIndex(Pod, podsByNode, node.metadata.name ?? "").map(({ metadata }) => metadata),
    ),
  ],
  ignores: ({ spec, metadata }, { spec: oldSpec, metadata: oldMetadata }) =>
    spec?.nodeName === oldSpec?.nodeName &&
    metadata.deletionTimestamp === oldMetadata.deletionTimestamp &&
    canonical(spec?.tolerations) === canonical(oldSpec?.tolerations),
  reconcile(pod, view, { now, waitingSince }) {
    const node = view.get(Node, { name: pod.spec?.nodeName ?? "" });
    const taints = node === undefined ? [] : evicting(node);
    const spared = waitingSince === undefined ? [] : [cancelled(pod)];
    if (!isPodActive(pod)) return [];
    if (node === undefined || taints.length === 0) return spared;
    const since = Math.max(
      ...taints.map((taint) => taintedAt(taint, node, now)),
      timeOf(pod.metadata.creationTimestamp),
    );
    const seconds = toleratedSeconds(pod, taints);
    if (seconds === undefined) return spared;
    const at = since + seconds * 1_000;
    return at > now ? [wake(at)] : evicted(pod, now);
  },
});

const evicting = ({ spec }: Node): Taint[] => (spec?.taints ?? []).filter(({ effect }) => effect === "NoExecute");

function taintedAt({ timeAdded }: Taint, node: Node, now: number): number {
  if (timeAdded !== undefined) return timeOf(timeAdded);
  const changed = changedAt(node, "");
  return changed === 0 ? now : changed;
}

/** How long the pod may stay: 0 if it does not tolerate a taint, undefined if it tolerates all of them for ever. */
function toleratedSeconds({ spec }: Pod, taints: readonly Taint[]): number | undefined {
  const using = taints.map((taint) => (spec?.tolerations ?? []).find((toleration) => tolerates(toleration, taint)));
  if (using.includes(undefined)) return 0;
  const limits = using.flatMap((toleration) => toleration?.tolerationSeconds ?? []);
  return limits.length === 0 ? undefined : Math.max(0, Math.min(...limits));
}

function evicted(pod: Pod, now: number): Change[] {
  const { namespace, name, generation, uid } = pod.metadata;
  const condition = {
    type: "DisruptionTarget",
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    status: "True",
    lastTransitionTime: formatTime(now),
    reason: "DeletionByTaintManager",
    message: "Taint manager: deleting due to NoExecute taint",
  };
  const status = { conditions: [condition] };
  return [
    told(pod, `Marking for deletion Pod ${namespace}/${name}`),
    patch(Pod, pod, "strategic", { metadata: { uid }, status }, { subresource: "status" }),
    remove(Pod, pod),
  ];
}

/** Its time was running, and no longer does. */
function cancelled(pod: Pod): Change {
  return told(pod, `Cancelling deletion of Pod ${pod.metadata.namespace}/${pod.metadata.name}`);
}

function told({ metadata: { namespace, name } }: Pod, message: string): Change {
  return event({ apiVersion: "v1", kind: "Pod", namespace, name }, "Normal", "TaintManagerEviction", message);
}
