/**
 * A number or address that belongs to one object at a time is a key of its own in the store, written in the same
 * transaction as its owner and only if it was not there: so it is never given twice, whoever else is writing.
 */
import { randomUUID } from "node:crypto";
import { formatTime } from "#lib/clock.ts";
import type { KubernetesObject, ManagedFieldsEntry } from "#api/object.ts";
import { encodeStored } from "#apiserver/cache/encoding.ts";
import type { ClusterCache } from "#apiserver/cache/cluster-cache.ts";
import type { ResourceCache } from "#apiserver/cache/resource-cache.ts";
import type { Write } from "#store/store.ts";

export interface Owner {
  namespace: string;
  name: string;
}

export class Reservations {
  readonly #resource: ResourceCache;
  readonly #describe: (value: string, owner: Owner, now: number) => KubernetesObject;

  constructor(resource: ResourceCache, describe: (value: string, owner: Owner, now: number) => KubernetesObject) {
    this.#resource = resource;
    this.#describe = describe;
  }

  isTaken(value: string): boolean {
    return this.#resource.get(value) !== undefined;
  }

  take(value: string, owner: Owner, now: number): Write {
    const object = this.#describe(value, owner, now);
    return { key: this.#resource.prefix + value, value: encodeStored(object), expectedModRevision: 0 };
  }

  release(value: string): Write {
    return { key: this.#resource.prefix + value, value: undefined };
  }
}

/** Addresses of Services: each is an IPAddress object that clients can see. */
export function addressReservations(cache: ClusterCache): Reservations {
  const resource = cache.resource("/registry/networking.k8s.io/ipaddresses/");
  return new Reservations(resource, (address, { namespace, name }, now) => ({
    kind: "IPAddress",
    apiVersion: "networking.k8s.io/v1",
    metadata: {
      name: address.replaceAll("%", "-"),
      uid: randomUUID(),
      creationTimestamp: formatTime(now),
      labels: {
        "ipaddress.kubernetes.io/ip-family": address.includes(":") ? "IPv6" : "IPv4",
        "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
      },
      managedFields: reservedFields(now),
    },
    spec: { parentRef: { resource: "services", namespace, name } },
  }));
}

/** The server itself owns what it reserves. */
function reservedFields(now: number): ManagedFieldsEntry[] {
  const labels = { ".": {}, "f:ipaddress.kubernetes.io/ip-family": {}, "f:ipaddress.kubernetes.io/managed-by": {} };
  const parent = { ".": {}, "f:name": {}, "f:namespace": {}, "f:resource": {} };
  return [
    {
      manager: "kube-apiserver",
      operation: "Update",
      apiVersion: "networking.k8s.io/v1",
      time: formatTime(now),
      fieldsType: "FieldsV1",
      fieldsV1: { "f:metadata": { "f:labels": labels }, "f:spec": { "f:parentRef": parent } },
    },
  ];
}

/** Node ports have no kind of their own: they are kept beside the kinds. */
export function portReservations(cache: ClusterCache): Reservations {
  return new Reservations(cache.resource("/registry/ranges/nodeports/"), (port, { namespace, name }) => ({
    metadata: { name: port },
    service: { namespace, name },
  }));
}
