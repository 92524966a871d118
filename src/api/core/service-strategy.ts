/**
 * What changes of a service when its type does: fields that belong to the old type alone go, if the client did not touch
 * them. Upstream: pkg/registry/core/service/strategy.go, dropTypeDependentFields.
 */
import type { V1Service, V1ServiceSpec } from "#api/generated/types.ts";
import type { Strategy } from "#api/resource.ts";
import { semanticEqual } from "#api/validation/values.ts";
import { serviceErrors } from "./service-rules.ts";
import { serviceStatusErrors } from "./service-status.ts";
import { isExternallyAccessible, needsClusterIp, needsHealthCheck, needsNodePort } from "./service-types.ts";
import { serviceStatusWarnings, serviceWarnings } from "./service-warnings.ts";

const isSame = (spec: V1ServiceSpec, old: V1ServiceSpec, field: keyof V1ServiceSpec) =>
  semanticEqual(spec[field], old[field]);

/** Fields, of what kind of service they are, and what else must have stayed for them to go. */
const dependent: readonly [needs: (spec: V1ServiceSpec) => boolean, fields: readonly (keyof V1ServiceSpec)[]][] = [
  [needsClusterIp, ["clusterIP", "clusterIPs"]],
  [needsClusterIp, ["ipFamilies"]],
  [needsClusterIp, ["ipFamilyPolicy"]],
  [needsHealthCheck, ["healthCheckNodePort"]],
  [({ type }) => type === "LoadBalancer", ["allocateLoadBalancerNodePorts"]],
  [({ type }) => type === "LoadBalancer", ["loadBalancerClass"]],
  [isExternallyAccessible, ["externalTrafficPolicy"]],
  [needsClusterIp, ["internalTrafficPolicy"]],
];

function dropTypeDependentFields(spec: V1ServiceSpec, old: V1ServiceSpec): void {
  for (const [needs, fields] of dependent)
    if (needs(old) && !needs(spec) && fields.every((field) => isSame(spec, old, field)))
      for (const field of fields) delete spec[field];
  if (needsNodePort(old) && !needsNodePort(spec) && hasSameNodePorts(spec, old))
    for (const port of spec.ports ?? []) delete port.nodePort;
}

/** Whether all of its numbers, if it has any, are of those that it had. */
function hasSameNodePorts(spec: V1ServiceSpec, old: V1ServiceSpec): boolean {
  const allocated = new Set((old.ports ?? []).map(({ nodePort = 0 }) => nodePort).filter((port) => port !== 0));
  return (spec.ports ?? []).every(({ nodePort = 0 }) => nodePort === 0 || allocated.has(nodePort));
}

export const serviceStrategy: Strategy<V1Service> = {
  prepareCreate(service) {
    service.status = { loadBalancer: {} };
    if (service.spec?.type === "ExternalName") delete service.spec.internalTrafficPolicy;
  },
  prepareUpdate(service, old) {
    const spec = service.spec!;
    dropTypeDependentFields(spec, old.spec!);
    service.status = old.status ?? { loadBalancer: {} };
    if (spec.type !== "LoadBalancer" && old.status?.loadBalancer?.ingress !== undefined)
      service.status = { ...service.status, loadBalancer: {} };
  },
  validate: serviceErrors,
  warnings: serviceWarnings,
  resetFields: [["status"]],
};

export const serviceStatusStrategy: Strategy<V1Service> = {
  prepareUpdate(service, old) {
    service.spec = old.spec!;
  },
  metadataLooks: { whole: 1, form: 0 },
  validate: serviceStatusErrors,
  warnings: serviceStatusWarnings,
  resetFields: [["spec"]],
};
