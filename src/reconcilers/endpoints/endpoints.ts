/** Keeps the Endpoints of services with a selector. Upstream: pkg/controller/endpoint/endpoints_controller.go. */
import { Endpoints } from "#api/core/endpoints.ts";
import { Pod } from "#api/core/pod.ts";
import { Service } from "#api/core/service.ts";
import type { CoreV1EndpointPort, V1EndpointAddress, V1EndpointSubset } from "#api/generated/types.ts";
import { isPodTerminal } from "#reconcilers/pod-state.ts";
import { create, defineReconciler, remove, trigger, update, type Change } from "#reconcilers/reconciler.ts";
import { canonical } from "#reconcilers/template-hash.ts";
import {
  addressesOf,
  canServe,
  goDigest,
  headlessLabel,
  hostnameIn,
  isHeadless,
  isReadyFor,
  podReference,
  portNumber,
  selectedPods,
  servicesOfPod,
  triggerTime,
  triggerTimeAnnotation,
} from "./pod-endpoints.ts";

const managedByLabel = "endpoints.kubernetes.io/managed-by";
const capacityAnnotation = "endpoints.kubernetes.io/over-capacity";
/** Addresses in one Endpoints object; those beyond are left to EndpointSlices. */
export const addressesMax = 1_000;

export const endpointsReconciler = defineReconciler<Service>({
  name: "endpoints",
  component: "endpoint-controller",
  watches: Service,
  also: [trigger(Pod, servicesOfPod), trigger(Endpoints, ({ metadata }) => [metadata])],
  ignores: ({ metadata, spec }, old) =>
    canonical([spec, metadata.labels]) === canonical([old.spec, old.metadata.labels]),
  reconcile(service, view) {
    if (service.metadata.deletionTimestamp !== undefined) return [];
    if (Object.keys(service.spec?.selector ?? {}).length === 0) return [];
    const pods = selectedPods(service, view).filter(canServe);
    return written(service, pods, view.get(Endpoints, service.metadata));
  },
  gone(key, view) {
    const left = view.get(Endpoints, key);
    return left?.metadata.labels?.[managedByLabel] === undefined ? [] : [remove(Endpoints, left)];
  },
});

function written(service: Service, pods: readonly Pod[], current: Endpoints | undefined): Change[] {
  const { subsets, truncated } = limited(subsetsOf(service, pods));
  const labels = {
    ...service.metadata.labels,
    ...(isHeadless(service) ? { [headlessLabel]: "" } : {}),
    [managedByLabel]: "endpoint-controller",
  };
  const { [capacityAnnotation]: before, ...annotations } = current?.metadata.annotations ?? {};
  const isSame =
    current !== undefined &&
    sameSubsets(current.subsets ?? [], subsets) &&
    canonical(current.metadata.labels ?? {}) === canonical(labels) &&
    (before === "truncated") === truncated;
  if (isSame || current?.metadata.deletionTimestamp !== undefined) return [];
  const { name, namespace } = service.metadata;
  const metadata = {
    ...(current?.metadata ?? { name: name!, namespace: namespace! }),
    labels,
    annotations: {
      ...annotations,
      [triggerTimeAnnotation]: triggerTime(service, pods),
      ...(truncated ? { [capacityAnnotation]: "truncated" } : {}),
    },
  };
  const wanted: Endpoints = {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata,
    ...(subsets.length === 0 ? {} : { subsets }),
  };
  return [current === undefined ? create(Endpoints, wanted) : update(Endpoints, wanted)];
}

/** The server puts subsets and ports into an order of its own. */
function sameSubsets(a: readonly V1EndpointSubset[], b: readonly V1EndpointSubset[]): boolean {
  const unordered = (subsets: readonly V1EndpointSubset[]): string =>
    subsets
      .map(({ ports = [], ...rest }) => canonical({ ...rest, ports: ports.map(canonical).sort() }))
      .sort()
      .join("\n");
  return unordered(a) === unordered(b);
}

interface Entry {
  address: V1EndpointAddress;
  ready: boolean;
}

/** Addresses that offer exactly the same ports stand together. */
function subsetsOf(service: Service, pods: readonly Pod[]): V1EndpointSubset[] {
  const byPort = new Map<string, { port: CoreV1EndpointPort | undefined; entries: Map<string, Entry> }>();
  for (const pod of pods) {
    const entry = entryOf(service, pod);
    if (entry === undefined) continue;
    for (const port of portsOf(service, pod)) {
      const key = canonical(port);
      const known = byPort.get(key) ?? { port, entries: new Map<string, Entry>() };
      known.entries.set(entry.address.targetRef?.uid ?? entry.address.ip, entry);
      byPort.set(key, known);
    }
  }
  const bySet = new Map<string, { ports: CoreV1EndpointPort[]; entries: Entry[] }>();
  for (const { port, entries } of byPort.values()) {
    const sorted = [...entries.values()].sort((a, b) => (addressKey(a) < addressKey(b) ? -1 : 1));
    const key = canonical(sorted);
    const known = bySet.get(key) ?? { ports: [], entries: sorted };
    if (port !== undefined) known.ports.push(port);
    bySet.set(key, known);
  }
  return [...bySet.values()].map(subsetOf).sort((a, b) => (canonical(a) < canonical(b) ? -1 : 1));
}

const addressKey = ({ address }: Entry): string => `${address.ip}\0${address.targetRef?.uid ?? ""}`;

function entryOf(service: Service, pod: Pod): Entry | undefined {
  const publishAll = service.spec?.publishNotReadyAddresses === true;
  if (pod.metadata.deletionTimestamp !== undefined && !publishAll) return undefined;
  const ready = isReadyFor(service, pod);
  if (!ready && isPodTerminal(pod)) return undefined;
  const wantsIpv6 = service.spec?.ipFamilies?.[0] === "IPv6";
  const ip = addressesOf(pod).find((each) => each.includes(":") === wantsIpv6);
  if (ip === undefined) return undefined;
  const hostname = hostnameIn(pod, service);
  const nodeName = pod.spec?.nodeName;
  const address = {
    ip,
    ...(hostname === undefined ? {} : { hostname }),
    ...(nodeName === undefined || nodeName === "" ? {} : { nodeName }),
    targetRef: podReference(pod),
  };
  return { address, ready };
}

/** A headless service without ports still lists its pods: that is the undefined port. */
function portsOf(service: Service, pod: Pod): (CoreV1EndpointPort | undefined)[] {
  const ports = service.spec?.ports ?? [];
  if (ports.length === 0) return isHeadless(service) ? [undefined] : [];
  return ports.flatMap((servicePort) => {
    const port = portNumber(pod, servicePort);
    const { name = "", protocol = "TCP", appProtocol } = servicePort;
    const named = name === "" ? {} : { name };
    return port === undefined
      ? []
      : [{ ...named, port, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) }];
  });
}

function subsetOf({ ports, entries }: { ports: CoreV1EndpointPort[]; entries: Entry[] }): V1EndpointSubset {
  const addresses = entries.filter(({ ready }) => ready).map(({ address }) => address);
  const notReadyAddresses = entries.filter(({ ready }) => !ready).map(({ address }) => address);
  return {
    ...(addresses.length === 0 ? {} : { addresses }),
    ...(notReadyAddresses.length === 0 ? {} : { notReadyAddresses }),
    ...(ports.length === 0 ? {} : { ports: sortedPorts(ports) }),
  };
}

function sortedPorts(ports: readonly CoreV1EndpointPort[]): CoreV1EndpointPort[] {
  const digest = ({ name = "", port, protocol, appProtocol }: CoreV1EndpointPort): string =>
    goDigest("core.EndpointPort", [
      ["Name", "string", name],
      ["Port", "int32", port],
      ["Protocol", "core.Protocol", protocol],
      ["AppProtocol", "*string", appProtocol],
    ]);
  const digests = new Map(ports.map((port) => [port, digest(port)]));
  return [...ports].sort((a, b) => (digests.get(a)! < digests.get(b)! ? -1 : 1));
}

/** Ready addresses stay before others where there are too many. */
function limited(subsets: V1EndpointSubset[]): { subsets: V1EndpointSubset[]; truncated: boolean } {
  const count = (field: "addresses" | "notReadyAddresses"): number =>
    subsets.reduce((sum, subset) => sum + (subset[field]?.length ?? 0), 0);
  const ready = count("addresses");
  if (ready + count("notReadyAddresses") <= addressesMax) return { subsets, truncated: false };
  let room = Math.min(ready, addressesMax);
  let roomNotReady = addressesMax - room;
  const cut = subsets.map(({ ports, addresses = [], notReadyAddresses = [] }): V1EndpointSubset => {
    const taken = addresses.slice(0, room);
    const takenNotReady = notReadyAddresses.slice(0, roomNotReady);
    room -= taken.length;
    roomNotReady -= takenNotReady.length;
    return {
      ...(taken.length === 0 ? {} : { addresses: taken }),
      ...(takenNotReady.length === 0 ? {} : { notReadyAddresses: takenNotReady }),
      ...(ports === undefined ? {} : { ports }),
    };
  });
  return { subsets: cut.filter(({ addresses, notReadyAddresses }) => addresses ?? notReadyAddresses), truncated: true };
}
