/** Takes back what a pod says of its coming end if that does not come. Upstream: syncStalePodDisruption in pkg/controller/disruption. */
import { formatTime } from "#lib/clock.ts";
import { Pod } from "#api/core/pod.ts";
import { isPodTerminal, podCondition, timeOf } from "./pod-state.ts";
import { defineReconciler, patch, wake } from "./reconciler.ts";
import { canonical } from "./template-hash.ts";

/** Between being told of its end and being deleted a pod has this long. */
export const staleMs = 120_000;
const type = "DisruptionTarget";

export const staleDisruptionReconciler = defineReconciler<Pod>({
  name: "stale-disruption",
  component: "controllermanager",
  watches: Pod,
  ignores: (pod, old) =>
    canonical(podCondition(pod, type)) === canonical(podCondition(old, type)) &&
    pod.metadata.deletionTimestamp === old.metadata.deletionTimestamp &&
    pod.status?.phase === old.status?.phase,
  reconcile(pod, _, { now }) {
    const condition = podCondition(pod, type);
    if (condition?.status !== "True" || pod.metadata.deletionTimestamp !== undefined || isPodTerminal(pod)) return [];
    // The node takes its time to end pods.
    if (condition.reason === "TerminationByKubelet") return [];
    const at = timeOf(condition.lastTransitionTime) + staleMs;
    if (at > now) return [wake(at)];
    const { uid, generation } = pod.metadata;
    const over = {
      type,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      status: "False",
      lastTransitionTime: formatTime(now),
      reason: null,
      message: null,
    };
    const body = { metadata: { uid }, status: { conditions: [over] } };
    return [patch(Pod, pod, "strategic", body, { subresource: "status" })];
  },
});
