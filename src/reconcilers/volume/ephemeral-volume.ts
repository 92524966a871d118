/** Makes the claims that pods carry in themselves. Upstream: pkg/controller/volume/ephemeral. */
import { Pod } from "#api/core/pod.ts";
import { controllerOf } from "#client/view.ts";
import { PersistentVolumeClaim } from "#reconcilers/kinds.ts";
import { controllerReference } from "#reconcilers/ownership.ts";
import { isPodTerminal } from "#reconcilers/pod-state.ts";
import { create, defineReconciler, event, trigger } from "#reconcilers/reconciler.ts";

export const ephemeralVolumeReconciler = defineReconciler<Pod>({
  name: "ephemeral-volume",
  component: "ephemeral_volume",
  watches: Pod,
  also: [
    trigger(PersistentVolumeClaim, (claim, _, other) => {
      const owner = other === undefined ? controllerOf(claim) : undefined;
      return owner?.kind === "Pod" ? [{ namespace: claim.metadata.namespace, name: owner.name }] : [];
    }),
  ],
  ignores: (pod, old) => pod.metadata.deletionTimestamp === old.metadata.deletionTimestamp,
  reconcile(pod, view) {
    const { namespace, name: podName, uid, deletionTimestamp } = pod.metadata;
    if (deletionTimestamp !== undefined || isPodTerminal(pod)) return [];
    return (pod.spec?.volumes ?? []).flatMap(({ name, ephemeral }) => {
      const template = ephemeral?.volumeClaimTemplate;
      if (template === undefined) return [];
      const claim = { namespace: namespace!, name: `${podName}-${name}` };
      const current = view.get(PersistentVolumeClaim, claim);
      if (current !== undefined) {
        if (controllerOf(current)?.uid === uid) return [];
        const message = `PVC ${claim.namespace}/${claim.name} was not created for pod ${namespace}/${podName} (pod is not owner)`;
        return [event(pod, "Warning", "EphemeralVolumeClaimFailed", message)];
      }
      const { labels, annotations } = template.metadata ?? {};
      const metadata = {
        ...claim,
        ...(labels === undefined ? {} : { labels }),
        ...(annotations === undefined ? {} : { annotations }),
        ownerReferences: [controllerReference(pod, Pod)],
      };
      return [create(PersistentVolumeClaim, { metadata, spec: template.spec })];
    });
  },
});
