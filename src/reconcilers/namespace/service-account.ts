/** Every namespace has a service account "default". Upstream: pkg/controller/serviceaccount/serviceaccounts_controller.go. */
import { Namespace } from "#api/core/namespace.ts";
import { ServiceAccount } from "#api/core/service-account.ts";
import { create, defineReconciler, trigger } from "#reconcilers/reconciler.ts";

const accountName = "default";

export const serviceAccountReconciler = defineReconciler<Namespace>({
  name: "serviceaccount",
  component: "service-account-controller",
  watches: Namespace,
  also: [
    trigger(ServiceAccount, ({ metadata: { name, namespace } }) => (name === accountName ? [{ name: namespace }] : [])),
  ],
  reconcile({ metadata, status }, view) {
    const key = { name: accountName, namespace: metadata.name! };
    const isGoing = metadata.deletionTimestamp !== undefined || status?.phase === "Terminating";
    if (isGoing || view.get(ServiceAccount, key) !== undefined) return [];
    return [create(ServiceAccount, { metadata: key }, { existsIsFine: true })];
  },
});
