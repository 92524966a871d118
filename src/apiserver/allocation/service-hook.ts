/** A Service's addresses and ports: filled in before it is checked, reserved in its own transaction, released with it. */
import { addressFieldsErrors } from "#api/core/service-addresses.ts";
import type { V1Service, V1ServicePort } from "#api/generated/types.ts";
import type { KubernetesObject } from "#api/object.ts";
import { invalidObject } from "#api/validation/field-errors.ts";
import type { ClusterCache } from "#apiserver/cache/cluster-cache.ts";
import type { Operation } from "#apiserver/operation.ts";
import type { ResourceHook } from "#apiserver/resource/hooks.ts";
import type { Write } from "#store/store.ts";
import type { Cidr } from "./cidr.ts";
import {
  fillHealthCheckPort,
  fillNodePorts,
  needsHealthCheckPort,
  needsNodePorts,
  type PortRange,
  portsHeld,
} from "./node-ports.ts";
import { addressReservations, portReservations, type Reservations } from "./reservation.ts";
import { addressesHeld, fillAddresses, fillFamilies, normalizeClusterIps } from "./service-addresses.ts";

export function serviceHook(cache: ClusterCache, ranges: readonly Cidr[], ports: PortRange): ResourceHook {
  const addresses = addressReservations(cache);
  const nodePorts = portReservations(cache);
  /** What an earlier try of the same create filled in, to be taken back when it lost a race. */
  const asSent = new WeakMap<KubernetesObject, V1Service["spec"]>();

  return {
    fill(object, previous, operation) {
      const service = object as V1Service;
      const old = previous as V1Service | undefined;
      if (service.spec === undefined) return;
      if (old === undefined) resetToSent(service, asSent);
      const spec = service.spec;
      if (old?.spec !== undefined) keepAllocated(service, old);
      normalizeClusterIps(spec, old?.spec);
      const faults = addressFieldsErrors(spec, old?.spec);
      if (faults.length > 0) throw invalidObject({ group: "", kind: "Service" }, service.metadata.name ?? "", faults);
      const { random } = operation.services;
      const { dryRun } = operation;
      const allocator = { ranges, reservations: addresses, random, dryRun };
      fillFamilies(service, old, allocator);
      fillAddresses(service, addressesHeld(old), allocator);
      const portAllocator = { range: ports, reservations: nodePorts, random, dryRun };
      const held = portsHeld(old);
      if (needsNodePorts(service)) {
        const errors = fillNodePorts(service, held, portAllocator);
        if (errors.length > 0) throw invalidObject({ group: "", kind: "Service" }, service.metadata.name ?? "", errors);
      }
      if (needsHealthCheckPort(service)) fillHealthCheckPort(service, held, portAllocator);
    },
    writes(object, old, operation) {
      return [
        ...(object === undefined ? [endpointsGone(old!)] : []),
        ...difference(
          addressesHeld(object as V1Service),
          addressesHeld(old as V1Service),
          addresses,
          object ?? old!,
          operation,
        ),
        ...difference(
          portsHeld(object as V1Service),
          portsHeld(old as V1Service),
          nodePorts,
          object ?? old!,
          operation,
        ),
      ];
    },
  };
}

/** A Service takes the Endpoints of its name with it. */
function endpointsGone({ metadata }: KubernetesObject): Write {
  return { key: `/registry/core/endpoints/${metadata.namespace ?? ""}/${metadata.name ?? ""}`, value: undefined };
}

function resetToSent(service: V1Service, asSent: WeakMap<KubernetesObject, V1Service["spec"]>): void {
  const sent = asSent.get(service);
  if (sent === undefined) asSent.set(service, structuredClone(service.spec));
  else service.spec = structuredClone(sent);
}

function difference(
  now: ReadonlySet<string>,
  before: ReadonlySet<string>,
  reservations: Reservations,
  { metadata }: KubernetesObject,
  operation: Operation,
): Write[] {
  const owner = { namespace: metadata.namespace ?? "", name: metadata.name ?? "" };
  return [
    ...[...before].filter((value) => !now.has(value)).map((value) => reservations.release(value)),
    ...[...now].filter((value) => !before.has(value)).map((value) => reservations.take(value, owner, operation.now)),
  ];
}

/** An update that says nothing of them keeps addresses and ports. Upstream: patchAllocatedValues. */
function keepAllocated(service: V1Service, old: V1Service): void {
  const spec = service.spec!;
  const oldSpec = old.spec!;
  const hasAddress = ({ type }: { type?: string }) => type !== "ExternalName";
  if (hasAddress(spec) && hasAddress(oldSpec)) {
    if ((spec.clusterIP ?? "") === "" && oldSpec.clusterIP !== undefined) spec.clusterIP = oldSpec.clusterIP;
    if (
      (spec.clusterIPs ?? []).length === 0 &&
      spec.clusterIP === oldSpec.clusterIP &&
      oldSpec.clusterIPs !== undefined
    )
      spec.clusterIPs = [...oldSpec.clusterIPs];
  }
  if (needsNodePorts(service) && needsNodePorts(old)) keepNodePorts(spec.ports ?? [], oldSpec.ports ?? []);
  if (
    needsHealthCheckPort(service) &&
    needsHealthCheckPort(old) &&
    (spec.healthCheckNodePort ?? 0) === 0 &&
    oldSpec.healthCheckNodePort !== undefined
  )
    spec.healthCheckNodePort = oldSpec.healthCheckNodePort;
}

function keepNodePorts(ports: readonly V1ServicePort[], old: readonly V1ServicePort[]): void {
  const taken = new Set(ports.map(({ nodePort }) => nodePort));
  for (const port of ports) {
    if ((port.nodePort ?? 0) !== 0) continue;
    const before = old.find((one) => one.port === port.port && (one.protocol ?? "TCP") === (port.protocol ?? "TCP"));
    if (before?.nodePort === undefined || before.nodePort === 0 || taken.has(before.nodePort)) continue;
    port.nodePort = before.nodePort;
  }
}
