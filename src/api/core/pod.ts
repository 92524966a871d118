/** Containers that run together on a node. Upstream: pkg/registry/core/pod/strategy.go. */
import type { V1Pod } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { podColumns, podRowConditions } from "./pod-columns.ts";
import { defaultPod } from "./pod-defaults.ts";
import { ephemeralContainersStrategy, podStatusStrategy, podStrategy, resizeStrategy } from "./pod-strategy.ts";

export type Pod = V1Pod;
export const Pod = defineResource<Pod>({
  group: "",
  version: "v1",
  kind: "Pod",
  plural: "pods",
  shortNames: ["po"],
  categories: ["all"],
  scope: "Namespaced",
  schema: "io.k8s.api.core.v1.Pod",
  deleteReturnsObject: true,
  defaults: defaultPod,
  ...podStrategy,
  status: podStatusStrategy,
  subresources: { ephemeralcontainers: ephemeralContainersStrategy, resize: resizeStrategy },
  connects: {
    attach: { kind: "PodAttachOptions", verbs: ["create", "get"] },
    binding: { kind: "Binding", verbs: ["create"] },
    eviction: { kind: "Eviction", group: "policy", version: "v1", verbs: ["create"] },
    exec: { kind: "PodExecOptions", verbs: ["create", "get"] },
    log: { kind: "Pod", verbs: ["get"] },
    portforward: { kind: "PodPortForwardOptions", verbs: ["create", "get"] },
    proxy: { kind: "PodProxyOptions", verbs: ["create", "delete", "get", "patch", "update"] },
  },
  columns: podColumns,
  rowConditions: podRowConditions,
  gracePeriodSeconds: podGracePeriodSeconds,
  fieldSelectors: {
    "spec.nodeName": (pod) => pod.spec?.nodeName ?? "",
    // The name it had before v1.
    "spec.host": (pod) => pod.spec?.nodeName ?? "",
    "spec.restartPolicy": (pod) => pod.spec?.restartPolicy ?? "",
    "spec.schedulerName": (pod) => pod.spec?.schedulerName ?? "",
    "spec.serviceAccountName": (pod) => pod.spec?.serviceAccountName ?? "",
    "spec.hostNetwork": (pod) => String(pod.spec?.hostNetwork ?? false),
    "status.phase": (pod) => pod.status?.phase ?? "",
    "status.podIP": (pod) => pod.status?.podIPs?.[0]?.ip ?? "",
    // Known, but nobody fills it in upstream.
    "status.podIPs": () => "",
    "status.nominatedNodeName": (pod) => pod.status?.nominatedNodeName ?? "",
  },
});

/** A pod that no node has, or that is done, goes at once. Upstream: CheckGracefulDelete. */
function podGracePeriodSeconds({ spec, status }: Pod, requested: number | undefined): number {
  if (!spec?.nodeName || status?.phase === "Failed" || status?.phase === "Succeeded") return 0;
  const period = requested ?? spec.terminationGracePeriodSeconds ?? 0;
  return period < 0 ? 1 : period;
}
