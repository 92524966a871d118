/** A cluster made of given objects: for a decision outside the loop, in tests, benchmarks and plans. */
import type { V1Namespace, V1Node, V1Pod } from "#api/generated/types.ts";
import type { KubernetesObject } from "#api/object.ts";
import { viewOf } from "#client/view.ts";
import { ClusterState } from "./cluster-state.ts";
import { namespaceRef } from "./kinds.ts";
import { isFinished, podInfoOf } from "./pod-info.ts";
import type { Cluster } from "./plugin.ts";

/** Every object says its apiVersion and kind. Pods without a node are left out, but for those that are promised one. */
export function clusterOf(objects: readonly KubernetesObject[]): Cluster {
  const state = new ClusterState();
  const view = viewOf(objects);
  for (const object of objects) {
    if (object.kind === "Node") state.setNode(object as V1Node);
    if (object.kind === "Pod") addPod(state, object as V1Pod);
  }
  state.namespaceLabels = (name) =>
    (view.get(namespaceRef, { name }) as V1Namespace | undefined)?.metadata.labels ?? {};
  return { state, objects: view };
}

function addPod(state: ClusterState, pod: V1Pod): void {
  if (isFinished(pod)) return;
  const promised = pod.status?.nominatedNodeName ?? "";
  if ((pod.spec?.nodeName ?? "") !== "") state.addPod(podInfoOf(pod));
  else if (promised !== "") state.nominate(podInfoOf(pod, promised));
}
