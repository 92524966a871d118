/** Services, Endpoints and EndpointSlices. */
import { labelsText } from "#api/columns.ts";
import { EndpointSlice } from "#api/discovery/endpoint-slice.ts";
import type { V1Endpoints, V1EndpointSlice, V1Service, V1ServicePort } from "#api/generated/types.ts";
import { type DescribeContext, describer } from "./describer.ts";
import { writeEvents } from "./events.ts";
import { bound, writeHead } from "./metadata.ts";

const shownEndpointsMax = 3;

export const describeService = describer<V1Service>(async (service, context) => {
  const { writer } = context;
  const { line } = bound(writer);
  const { spec = {}, status } = service;
  writeHead(writer, service);
  line(0, `Selector:\t${labelsText(spec.selector)}`);
  line(0, `Type:\t${spec.type ?? ""}`);
  if (spec.ipFamilyPolicy) line(0, `IP Family Policy:\t${spec.ipFamilyPolicy}`);
  line(0, `IP Families:\t${(spec.ipFamilies ?? []).join(",") || "<none>"}`);
  line(0, `IP:\t${spec.clusterIP ?? ""}`);
  line(0, `IPs:\t${(spec.clusterIPs ?? []).join(",") || "<none>"}`);
  if ((spec.externalIPs ?? []).length > 0) line(0, `External IPs:\t${spec.externalIPs!.join(",")}`);
  if (spec.loadBalancerIP) line(0, `Desired LoadBalancer IP:\t${spec.loadBalancerIP}`);
  if (spec.externalName) line(0, `External Name:\t${spec.externalName}`);
  const ingress = (status?.loadBalancer?.ingress ?? []).map(({ ip, ipMode, hostname }) =>
    ip ? `${ip}${ipMode ? ` (${ipMode})` : ""}` : (hostname ?? ""),
  );
  if (ingress.length > 0) line(0, `LoadBalancer Ingress:\t${ingress.join(", ")}`);
  await writePorts(service, context);
  line(0, `Session Affinity:\t${spec.sessionAffinity ?? ""}`);
  if (spec.externalTrafficPolicy) line(0, `External Traffic Policy:\t${spec.externalTrafficPolicy}`);
  if (spec.internalTrafficPolicy) line(0, `Internal Traffic Policy:\t${spec.internalTrafficPolicy}`);
  if (spec.healthCheckNodePort) line(0, `HealthCheck NodePort:\t${spec.healthCheckNodePort}`);
  if (spec.trafficDistribution) line(0, `Traffic Distribution:\t${spec.trafficDistribution}`);
  if ((spec.loadBalancerSourceRanges ?? []).length > 0)
    line(0, `LoadBalancer Source Ranges:\t${spec.loadBalancerSourceRanges!.join(",")}`);
  await writeEvents(service, context);
});

async function writePorts(service: V1Service, { session, writer }: DescribeContext): Promise<void> {
  const ports = service.spec?.ports ?? [];
  if (ports.length === 0) return;
  const { items } = await session.client.list(EndpointSlice, {
    namespace: service.metadata.namespace,
    labelSelector: `kubernetes.io/service-name=${service.metadata.name}`,
  });
  for (const port of ports) {
    const { name = "<unset>", protocol = "TCP", targetPort = port.port, nodePort } = port;
    writer.line(0, `Port:\t${name}\t${port.port}/${protocol}`);
    writer.line(0, `TargetPort:\t${String(targetPort)}/${protocol}`);
    if (nodePort) writer.line(0, `NodePort:\t${name}\t${nodePort}/${protocol}`);
    writer.line(0, `Endpoints:\t${endpointsText(items, port)}`);
  }
}

/** The first ready addresses behind a port, and how many more there are. */
function endpointsText(slices: readonly V1EndpointSlice[], { name = "" }: V1ServicePort): string {
  if (slices.length === 0) return "<none>";
  const addresses = slices.flatMap(({ ports, endpoints }) =>
    (ports ?? [])
      .filter((port) => (port.name ?? "") === name)
      .flatMap(({ port }) =>
        (endpoints ?? [])
          .filter(({ conditions }) => conditions?.ready !== false)
          .flatMap((endpoint) =>
            endpoint.addresses.map((address) => `${address.includes(":") ? `[${address}]` : address}:${port}`),
          ),
      ),
  );
  const shown = addresses.slice(0, shownEndpointsMax).join(",");
  return addresses.length > shownEndpointsMax ? `${shown} + ${addresses.length - shownEndpointsMax} more...` : shown;
}

export const describeEndpoints = describer<V1Endpoints>(async (endpoints, context) => {
  const { writer } = context;
  const { line } = bound(writer);
  writeHead(writer, endpoints);
  line(0, "Subsets:");
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of endpoints.subsets ?? []) {
    line(1, `Addresses:\t${addresses.map(({ ip }) => ip).join(",") || "<none>"}`);
    line(1, `NotReadyAddresses:\t${notReadyAddresses.map(({ ip }) => ip).join(",") || "<none>"}`);
    if (ports.length > 0) {
      line(1, "Ports:\n    Name\tPort\tProtocol\n    ----\t----\t--------");
      for (const { name, port, protocol = "TCP" } of ports) line(2, `${name || "<unset>"}\t${port}\t${protocol}`);
    }
    line(0, "");
  }
  await writeEvents(endpoints, context);
});

export const describeEndpointSlice = describer<V1EndpointSlice>(async (slice, context) => {
  const { writer } = context;
  const { line } = bound(writer);
  writeHead(writer, slice);
  line(0, `AddressType:\t${slice.addressType}`);
  if ((slice.ports ?? []).length === 0) line(0, "Ports: <unset>");
  else {
    line(0, "Ports:\n  Name\tPort\tProtocol\n  ----\t----\t--------");
    for (const { name, port, protocol = "TCP" } of slice.ports!)
      line(1, `${name || "<unset>"}\t${port ?? "<unset>"}\t${protocol}`);
  }
  if ((slice.endpoints ?? []).length === 0) line(0, "Endpoints: <none>");
  else {
    line(0, "Endpoints:");
    for (const { addresses, conditions, hostname, targetRef, nodeName, zone } of slice.endpoints!) {
      line(1, `- Addresses:\t${addresses.join(",") || "<none>"}`);
      line(2, "Conditions:");
      line(3, `Ready:\t${conditions?.ready ?? "<unset>"}`);
      line(2, `Hostname:\t${hostname ?? "<unset>"}`);
      if (targetRef) line(2, `TargetRef:\t${targetRef.kind}/${targetRef.name}`);
      line(2, `NodeName:\t${nodeName ?? "<unset>"}`);
      line(2, `Zone:\t${zone ?? "<unset>"}`);
    }
  }
  await writeEvents(slice, context);
});
