/** Nodes and pods with nothing behind them: for tests and benchmarks. */
import type { V1Node, V1Pod, V1PodSpec, V1Taint } from "#api/generated/types.ts";

export interface HollowNode {
  allocatable?: Record<string, string>;
  labels?: Record<string, string>;
  taints?: V1Taint[];
  unschedulable?: boolean;
  images?: { names: string[]; sizeBytes: number }[];
}

/** Four CPUs, 8 GiB, 110 pods, unless said otherwise. */
export function hollowNode(name: string, options: HollowNode = {}): V1Node {
  const { allocatable, labels, taints, unschedulable, images } = options;
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels: { "kubernetes.io/hostname": name, ...labels } },
    spec: { ...(taints && { taints }), ...(unschedulable && { unschedulable }) },
    status: { allocatable: { cpu: "4", memory: "8Gi", pods: "110", ...allocatable }, ...(images && { images }) },
  };
}

export interface HollowPod extends Partial<V1PodSpec> {
  requests?: Record<string, string>;
  labels?: Record<string, string>;
  namespace?: string;
  startTime?: string;
}

/** One container; fields of a pod's spec are taken over. */
export function hollowPod(name: string, options: HollowPod = {}): V1Pod {
  const { requests, labels, namespace = "default", startTime, ...spec } = options;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, uid: `uid-${name}`, ...(labels && { labels }) },
    spec: { containers: [{ name: "c", image: "i", ...(requests && { resources: { requests } }) }], ...spec },
    status: startTime === undefined ? {} : { startTime },
  };
}
