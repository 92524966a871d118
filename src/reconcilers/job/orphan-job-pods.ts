/** Lets pods go that wait to be counted by a job that is no more. Upstream: job_controller.go (syncOrphanPod). */
import { Pod } from "#api/core/pod.ts";
import { controllerOf } from "#client/view.ts";
import { Job } from "#reconcilers/kinds.ts";
import { defineReconciler, trigger, type InputRequest } from "#reconcilers/reconciler.ts";
import { isTracked, withoutTracking } from "./job-pod.ts";

export const orphanJobPodsReconciler = defineReconciler<Pod>({
  name: "job-orphan-pods",
  component: "job-controller",
  watches: Pod,
  also: [
    trigger(Job, (job, view, other) =>
      other === undefined ? view.ownedBy(job, Pod).map(({ metadata }) => metadata) : [],
    ),
  ],
  ignores: (pod, old) => isTracked(pod) === isTracked(old) && controllerOf(pod)?.uid === controllerOf(old)?.uid,
  inputs(pod, view) {
    const requests = new Map<string, InputRequest>();
    const owner = controllerOf(pod);
    // The view may be behind: only the server knows that the job is gone.
    if (isTracked(pod) && owner?.kind === "Job" && view.byUid(Job, owner.uid) === undefined)
      requests.set("job", { type: "get", ref: Job, key: { namespace: pod.metadata.namespace, name: owner.name } });
    return requests;
  },
  reconcile(pod, view, { inputs }) {
    if (!isTracked(pod)) return [];
    const owner = controllerOf(pod);
    if (owner?.kind !== "Job") return [withoutTracking(pod)];
    if (view.byUid(Job, owner.uid) !== undefined) return [];
    const answer = inputs.get("job");
    if (answer === undefined || !answer.ok) return [];
    return (answer.value as Job | undefined)?.metadata.uid === owner.uid ? [] : [withoutTracking(pod)];
  },
});
