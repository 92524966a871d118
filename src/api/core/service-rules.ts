/** What a service may say. Upstream: ValidateService, ValidateServiceUpdate. */
import type { V1Service, V1ServicePort, V1ServiceSpec } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import {
  duplicate,
  forbidden,
  invalid,
  invalidEach,
  notSupported,
  raw,
  required,
} from "#api/validation/field-errors.ts";
import { isPortNumber } from "#api/validation/formats.ts";
import { cidrErrors, ipErrors, nonSpecialIpErrors } from "#api/validation/ip.ts";
import { isQualifiedName } from "#api/validation/names.ts";
import { labelsErrors } from "#api/validation/object-meta.ts";
import { dnsLabel, dnsSubdomain, oneOf, portErrors } from "#api/validation/values.ts";
import { addressFieldsErrors, addressChangeErrors } from "./service-addresses.ts";
import { isExternallyAccessible, isHeadless, needsClusterIp, needsHealthCheck } from "./service-types.ts";

const affinitySecondsMax = 86_400;
const types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const protocols = ["SCTP", "TCP", "UDP"];
const trafficPolicies = ["Cluster", "Local"];
const sourceRangesAnnotation = "service.beta.kubernetes.io/load-balancer-source-ranges";
export const hintsAnnotation = "service.kubernetes.io/topology-aware-hints";
export const modeAnnotation = "service.kubernetes.io/topology-mode";

export function serviceErrors(service: V1Service, old: V1Service | undefined): FieldError[] {
  const spec = service.spec!;
  return [
    ...(old === undefined ? [] : changeErrors(spec, old.spec!)),
    ...hintErrors(service.metadata.annotations),
    ...typeErrors(spec),
    ...portsErrors(spec),
    ...(spec.selector === undefined ? [] : labelsErrors(spec.selector, "spec.selector")),
    ...affinityErrors(spec),
    ...addressFieldsErrors(spec, old?.spec),
    ...(spec.externalIPs ?? []).flatMap((ip, index) => externalIpErrors(ip, `spec.externalIPs[${index}]`)),
    ...oneOf("spec.type", spec.type, types),
    ...nodePortsErrors(spec),
    ...sourceRangesErrors(service, old),
    ...loadBalancerErrors(spec),
    ...trafficErrors(spec),
  ];
}

function hintErrors(annotations: Record<string, string> | undefined): FieldError[] {
  const mode = annotations?.[modeAnnotation];
  const hints = annotations?.[hintsAnnotation];
  if (mode === undefined || hints === undefined || mode === hints) return [];
  const text = `must match annotations[${hintsAnnotation}] when both are specified`;
  return [invalid(`metadata.annotations[${modeAnnotation}]`, mode, text)];
}

function typeErrors(spec: V1ServiceSpec): FieldError[] {
  const { type, externalName = "", clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = spec;
  const errors: FieldError[] = [];
  if ((spec.ports ?? []).length === 0 && !isHeadless(spec) && type !== "ExternalName")
    errors.push(required("spec.ports"));
  if ((type === "LoadBalancer" || type === "NodePort") && isHeadless(spec))
    errors.push(invalid("spec.clusterIPs[0]", clusterIPs[0], `may not be set to 'None' for ${type} services`));
  if (type !== "ExternalName") return errors;
  const text = "may not be set for ExternalName services";
  if (clusterIPs.length > 0) errors.push(forbidden("spec.clusterIPs", text));
  if (ipFamilies.length > 0) errors.push(forbidden("spec.ipFamilies", text));
  if (ipFamilyPolicy !== undefined) errors.push(forbidden("spec.ipFamilyPolicy", text));
  const name = externalName.endsWith(".") ? externalName.slice(0, -1) : externalName;
  return [...errors, ...(name === "" ? [required("spec.externalName")] : dnsSubdomain("spec.externalName", name))];
}

function portsErrors({ ports = [] }: V1ServiceSpec): FieldError[] {
  const names = new Set<string>();
  return ports.flatMap((port, index) => portErrorsOf(port, ports.length > 1, names, `spec.ports[${index}]`));
}

function portErrorsOf(servicePort: V1ServicePort, needsName: boolean, names: Set<string>, path: string): FieldError[] {
  const { name = "", port = 0, protocol, targetPort, appProtocol } = servicePort as Partial<V1ServicePort>;
  const errors: FieldError[] = [];
  if (name === "") {
    if (needsName) errors.push(required(`${path}.name`));
  } else {
    errors.push(...dnsLabel(`${path}.name`, name));
    if (names.has(name)) errors.push(duplicate(`${path}.name`, name));
    names.add(name);
  }
  errors.push(
    ...invalidEach(`${path}.port`, port, isPortNumber(port)),
    ...oneOf(`${path}.protocol`, protocol, protocols),
  );
  errors.push(...portErrors(`${path}.targetPort`, targetPort));
  if (appProtocol !== undefined)
    errors.push(...invalidEach(`${path}.appProtocol`, appProtocol, isQualifiedName(appProtocol)));
  return errors;
}

function affinityErrors({ sessionAffinity, sessionAffinityConfig }: V1ServiceSpec): FieldError[] {
  const errors = oneOf("spec.sessionAffinity", sessionAffinity, ["ClientIP", "None"]);
  const path = "spec.sessionAffinityConfig";
  if (sessionAffinity === "None" && sessionAffinityConfig !== undefined)
    errors.push(forbidden(path, "must not be set when session affinity is None"));
  if (sessionAffinity !== "ClientIP") return errors;
  const when = "when session affinity type is ClientIP";
  if (sessionAffinityConfig === undefined) return [...errors, required(path, when)];
  if (sessionAffinityConfig.clientIP === undefined) return [...errors, required(`${path}.clientIP`, when)];
  const { timeoutSeconds: seconds } = sessionAffinityConfig.clientIP;
  if (seconds === undefined) return [...errors, required(`${path}.clientIP.timeoutSeconds`, when)];
  if (seconds > 0 && seconds <= affinitySecondsMax) return errors;
  const text = `must be greater than 0 and less than ${affinitySecondsMax}`;
  return [...errors, invalid(`${path}.clientIP.timeoutSeconds`, seconds, text)];
}

function externalIpErrors(ip: string, field: string): FieldError[] {
  const errors = ipErrors(field, ip);
  return errors.length > 0 ? errors : nonSpecialIpErrors(field, ip);
}

function nodePortsErrors({ type, ports = [] }: V1ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  if (type === "ClusterIP")
    for (const [index, { nodePort = 0 }] of ports.entries())
      if (nodePort !== 0)
        errors.push(forbidden(`spec.ports[${index}].nodePort`, "may not be used when `type` is 'ClusterIP'"));
  const nodePorts = new Set<string>();
  for (const [index, { protocol, nodePort = 0 }] of ports.entries()) {
    if (nodePort === 0) continue;
    if (nodePorts.has(`${protocol}/${nodePort}`)) errors.push(duplicate(`spec.ports[${index}].nodePort`, nodePort));
    nodePorts.add(`${protocol}/${nodePort}`);
  }
  const seen = new Set<string>();
  for (const [index, { protocol, port }] of ports.entries()) {
    if (seen.has(`${protocol}/${port}`)) {
      const shown = `{"Name":"","Protocol":"${protocol}","AppProtocol":null,"Port":${port},"TargetPort":0,"NodePort":0}`;
      errors.push(duplicate(`spec.ports[${index}]`, raw(shown)));
    }
    seen.add(`${protocol}/${port}`);
  }
  return errors;
}

/** Upstream writes the field's name with a capital. */
function sourceRangesErrors({ metadata, spec }: V1Service, old: V1Service | undefined): FieldError[] {
  const ranges = spec?.loadBalancerSourceRanges ?? [];
  const errors: FieldError[] = [];
  if (ranges.length > 0) {
    const path = "spec.LoadBalancerSourceRanges";
    if (spec?.type !== "LoadBalancer") errors.push(forbidden(path, balancerOnly));
    return [...errors, ...ranges.flatMap((range, index) => cidrErrors(`${path}[${index}]`, range.trim()))];
  }
  const annotation = metadata.annotations?.[sourceRangesAnnotation];
  if (annotation === undefined) return [];
  const path = `metadata.annotations[${sourceRangesAnnotation}]`;
  if (spec?.type !== "LoadBalancer") errors.push(forbidden(path, balancerOnly));
  if (annotation.trim() === "" || annotation === old?.metadata.annotations?.[sourceRangesAnnotation]) return errors;
  return [
    ...errors,
    ...annotation
      .trim()
      .split(",")
      .flatMap((range) => cidrErrors(path, range.trim())),
  ];
}

const balancerOnly = "may only be used when `type` is 'LoadBalancer'";

/** The path of the first fault lacks its "spec" upstream. */
function loadBalancerErrors(spec: V1ServiceSpec): FieldError[] {
  const isBalancer = spec.type === "LoadBalancer";
  const errors: FieldError[] = [];
  if (isBalancer && spec.allocateLoadBalancerNodePorts === undefined)
    errors.push(required("allocateLoadBalancerNodePorts"));
  if (!isBalancer && spec.allocateLoadBalancerNodePorts !== undefined)
    errors.push(forbidden("spec.allocateLoadBalancerNodePorts", balancerOnly));
  return [...errors, ...balancerClassErrors(spec, undefined)];
}

function balancerClassErrors(spec: V1ServiceSpec, old: V1ServiceSpec | undefined): FieldError[] {
  const path = "spec.loadBalancerClass";
  const { type, loadBalancerClass: name } = spec;
  const errors: FieldError[] = [];
  if (type === "LoadBalancer" && old?.type === "LoadBalancer" && name !== old.loadBalancerClass)
    errors.push(invalid(path, name, "may not change once set"));
  if (name === undefined) return errors;
  if (type !== "LoadBalancer") return [forbidden(path, balancerOnly)];
  return [...errors, ...invalidEach(path, name, isQualifiedName(name))];
}

function trafficErrors(spec: V1ServiceSpec): FieldError[] {
  const { externalTrafficPolicy = "", internalTrafficPolicy, healthCheckNodePort = 0, trafficDistribution } = spec;
  const errors: FieldError[] = [];
  if (isExternallyAccessible(spec))
    errors.push(...oneOf("spec.externalTrafficPolicy", externalTrafficPolicy, trafficPolicies));
  else if (externalTrafficPolicy !== "")
    errors.push(
      invalid(
        "spec.externalTrafficPolicy",
        externalTrafficPolicy,
        "may only be set for externally-accessible services",
      ),
    );
  if (!needsHealthCheck(spec) && healthCheckNodePort !== 0) {
    const text = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    errors.push(invalid("spec.healthCheckNodePort", healthCheckNodePort, text));
  }
  if (needsHealthCheck(spec))
    errors.push(
      ...(healthCheckNodePort === 0
        ? [required("spec.healthCheckNodePort")]
        : invalidEach("spec.healthCheckNodePort", healthCheckNodePort, isPortNumber(healthCheckNodePort))),
    );
  if (internalTrafficPolicy === undefined && needsClusterIp(spec)) errors.push(required("spec.internalTrafficPolicy"));
  if (internalTrafficPolicy !== undefined && !trafficPolicies.includes(internalTrafficPolicy))
    errors.push(notSupported("spec.internalTrafficPolicy", internalTrafficPolicy, trafficPolicies));
  const distributions = ["PreferClose", "PreferSameZone", "PreferSameNode"];
  if (trafficDistribution !== undefined && !distributions.includes(trafficDistribution))
    errors.push(notSupported("spec.trafficDistribution", trafficDistribution, distributions));
  return errors;
}

function changeErrors(spec: V1ServiceSpec, old: V1ServiceSpec): FieldError[] {
  const errors = [...addressChangeErrors(spec, old), ...balancerClassErrors(spec, old)];
  if (needsHealthCheck(old) && needsHealthCheck(spec) && spec.healthCheckNodePort !== old.healthCheckNodePort)
    errors.push(forbidden("spec.healthCheckNodePort", "field is immutable"));
  return errors;
}
