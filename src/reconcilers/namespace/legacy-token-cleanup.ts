/**
 * Marks, and a year later deletes, the account tokens that clusters of old made by themselves and that nobody uses.
 * Upstream: pkg/controller/serviceaccount/legacy_serviceaccount_token_cleaner.go.
 */
import { ConfigMap } from "#api/core/config-map.ts";
import { Pod } from "#api/core/pod.ts";
import { Secret } from "#api/core/secret.ts";
import { ServiceAccount } from "#api/core/service-account.ts";
import { defineIndex } from "#client/object-set.ts";
import { defineReconciler, patch, remove, wake, type Change, type View } from "#reconcilers/reconciler.ts";

export const unusedMsMax = 365 * 24 * 3_600_000;
const lookEveryMs = 24 * 3_600_000;
const lastUsedLabel = "kubernetes.io/legacy-token-last-used";
const invalidSinceLabel = "kubernetes.io/legacy-token-invalid-since";
/** Since when the API server notes the use of such tokens; before that nothing is known. */
const tracking = { namespace: "kube-system", name: "kube-apiserver-legacy-service-account-token-tracking" };

const podsBySecret = defineIndex<Pod>("pod-secret", ({ metadata, spec }) =>
  (spec?.volumes ?? []).flatMap(({ secret }) =>
    secret?.secretName === undefined ? [] : [`${metadata.namespace}/${secret.secretName}`],
  ),
);

export const legacyTokenCleanupReconciler = defineReconciler<Secret>({
  name: "legacy-serviceaccount-token-cleaner",
  watches: Secret,
  reads: [Pod, ServiceAccount, ConfigMap],
  reconcile(secret, view, { now }): Change[] {
    if (!isGenerated(secret, view) || secret.metadata.deletionTimestamp !== undefined) return [];
    const trackedSince = dayOf(view.get(ConfigMap, tracking)?.data?.["since"]);
    const { namespace, name, labels = {}, creationTimestamp } = secret.metadata;
    const again = wake(now + lookEveryMs);
    const usedAt = Math.max(dayOf(labels[lastUsedLabel]), Date.parse(creationTimestamp ?? ""), trackedSince);
    const isMounted = view.byIndex(Pod, podsBySecret, `${namespace}/${name}`).length > 0;
    if (trackedSince === 0 || isMounted || !(usedAt + unusedMsMax < now)) return [again];
    const invalidSince = dayOf(labels[invalidSinceLabel]);
    if (invalidSince === 0) {
      const marked = { [invalidSinceLabel]: new Date(now).toISOString().slice(0, 10) };
      return [patch(Secret, secret, "merge", { metadata: { labels: marked } }), again];
    }
    if (invalidSince + unusedMsMax >= now) return [again];
    const { resourceVersion } = secret.metadata;
    return [remove(Secret, secret, resourceVersion === undefined ? {} : { resourceVersion })];
  },
});

/** One that its account lists: those that people make are not listed. */
function isGenerated({ metadata, type }: Secret, view: View): boolean {
  if (type !== "kubernetes.io/service-account-token") return false;
  const { namespace, name, annotations } = metadata;
  const account = view.get(ServiceAccount, { namespace, name: annotations?.["kubernetes.io/service-account.name"] });
  return (account?.secrets ?? []).some((each) => each.name === name);
}

/** "2026-01-31"; 0 for what is no day. */
function dayOf(text: string | undefined): number {
  const at = /^\d{4}-\d\d-\d\d$/.test(text ?? "") ? Date.parse(text!) : NaN;
  return Number.isNaN(at) ? 0 : at;
}
