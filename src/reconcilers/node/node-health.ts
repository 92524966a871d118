/** When a node was last heard of, and what it says of itself. Upstream: pkg/controller/nodelifecycle. */
import { Lease } from "#api/coordination/lease.ts";
import type { Node } from "#api/core/node.ts";
import type { V1NodeCondition } from "#api/generated/types.ts";
import type { KubernetesObject } from "#api/object.ts";
import { timeOf } from "#reconcilers/pod-state.ts";
import type { View } from "#reconcilers/reconciler.ts";

export const leaseNamespace = "kube-node-lease";

export function nodeCondition({ status }: Node, type: string): V1NodeCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

/** When the server last took a change of the object or of one of its subresources; 0 if it does not say. */
export function changedAt({ metadata }: KubernetesObject, subresource?: string): number {
  const times = (metadata.managedFields ?? [])
    .filter((entry) => subresource === undefined || (entry.subresource ?? "") === subresource)
    .map(({ time }) => timeOf(time));
  return Math.max(0, ...times);
}

/**
 * The newest sign of life. The node's own clock may be wrong, so what counts beside its times is when the server took them.
 */
export function heardOf(node: Node, view: View): number {
  const lease = view.get(Lease, { namespace: leaseNamespace, name: node.metadata.name });
  return Math.max(
    timeOf(node.metadata.creationTimestamp),
    timeOf(nodeCondition(node, "Ready")?.lastHeartbeatTime),
    changedByNodeAt(node),
    lease === undefined ? 0 : Math.max(timeOf(lease.spec?.renewTime), changedAt(lease)),
  );
}

/** The controller's own status writes are no sign of life. */
function changedByNodeAt({ metadata }: Node): number {
  const times = (metadata.managedFields ?? [])
    .filter(({ subresource, manager }) => subresource === "status" && manager !== "kube-controller-manager")
    .map(({ time }) => timeOf(time));
  return Math.max(0, ...times);
}
