/** Every namespace has the cluster's CA in a ConfigMap. Upstream: pkg/controller/certificates/rootcacertpublisher. */
import { ConfigMap } from "#api/core/config-map.ts";
import { Namespace } from "#api/core/namespace.ts";
import { create, defineReconciler, trigger, update } from "#reconcilers/reconciler.ts";

const mapName = "kube-root-ca.crt";
const descriptionAnnotation = "kubernetes.io/description";
const description =
  "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal " +
  "service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";

/** `rootCa` gives the PEM text as it is now. */
export const rootCaReconciler = (rootCa: () => string) =>
  defineReconciler<Namespace>({
    name: "root-ca-certificate-publisher",
    watches: Namespace,
    also: [trigger(ConfigMap, ({ metadata: { name, namespace } }) => (name === mapName ? [{ name: namespace }] : []))],
    reconcile({ metadata, status }, view) {
      if (metadata.deletionTimestamp !== undefined || status?.phase === "Terminating") return [];
      const key = { name: mapName, namespace: metadata.name! };
      const data = { "ca.crt": rootCa() };
      const current = view.get(ConfigMap, key);
      if (current === undefined) {
        const annotations = { [descriptionAnnotation]: description };
        return [create(ConfigMap, { metadata: { ...key, annotations }, data }, { existsIsFine: true })];
      }
      const described = current.metadata.annotations?.[descriptionAnnotation] === description;
      const keys = Object.keys(current.data ?? {});
      if (described && keys.length === 1 && current.data?.["ca.crt"] === data["ca.crt"]) return [];
      const annotations = { ...current.metadata.annotations, [descriptionAnnotation]: description };
      return [update(ConfigMap, { ...current, metadata: { ...current.metadata, annotations }, data })];
    },
  });
