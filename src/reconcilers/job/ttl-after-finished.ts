/** Deletes finished jobs that are not to be kept. Upstream: pkg/controller/ttlafterfinished. */
import { Job } from "#reconcilers/kinds.ts";
import { timeOf } from "#reconcilers/pod-state.ts";
import { defineReconciler, remove, wake } from "#reconcilers/reconciler.ts";

export const ttlAfterFinishedReconciler = defineReconciler<Job>({
  name: "ttl-after-finished",
  watches: Job,
  reconcile(job, _, { now }) {
    const seconds = job.spec?.ttlSecondsAfterFinished;
    const finished = job.status?.conditions?.find(
      ({ type, status }) => (type === "Complete" || type === "Failed") && status === "True",
    );
    if (seconds === undefined || finished === undefined || job.metadata.deletionTimestamp !== undefined) return [];
    const at = timeOf(finished.lastTransitionTime) + seconds * 1_000;
    return at > now ? [wake(at)] : [remove(Job, job, { propagation: "Foreground" })];
  },
});
