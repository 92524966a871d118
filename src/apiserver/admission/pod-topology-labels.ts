/** Zone and region of its node are labels of a pod, too. Upstream: plugin/pkg/admission/podtopologylabels. */
import type { V1Node, V1Pod } from "#api/generated/types.ts";
import { type AdmissionPlugin, type AdmissionRequest, isFor } from "./plugin.ts";

const topologyLabels = ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"];

/** None where nobody knows the node. */
export function topologyLabelsOf(
  cache: AdmissionRequest["services"]["cache"],
  nodeName: string,
): Record<string, string> {
  const node = cache.resource("/registry/core/nodes/").get(nodeName)?.object as V1Node | undefined;
  const labels = node?.metadata.labels ?? {};
  return Object.fromEntries(topologyLabels.flatMap((key) => (labels[key] === undefined ? [] : [[key, labels[key]]])));
}

/** A pod that is made for a node. One that gets its node later gets them from its binding. */
export const podTopologyLabels: AdmissionPlugin = {
  name: "PodTopologyLabels",
  mutate(request) {
    if (!isFor(request, "", "pods") || request.operation !== "CREATE" || request.object === undefined) return;
    const { metadata, spec } = request.object as V1Pod;
    const labels = spec?.nodeName ? topologyLabelsOf(request.services.cache, spec.nodeName) : {};
    if (Object.keys(labels).length > 0) metadata.labels = { ...metadata.labels, ...labels };
  },
};
