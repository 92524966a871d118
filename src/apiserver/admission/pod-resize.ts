/** A pod on a node does not grow beyond what the node has, and on Linux only. Upstream: plugin/pkg/admission/podresize. */
import { podRequests } from "#api/core/pod-resources.ts";
import type { V1Node, V1Pod } from "#api/generated/types.ts";
import { addQuantities, compareQuantities, milliValue, type QuantityLike, wholeValue } from "#api/quantity.ts";
import { forbiddenRequest } from "#api/status-catalogue.ts";
import { objectAt } from "./lookup.ts";
import { type AdmissionPlugin, isFor } from "./plugin.ts";

export const podResize: AdmissionPlugin = {
  name: "PodResizeValidator",
  validate(request) {
    if (request.operation !== "UPDATE" || !isFor(request, "", "pods", "resize")) return;
    const pod = request.object as V1Pod;
    const nodeName = pod.spec?.nodeName ?? "";
    // Only a spec that changes makes a new generation.
    if (nodeName === "" || request.old?.metadata.generation === pod.metadata.generation) return;
    const refuse = (text: string, cause?: string) =>
      forbiddenRequest(
        request.resource.resourceName,
        request.name,
        text,
        cause === undefined ? [] : [{ reason: cause }],
      );
    const node = objectAt<V1Node>(request.services, "/registry/core/nodes/", nodeName);
    if (node === undefined) throw refuse(`node ${JSON.stringify(nodeName)} not found`);
    // A node that does not say what it is may be Linux.
    const os = node.metadata.labels?.["kubernetes.io/os"] ?? "linux";
    if (os !== "linux")
      throw refuse(
        `pod resize is only supported on linux nodes, node ${JSON.stringify(nodeName)} is ${JSON.stringify(os)}`,
        "UnsupportedPlatform",
      );
    const excesses = excessesOf(pod, node);
    if (excesses.length > 0)
      throw refuse(`node didn't have enough allocatable resources: ${excesses.join("; ")}`, "NodeCapacity");
  },
};

const measures: readonly [name: string, amountOf: (value: QuantityLike) => number][] = [
  ["cpu", milliValue],
  ["memory", wholeValue],
];

/** Of which of cpu (in thousandths) and memory (in bytes) the pod asks for more than the node can give at all. */
function excessesOf({ spec }: V1Pod, { status }: V1Node): string[] {
  const sum = podRequests(spec ?? {});
  return measures.flatMap(([name, amountOf]) => {
    const own = spec?.resources?.requests?.[name] ?? sum[name] ?? 0;
    const requested = addQuantities(own, spec?.overhead?.[name] ?? 0);
    const allocatable = status?.allocatable?.[name] ?? 0;
    return compareQuantities(requested, allocatable) > 0
      ? [`${name}, requested: ${amountOf(requested)}, allocatable: ${amountOf(allocatable)}`]
      : [];
  });
}
