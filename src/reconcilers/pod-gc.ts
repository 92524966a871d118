/** Deletes pods that nobody else will: on nodes that are gone, left behind, or finished for too long. Upstream: pkg/controller/podgc. */
import { formatTime } from "#lib/clock.ts";
import { Node } from "#api/core/node.ts";
import { Pod } from "#api/core/pod.ts";
import { podsByNode } from "./endpoints/pod-endpoints.ts";
import { nodeCondition } from "./node/node-health.ts";
import { isPodTerminal, timeOf } from "./pod-state.ts";
import {
  defineReconciler,
  patch,
  remove,
  trigger,
  wake,
  type Change,
  type InputRequest,
  type View,
} from "./reconciler.ts";

/** A pod without a node that is held by finalizers is ended this long after it was deleted: upstream looks every 20 seconds. */
const unscheduledMs = 5_000;
/** A node that is missing may be late: a pod waits this long for it. */
const missingNodeMs = 40_000;
const outOfServiceTaint = "node.kubernetes.io/out-of-service";

export const podGcReconciler = defineReconciler<Pod>({
  name: "pod-garbage-collector",
  watches: Pod,
  also: [
    trigger(Node, (node, view) =>
      needsLook(node, view)
        ? view.byIndex(Pod, podsByNode, node.metadata.name ?? "").map(({ metadata }) => metadata)
        : [],
    ),
  ],
  ignores: ({ spec, metadata, status }, old) =>
    spec?.nodeName === old.spec?.nodeName &&
    metadata.deletionTimestamp === old.metadata.deletionTimestamp &&
    status?.phase === old.status?.phase,
  inputs(pod, view) {
    const requests = new Map<string, InputRequest>();
    if (missesNode(pod, view)) requests.set("node", { type: "get", ref: Node, key: { name: pod.spec!.nodeName } });
    return requests;
  },
  reconcile(pod, view, { now, inputs, waitingSince = now }) {
    const nodeName = pod.spec?.nodeName ?? "";
    if (nodeName === "") return leftUnscheduled(pod, now);
    const node = view.get(Node, { name: nodeName });
    if (node !== undefined) return isLostOn(node, pod) ? ended(pod, "", now) : [];
    const at = waitingSince + missingNodeMs;
    if (at > now) return [wake(at)];
    const answer = inputs.get("node");
    return answer?.ok === true && answer.value === undefined ? ended(pod, "PodGC: node no longer exists", now) : [];
  },
});

/** A node that went, or that is said to be out of service. */
function needsLook(node: Node, view: View): boolean {
  return view.get(Node, node.metadata) === undefined || isOutOfService(node);
}

const missesNode = ({ spec }: Pod, view: View): boolean =>
  (spec?.nodeName ?? "") !== "" && view.get(Node, { name: spec!.nodeName }) === undefined;

function leftUnscheduled(pod: Pod, now: number): Change[] {
  const { deletionTimestamp } = pod.metadata;
  if (deletionTimestamp === undefined) return [];
  const at = timeOf(deletionTimestamp) + unscheduledMs;
  return at > now ? [wake(at)] : ended(pod, "", now);
}

const isOutOfService = ({ spec }: Node): boolean => (spec?.taints ?? []).some(({ key }) => key === outOfServiceTaint);

function isLostOn(node: Node, pod: Pod): boolean {
  return (
    pod.metadata.deletionTimestamp !== undefined &&
    isOutOfService(node) &&
    nodeCondition(node, "Ready")?.status !== "True"
  );
}

/** A pod that still ran is marked failed before it goes. */
function ended(pod: Pod, reason: string, now: number): Change[] {
  const going = remove(Pod, pod, { gracePeriodSeconds: 0 });
  if (isPodTerminal(pod)) return [going];
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    lastTransitionTime: formatTime(now),
    reason: "DeletionByPodGC",
    message: reason,
  };
  const status = { phase: "Failed", ...(reason === "" ? {} : { conditions: [condition] }) };
  const { uid } = pod.metadata;
  return [patch(Pod, pod, "strategic", { metadata: { uid }, status }, { subresource: "status" }), going];
}
