/** The old list of a service's addresses, in one object. Upstream: pkg/registry/core/endpoint/strategy.go. */
import { ageColumn, column, nameColumn } from "#api/columns.ts";
import type { V1EndpointAddress, V1Endpoints, V1EndpointSubset } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { defineResource } from "#api/resource.ts";
import { invalidEach, required } from "#api/validation/field-errors.ts";
import { isPortNumber } from "#api/validation/formats.ts";
import { ipErrors, ipWarnings, nonSpecialIpErrors } from "#api/validation/ip.ts";
import { isQualifiedName } from "#api/validation/names.ts";
import { dnsLabel, dnsSubdomain, oneOf } from "#api/validation/values.ts";

export type Endpoints = V1Endpoints;
export const Endpoints = defineResource<Endpoints>({
  group: "",
  version: "v1",
  kind: "Endpoints",
  plural: "endpoints",
  singular: "endpoints",
  shortNames: ["ep"],
  scope: "Namespaced",
  schema: "io.k8s.api.core.v1.Endpoints",
  generation: "none",
  allowCreateOnUpdate: true,
  deprecation: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
  defaults({ subsets = [] }) {
    for (const { ports = [] } of subsets) for (const port of ports) port.protocol ||= "TCP";
  },
  warnings: endpointsWarnings,
  validate: ({ subsets = [] }) => subsets.flatMap((subset, index) => subsetErrors(subset, `subsets[${index}]`)),
  columns: [nameColumn, column("Endpoints", ["core.v1.Endpoints", "subsets"], addressesText), ageColumn],
});

/** What the controller of endpoints writes came from elsewhere. */
function endpointsWarnings({ metadata, subsets = [] }: Endpoints): string[] {
  if (metadata.labels?.["endpoints.kubernetes.io/managed-by"] === "endpoint-controller") return [];
  const ofList = (addresses: readonly V1EndpointAddress[] | undefined, path: string) =>
    (addresses ?? []).flatMap(({ ip }, index) => ipWarnings(`${path}[${index}].ip`, ip));
  return subsets.flatMap(({ addresses, notReadyAddresses }, index) => [
    ...ofList(addresses, `subsets[${index}].addresses`),
    ...ofList(notReadyAddresses, `subsets[${index}].notReadyAddresses`),
  ]);
}

const addressesShownMax = 3;

function addressesText({ subsets = [] }: Endpoints): string {
  if (subsets.length === 0) return "<none>";
  const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap(({ port }) =>
          addresses.map(({ ip }) => (ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`)),
        ),
  );
  const shown = all.slice(0, addressesShownMax).join(",");
  return all.length > addressesShownMax ? `${shown} + ${all.length - addressesShownMax} more...` : shown;
}

function subsetErrors(
  { addresses = [], notReadyAddresses = [], ports = [] }: V1EndpointSubset,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (addresses.length + notReadyAddresses.length === 0)
    errors.push(required(path, "must specify `addresses` or `notReadyAddresses`"));
  errors.push(...addresses.flatMap((address, index) => addressErrors(address, `${path}.addresses[${index}]`)));
  errors.push(
    ...notReadyAddresses.flatMap((address, index) => addressErrors(address, `${path}.notReadyAddresses[${index}]`)),
  );
  for (const [index, { name = "", port = 0, protocol, appProtocol }] of ports.entries()) {
    const at = `${path}.ports[${index}]`;
    if (name !== "") errors.push(...dnsLabel(`${at}.name`, name));
    else if (ports.length > 1) errors.push(required(`${at}.name`));
    errors.push(...invalidEach(`${at}.port`, port, isPortNumber(port)));
    errors.push(...oneOf(`${at}.protocol`, protocol, ["SCTP", "TCP", "UDP"]));
    if (appProtocol !== undefined)
      errors.push(...invalidEach(`${at}.appProtocol`, appProtocol, isQualifiedName(appProtocol)));
  }
  return errors;
}

function addressErrors({ ip = "", hostname = "", nodeName }: Partial<V1EndpointAddress>, path: string): FieldError[] {
  return [
    ...ipErrors(`${path}.ip`, ip),
    ...(hostname === "" ? [] : dnsLabel(`${path}.hostname`, hostname)),
    ...(nodeName === undefined ? [] : dnsSubdomain(`${path}.nodeName`, nodeName)),
    ...nonSpecialIpErrors(`${path}.ip`, ip),
  ];
}
