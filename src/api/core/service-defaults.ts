/** What a service says where it is silent. Upstream: pkg/apis/core/v1/defaults.go, SetDefaults_Service. */
import type { V1Service } from "#api/generated/types.ts";
import { isExternallyAccessible, needsClusterIp } from "./service-types.ts";

const affinitySeconds = 10_800;

export function defaultService(service: V1Service): void {
  const spec = (service.spec ??= {});
  spec.sessionAffinity ||= "None";
  if (spec.sessionAffinity === "None") delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity === "ClientIP" && spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined)
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: affinitySeconds } };
  spec.type ||= "ClusterIP";
  for (const port of spec.ports ?? []) {
    port.protocol ||= "TCP";
    if (port.targetPort === undefined || port.targetPort === 0 || port.targetPort === "") port.targetPort = port.port;
  }
  if (isExternallyAccessible(spec)) spec.externalTrafficPolicy ||= "Cluster";
  if (needsClusterIp(spec)) spec.internalTrafficPolicy ??= "Cluster";
  if (spec.type !== "LoadBalancer") return;
  spec.allocateLoadBalancerNodePorts ??= true;
  for (const one of service.status?.loadBalancer?.ingress ?? []) if (one.ip) one.ipMode ??= "VIP";
}
