/** Keeps the EndpointSlices of services with a selector. Upstream: pkg/controller/endpointslice, staging endpointslice. */
import { Node } from "#api/core/node.ts";
import { Pod } from "#api/core/pod.ts";
import { Service } from "#api/core/service.ts";
import { EndpointSlice } from "#api/discovery/endpoint-slice.ts";
import type { DiscoveryV1EndpointPort, V1Endpoint, V1EndpointHints } from "#api/generated/types.ts";
import { isPodReady } from "#reconcilers/pod-state.ts";
import {
  defineReconciler,
  event,
  remove,
  trigger,
  type Change,
  type ObjectKey,
  type View,
} from "#reconcilers/reconciler.ts";
import { canonical } from "#reconcilers/template-hash.ts";
import {
  addressesOf,
  canServe,
  headlessLabel,
  hostnameIn,
  isHeadless,
  isReadyFor,
  podReference,
  podsByNode,
  portNumber,
  selectedPods,
  servicesOfPod,
  triggerTime,
  triggerTimeAnnotation,
} from "./pod-endpoints.ts";
import { managedByLabel, packed, serviceNameLabel, sortedPorts, type EndpointGroup } from "./slice-packing.ts";

import { topologyFacts, topologyHints, wantsTopologyHints } from "./topology-hints.ts";

const managedBy = "endpointslice-controller.k8s.io";
const zoneLabel = "topology.kubernetes.io/zone";

export const endpointSliceReconciler = defineReconciler<Service>({
  name: "endpointslice",
  component: "endpoint-slice-controller",
  watches: Service,
  also: [
    trigger(Pod, servicesOfPod),
    trigger(Node, servicesOfNode),
    trigger(EndpointSlice, ({ metadata: { namespace, labels } }): ObjectKey[] =>
      labels?.[managedByLabel] === managedBy ? [{ namespace, name: labels[serviceNameLabel] }] : [],
    ),
  ],
  ignores: (service, old) => canonical(visible(service)) === canonical(visible(old)),
  reconcile(service, view) {
    const selector = service.spec?.selector;
    const external = service.spec?.type === "ExternalName";
    if (service.metadata.deletionTimestamp !== undefined) return [];
    if (!external && Object.keys(selector ?? {}).length === 0) return [];
    const existing = slicesOf(service, view);
    if (external) return existing.map((slice) => remove(EndpointSlice, slice));
    return slicesFor(service, view, existing);
  },
});

const visible = (service: Service): unknown => [service.spec, service.metadata.labels, wantsTopologyHints(service)];

/** A node that comes, goes or moves to another zone changes the endpoints on it, and every share of a zone. */
function servicesOfNode(node: Node, view: View, other: Node | undefined): ObjectKey[] {
  const isSame = other !== undefined && canonical(topologyFacts(node)) === canonical(topologyFacts(other));
  const sharing = isSame ? [] : view.list(Service).filter(wantsTopologyHints);
  const hasMoved = other === undefined || node.metadata.labels?.[zoneLabel] !== other.metadata.labels?.[zoneLabel];
  const pods = hasMoved ? view.byIndex(Pod, podsByNode, node.metadata.name ?? "") : [];
  return [...sharing.map(({ metadata }) => metadata), ...pods.flatMap((pod) => servicesOfPod(pod, view, undefined))];
}

function slicesOf({ metadata: { namespace = "", name = "" } }: Service, view: View): readonly EndpointSlice[] {
  return view.byLabels(EndpointSlice, namespace, { [serviceNameLabel]: name, [managedByLabel]: managedBy });
}

function slicesFor(service: Service, view: View, existing: readonly EndpointSlice[]): Change[] {
  const pods = selectedPods(service, view).filter(canServe);
  const types = (service.spec?.ipFamilies ?? ["IPv4"]) as string[];
  const unwanted = existing.filter(({ addressType }) => !types.includes(addressType));
  const changes = types.flatMap((addressType) => {
    const groups = groupsOf(service, pods, addressType, view);
    const hinted = wantsTopologyHints(service) ? withTopologyHints(groups, service, addressType, existing, view) : [];
    const slices = packed(
      groups,
      existing.filter((slice) => slice.addressType === addressType),
      {
        owner: service,
        ownerRef: Service,
        addressType,
        labels: labelsOf(service),
        annotations: {},
        notes: { [triggerTimeAnnotation]: triggerTime(service, pods) },
        placeholder: true,
      },
    );
    return [...slices, ...hinted];
  });
  return [...changes, ...unwanted.map((slice) => remove(EndpointSlice, slice)), ...leftOut(service, pods, types, view)];
}

/** Pods that are not shown because nobody knows their node. */
function leftOut(service: Service, pods: readonly Pod[], types: readonly string[], view: View): Change[] {
  const { namespace, name } = service.metadata;
  const faults = types.flatMap(() =>
    pods
      .filter((pod) => !isShown(service, nodeOf(pod, view)))
      .map((pod) => {
        const skipped = `skipping Pod ${pod.metadata.name} for Service ${namespace}/${name}`;
        return `${skipped}: Node ${pod.spec?.nodeName ?? ""} Not Found`;
      }),
  );
  const [first] = faults;
  if (first === undefined) return [];
  const why = faults.length === 1 ? first : `[${[...new Set(faults)].join(", ")}]`;
  const message = `Error updating Endpoint Slices for Service ${namespace}/${name}: ${why}`;
  return [event(service, "Warning", "FailedToUpdateEndpointSlices", message)];
}

const nodeOf = ({ spec }: Pod, view: View): Node | undefined => view.get(Node, { name: spec?.nodeName ?? "" });

/** Who wants every address to be published has that of a pod of an unknown node, too. */
const isShown = ({ spec }: Service, node: Node | undefined): boolean =>
  node !== undefined || spec?.publishNotReadyAddresses === true;

/** Gives the endpoints in `groups` their hints, and says so when that begins or cannot be done. */
function withTopologyHints(
  groups: readonly EndpointGroup[],
  service: Service,
  addressType: string,
  existing: readonly EndpointSlice[],
  view: View,
): Change[] {
  const all = groups.flatMap(({ endpoints }) => endpoints);
  const found = topologyHints(all, view.list(Node));
  const told = (type: "Normal" | "Warning", reason: string, what: string) =>
    event(service, type, reason, `${what}, addressType: ${addressType}`);
  if ("fault" in found) return [told("Warning", "TopologyAwareHintsDisabled", found.fault)];
  for (const [endpoint, zone] of found.hints) endpoint.hints = { forZones: [{ name: zone }] };
  const hadHints = existing.some(({ endpoints }) => endpoints?.some(({ hints }) => hints !== undefined) === true);
  const enabled = "Topology Aware Hints has been enabled";
  return hadHints ? [] : [told("Normal", "TopologyAwareHintsEnabled", enabled)];
}

function labelsOf(service: Service): Record<string, string> {
  const { [serviceNameLabel]: _, [managedByLabel]: __, [headlessLabel]: ___, ...own } = service.metadata.labels ?? {};
  return {
    ...own,
    ...(isHeadless(service) ? { [headlessLabel]: "" } : {}),
    [serviceNameLabel]: service.metadata.name ?? "",
    [managedByLabel]: managedBy,
  };
}

/** Endpoints of one address family, those with the same ports together. */
function groupsOf(service: Service, pods: readonly Pod[], addressType: string, view: View): EndpointGroup[] {
  const groups = new Map<string, EndpointGroup>();
  for (const pod of pods) {
    const node = nodeOf(pod, view);
    const addresses = addressesOf(pod).filter((ip) => familyOf(ip) === addressType);
    if (!isShown(service, node) || addresses.length === 0) continue;
    const ports = portsOf(service, pod);
    const key = canonical(ports);
    const group = groups.get(key) ?? { ports, endpoints: [] };
    group.endpoints.push(endpointOf(service, pod, node, addresses));
    groups.set(key, group);
  }
  return [...groups.values()];
}

const familyOf = (ip: string): string => (ip.includes(":") ? "IPv6" : "IPv4");

function portsOf(service: Service, pod: Pod): DiscoveryV1EndpointPort[] {
  const ports = (service.spec?.ports ?? []).flatMap((servicePort): DiscoveryV1EndpointPort[] => {
    const port = portNumber(pod, servicePort);
    const { name = "", protocol = "TCP", appProtocol } = servicePort;
    return port === undefined ? [] : [{ name, protocol, port, ...(appProtocol === undefined ? {} : { appProtocol }) }];
  });
  return sortedPorts(ports);
}

function endpointOf(service: Service, pod: Pod, node: Node | undefined, addresses: string[]): V1Endpoint {
  const ready = isReadyFor(service, pod);
  const zone = node?.metadata.labels?.[zoneLabel];
  const nodeName = pod.spec?.nodeName ?? "";
  const hostname = hostnameIn(pod, service);
  const hints = ready && !wantsTopologyHints(service) ? hintsOf(service, zone, pod.spec?.nodeName) : undefined;
  return {
    addresses,
    conditions: { ready, serving: isPodReady(pod), terminating: pod.metadata.deletionTimestamp !== undefined },
    ...(hostname === undefined ? {} : { hostname }),
    targetRef: podReference(pod),
    ...(nodeName === "" ? {} : { nodeName }),
    ...(zone === undefined || zone === "" ? {} : { zone }),
    ...(hints === undefined ? {} : { hints }),
  };
}

/** Where traffic should come from, for services that prefer what is near. */
function hintsOf(
  service: Service,
  zone: string | undefined,
  nodeName: string | undefined,
): V1EndpointHints | undefined {
  const near = service.spec?.trafficDistribution;
  const sameNode = near === "PreferSameNode" && nodeName !== undefined;
  if (!sameNode && near !== "PreferClose" && near !== "PreferSameZone") return undefined;
  const hints: V1EndpointHints = {
    ...(zone === undefined ? {} : { forZones: [{ name: zone }] }),
    ...(sameNode ? { forNodes: [{ name: nodeName }] } : {}),
  };
  return Object.keys(hints).length === 0 ? undefined : hints;
}
