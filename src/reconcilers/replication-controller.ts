/** A replica set of the first days: its selector is a plain map. Upstream: pkg/controller/replication. */
import { Pod } from "#api/core/pod.ts";
import { selectorOfLabels } from "#api/label-selector.ts";
import { ReplicationController } from "./kinds.ts";
import { adoptionInputs, candidatesOf, claim, possibleAdopters, selectorIndex } from "./ownership.ts";
import { isPodActive, isPodTerminal, nextAvailableAt } from "./pod-state.ts";
import { defineReconciler, trigger, updateStatus, wake, type Change, type Moment, type View } from "./reconciler.ts";
import { failureConditions, podCounts, scalePods } from "./replica-set.ts";
import { canonical } from "./template-hash.ts";

const bySelector = selectorIndex<ReplicationController>("replicationcontroller-selector", ({ spec }) => ({
  matchLabels: spec?.selector ?? {},
}));

export const replicationControllerReconciler = defineReconciler<ReplicationController>({
  name: "replicationcontroller",
  component: "replication-controller",
  watches: ReplicationController,
  owns: [Pod],
  also: [trigger(Pod, possibleAdopters(ReplicationController, bySelector))],
  inputs: (controller, view) => adoptionInputs(claiming(controller, view)),
  reconcile(controller, view, moment) {
    const { claimed, changes } = claim({ ...claiming(controller, view), inputs: moment.inputs });
    const pods = claimed.filter(isPodActive);
    const scaling = scalePods({
      owner: controller,
      ownerRef: ReplicationController,
      template: controller.spec?.template,
      wished: controller.spec?.replicas ?? 1,
      pods,
      related: () => pods,
      now: moment.now,
    });
    const waking = nextAvailableAt(pods, controller.spec?.minReadySeconds ?? 0, moment.now);
    return [
      ...changes,
      ...scaling,
      ...report(controller, pods, moment),
      ...(waking === undefined ? [] : [wake(waking)]),
    ];
  },
});

function claiming(controller: ReplicationController, view: View) {
  const labels = controller.spec?.selector ?? {};
  return {
    owner: controller,
    ownerRef: ReplicationController,
    ref: Pod,
    selector: selectorOfLabels(labels),
    candidates: candidatesOf<Pod>(view, controller, Pod, labels).filter((pod) => !isPodTerminal(pod)),
  };
}

function report(controller: ReplicationController, pods: readonly Pod[], moment: Moment): Change[] {
  const { minReadySeconds = 0, template, replicas = 1 } = controller.spec ?? {};
  const conditions = failureConditions(controller.status?.conditions ?? [], pods.length - replicas, moment);
  const status = {
    ...podCounts(pods, template?.metadata?.labels, minReadySeconds, moment.now),
    observedGeneration: controller.metadata.generation ?? 0,
    ...(conditions.length === 0 ? {} : { conditions }),
  };
  if (canonical(status) === canonical(controller.status ?? {})) return [];
  return [updateStatus(ReplicationController, { ...controller, status })];
}
