/** Shows hand-made Endpoints of services without selector as EndpointSlices. Upstream: pkg/controller/endpointslicemirroring. */
import { Endpoints } from "#api/core/endpoints.ts";
import { Service } from "#api/core/service.ts";
import { EndpointSlice } from "#api/discovery/endpoint-slice.ts";
import type { V1Endpoint, V1EndpointAddress, V1EndpointSubset } from "#api/generated/types.ts";
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
import { triggerTimeAnnotation } from "./pod-endpoints.ts";
import { managedByLabel, packed, serviceNameLabel, sortedPorts, type EndpointGroup } from "./slice-packing.ts";

const managedBy = "endpointslicemirroring-controller.k8s.io";
const skipLabel = "endpointslice.kubernetes.io/skip-mirror";
const leaderAnnotation = "control-plane.alpha.kubernetes.io/leader";
const appliedAnnotation = "kubectl.kubernetes.io/last-applied-configuration";
/** Addresses of one subset that are mirrored. */
export const subsetAddressesMax = 1_000;

export const endpointSliceMirroringReconciler = defineReconciler<Endpoints>({
  name: "endpointslicemirroring",
  component: "endpoint-slice-mirroring-controller",
  watches: Endpoints,
  also: [
    trigger(Service, ({ metadata }) => [metadata]),
    trigger(EndpointSlice, ({ metadata: { namespace, labels } }): ObjectKey[] =>
      labels?.[managedByLabel] === managedBy ? [{ namespace, name: labels[serviceNameLabel] }] : [],
    ),
  ],
  reconcile(endpoints, view) {
    if (endpoints.metadata.deletionTimestamp !== undefined) return [];
    const existing = slicesOf(endpoints.metadata, view);
    const service = view.get(Service, endpoints.metadata);
    const mirrored = isMirrored(endpoints) && service !== undefined && service.spec?.selector === undefined;
    if (!mirrored) return existing.map((slice) => remove(EndpointSlice, slice));
    const { labels, annotations } = endpoints.metadata;
    const { [appliedAnnotation]: _, [triggerTimeAnnotation]: __, ...copied } = annotations ?? {};
    const slices = ["IPv4", "IPv6"].flatMap((addressType) =>
      packed(
        groupsOf(endpoints.subsets ?? [], addressType),
        existing.filter((slice) => slice.addressType === addressType),
        {
          owner: endpoints,
          ownerRef: Endpoints,
          addressType,
          labels: { ...labels, [managedByLabel]: managedBy, [serviceNameLabel]: endpoints.metadata.name ?? "" },
          annotations: copied,
          notes: {},
          placeholder: false,
        },
      ),
    );
    return [...skippedTold(endpoints), ...slices];
  },
  gone: (key, view) => slicesOf(key, view).map((slice) => remove(EndpointSlice, slice)),
});

function slicesOf({ namespace = "", name = "" }: ObjectKey, view: View): readonly EndpointSlice[] {
  return view.byLabels(EndpointSlice, namespace, { [serviceNameLabel]: name, [managedByLabel]: managedBy });
}

function isMirrored({ metadata: { labels, annotations } }: Endpoints): boolean {
  return labels?.[skipLabel] !== "true" && annotations?.[leaderAnnotation] === undefined;
}

function skippedTold(endpoints: Endpoints): Change[] {
  const skipped = (endpoints.subsets ?? [])
    .map(({ addresses = [], notReadyAddresses = [] }) => addresses.length + notReadyAddresses.length)
    .reduce((sum, count) => sum + Math.max(0, count - subsetAddressesMax), 0);
  const message = `A max of ${subsetAddressesMax} addresses can be mirrored to EndpointSlices per Endpoints subset. ${skipped} addresses were skipped`;
  return skipped === 0 ? [] : [event(endpoints, "Warning", "TooManyAddressesToMirror", message)];
}

function groupsOf(subsets: readonly V1EndpointSubset[], addressType: string): EndpointGroup[] {
  const groups = new Map<string, EndpointGroup>();
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of subsets) {
    const shown = [
      ...addresses.map((address) => mirror(address, true)),
      ...notReadyAddresses.map((address) => mirror(address, false)),
    ].slice(0, subsetAddressesMax);
    const endpoints = shown.filter(({ addresses: [ip = ""] }) => ip.includes(":") === (addressType === "IPv6"));
    if (endpoints.length === 0) continue;
    const named = ports.map(({ name = "", port, protocol = "TCP", appProtocol }) => ({
      name,
      protocol,
      port,
      ...(appProtocol === undefined ? {} : { appProtocol }),
    }));
    const sorted = sortedPorts(named);
    const group = groups.get(canonical(sorted)) ?? { ports: sorted, endpoints: [] };
    group.endpoints.push(...endpoints);
    groups.set(canonical(sorted), group);
  }
  return [...groups.values()];
}

function mirror({ ip, hostname, nodeName, targetRef }: V1EndpointAddress, ready: boolean): V1Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname === undefined || hostname === "" ? {} : { hostname }),
    ...(targetRef === undefined ? {} : { targetRef }),
    ...(nodeName === undefined ? {} : { nodeName }),
  };
}
