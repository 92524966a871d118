/** A Service's addresses and ports: filled in before it is checked, reserved in its own transaction, released with it. */
import type { FieldError } from "#api/field-error.ts";
import type { V1Service, V1ServiceSpec } from "#api/generated/types.ts";
import type { KubernetesObject } from "#api/object.ts";
import { invalidObject } from "#api/validation/field-errors.ts";
import type { ClusterCache } from "#apiserver/cache/cluster-cache.ts";
import type { Operation } from "#apiserver/operation.ts";
import type { ResourceHook } from "#apiserver/resource/hooks.ts";
import type { Write } from "#store/store.ts";
import { type Cidr, familyName } from "./cidr.ts";
import { keepAllocated, normalizeClusterIps } from "./kept-values.ts";
import { fillPorts, type PortRange, PortRequest, portsHeld } from "./node-ports.ts";
import { addressReservations, portReservations, type Reservations } from "./reservation.ts";
import { addressesHeld, fillAddresses } from "./service-addresses.ts";
import { fillFamilies } from "./service-families.ts";
import { serviceRanges } from "./service-ranges.ts";

export function serviceHook(cache: ClusterCache, ranges: readonly Cidr[], ports: PortRange): ResourceHook {
  const addresses = addressReservations(cache);
  const nodePorts = portReservations(cache);
  const configured = ranges.map(({ family }) => familyName(family));
  /** What an earlier try of the same create filled in, to be taken back when it lost a race. */
  const asSent = new WeakMap<KubernetesObject, V1Service["spec"]>();

  /** The first step with a fault ends it. */
  function allocate(spec: V1ServiceSpec, old: V1ServiceSpec | undefined, operation: Operation): FieldError[] {
    const { dryRun } = operation;
    const { random } = operation.services;
    if (old !== undefined) keepAllocated(spec, old);
    normalizeClusterIps(spec, old);
    const errors = fillFamilies(spec, old, configured);
    if (errors.length > 0) return errors;
    const allocator = { ranges: serviceRanges(cache, ranges), reservations: addresses, random, dryRun };
    const faults = fillAddresses(spec, old, allocator);
    return faults.length > 0 ? faults : fillPorts(spec, old, new PortRequest(ports, nodePorts, random, dryRun));
  }

  return {
    fill(object, previous, operation) {
      const service = object as V1Service;
      const old = previous as V1Service | undefined;
      if (service.spec === undefined) return;
      if (old === undefined) resetToSent(service, asSent);
      const errors = allocate(service.spec, old?.spec, operation);
      if (errors.length > 0) throw invalidObject({ group: "", kind: "Service" }, service.metadata.name ?? "", errors);
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
