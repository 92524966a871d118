/** Makes the claims that pods carry in themselves. Upstream: pkg/controller/volume/ephemeral. */
import { Pod } from "#api/core/pod.ts";
import { isAlreadyExists } from "#api/status-error.ts";
import { controllerOf } from "#client/view.ts";
import { PersistentVolumeClaim } from "#reconcilers/kinds.ts";
import { controllerReference } from "#reconcilers/ownership.ts";
import { isPodTerminal } from "#reconcilers/pod-state.ts";
import { create, defineReconciler, event, trigger, type Change, type EventSpec } from "#reconcilers/reconciler.ts";
import { podsByClaim } from "./volume-protection.ts";

export const ephemeralVolumeReconciler = defineReconciler<Pod>({
  name: "ephemeral-volume",
  component: "ephemeral_volume",
  watches: Pod,
  also: [
    // Also of a claim that stood in the way of a pod's own.
    trigger(PersistentVolumeClaim, ({ metadata: { namespace, name } }, view, other) =>
      other === undefined ? view.byIndex(Pod, podsByClaim, `${namespace}/${name}`).map(({ metadata }) => metadata) : [],
    ),
  ],
  ignores: (pod, old) => pod.metadata.deletionTimestamp === old.metadata.deletionTimestamp,
  reconcile(pod, view) {
    const { namespace, name: podName, uid, deletionTimestamp } = pod.metadata;
    if (deletionTimestamp !== undefined || isPodTerminal(pod)) return [];
    const changes: Change[] = [];
    for (const { name, ephemeral } of pod.spec?.volumes ?? []) {
      const template = ephemeral?.volumeClaimTemplate;
      if (template === undefined) continue;
      const claim = { namespace: namespace!, name: `${podName}-${name}` };
      const failed = (why: string): EventSpec => ({
        about: pod,
        type: "Warning",
        reason: "FailedBinding",
        message: `ephemeral volume ${name}: ${why}`,
      });
      const current = view.get(PersistentVolumeClaim, claim);
      if (current !== undefined) {
        if (controllerOf(current)?.uid === uid) continue;
        const why = `PVC ${namespace}/${claim.name} was not created for pod ${namespace}/${podName} (pod is not owner)`;
        const { about, type, reason, message } = failed(why);
        return [...changes, event(about, type, reason, message)];
      }
      const { labels, annotations } = template.metadata ?? {};
      const metadata = {
        ...claim,
        ...(labels === undefined ? {} : { labels }),
        ...(annotations === undefined ? {} : { annotations }),
        ownerReferences: [controllerReference(pod, Pod)],
      };
      changes.push(
        create(
          PersistentVolumeClaim,
          { metadata, spec: template.spec },
          {
            report: (outcome) =>
              outcome.ok || isAlreadyExists(outcome.error)
                ? undefined
                : failed(`create PVC ${claim.name}: ${outcome.error.message}`),
          },
        ),
      );
    }
    return changes;
  },
});
