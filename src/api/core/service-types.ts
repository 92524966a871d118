/** What the type of a service and its traffic policies make it need. Upstream: pkg/api/service/util.go, strategy.go. */
import type { V1ServiceSpec } from "#api/generated/types.ts";

/** Whether traffic from outside the cluster comes in. */
export const isExternallyAccessible = ({ type, externalIPs = [] }: V1ServiceSpec): boolean =>
  type === "LoadBalancer" || type === "NodePort" || (type === "ClusterIP" && externalIPs.length > 0);

export const needsHealthCheck = ({ type, externalTrafficPolicy }: V1ServiceSpec): boolean =>
  type === "LoadBalancer" && externalTrafficPolicy === "Local";

export const needsClusterIp = ({ type }: V1ServiceSpec): boolean =>
  type === "ClusterIP" || type === "NodePort" || type === "LoadBalancer";

/** Whether its ports may have a number on each node, be it given to them or only asked for. */
export const needsNodePort = ({ type }: V1ServiceSpec): boolean => type === "NodePort" || type === "LoadBalancer";

/** Whether ports without a number on each node are given one. */
export const allocatesNodePorts = (spec: V1ServiceSpec): boolean =>
  spec.type === "NodePort" || (spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false);

export const isHeadless = ({ clusterIPs = [] }: V1ServiceSpec): boolean =>
  clusterIPs.length === 1 && clusterIPs[0] === "None";
