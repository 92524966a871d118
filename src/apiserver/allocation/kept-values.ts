/**
 * An update that says nothing of addresses and ports keeps them; clients that know only one of clusterIP and clusterIPs are
 * understood. Upstream: pkg/registry/core/service/storage, patchAllocatedValues and normalizeClusterIPs.
 */
import { allocatesNodePorts, needsHealthCheck } from "#api/core/service-types.ts";
import type { V1ServicePort, V1ServiceSpec } from "#api/generated/types.ts";

export function keepAllocated(spec: V1ServiceSpec, old: V1ServiceSpec): void {
  if (spec.type !== "ExternalName" && old.type !== "ExternalName") {
    if ((spec.clusterIP ?? "") === "" && old.clusterIP !== undefined) spec.clusterIP = old.clusterIP;
    if ((spec.clusterIPs ?? []).length === 0 && (old.clusterIPs ?? []).length > 0)
      spec.clusterIPs = [...old.clusterIPs!];
  }
  if (allocatesNodePorts(spec) && allocatesNodePorts(old)) keepNodePorts(spec.ports ?? [], old.ports ?? []);
  if (needsHealthCheck(spec) && needsHealthCheck(old) && (spec.healthCheckNodePort ?? 0) === 0)
    setPort(spec, "healthCheckNodePort", old.healthCheckNodePort);
}

/** A port is known by its name, whatever else of it changes; a number that another port asks for is not given twice. */
function keepNodePorts(ports: readonly V1ServicePort[], old: readonly V1ServicePort[]): void {
  const asked = new Set(ports.map(({ nodePort }) => nodePort ?? 0));
  const byName = new Map(old.map(({ name = "", nodePort = 0 }) => [name, nodePort]));
  for (const port of ports) {
    if ((port.nodePort ?? 0) !== 0) continue;
    const before = byName.get(port.name ?? "") ?? 0;
    if (!asked.has(before)) setPort(port, "nodePort", before);
  }
}

function setPort<Field extends string>(target: { [field in Field]?: number }, field: Field, value: number | undefined) {
  if (value !== undefined && value !== 0) target[field] = value;
}

export function normalizeClusterIps(spec: V1ServiceSpec, old: V1ServiceSpec | undefined): void {
  const { clusterIP = "", clusterIPs = [] } = spec;
  if (old === undefined) {
    if (clusterIP !== "" && clusterIPs.length === 0) spec.clusterIPs = [clusterIP];
    return;
  }
  const { clusterIP: oldIp = "", clusterIPs: oldIps = [] } = old;
  const isSame = clusterIPs.length === oldIps.length && clusterIPs.every((address, index) => address === oldIps[index]);
  if (oldIp === clusterIP) {
    if (oldIps.length > 0 && clusterIPs.length === 0) spec.clusterIPs = [...oldIps];
  } else if (isSame && clusterIP === "") delete spec.clusterIPs;
  else if (isSame) spec.clusterIPs = [clusterIP];
}
