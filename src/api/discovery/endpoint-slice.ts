/** A part of the addresses behind a service. Upstream: pkg/registry/discovery/endpointslice/strategy.go. */
import { ageColumn, column, nameColumn } from "#api/columns.ts";
import type { V1EndpointSlice } from "#api/generated/types.ts";
import { semanticEqual } from "#api/validation/values.ts";
import { defineResource } from "#api/resource.ts";
import { defaultSlice, nullEmptyLists, sliceErrors, sliceWarnings } from "./endpoint-slice-rules.ts";

const type = "discovery.v1.EndpointSlice";

export type EndpointSlice = V1EndpointSlice;
export const EndpointSlice = defineResource<EndpointSlice>({
  group: "discovery.k8s.io",
  version: "v1",
  kind: "EndpointSlice",
  plural: "endpointslices",
  scope: "Namespaced",
  schema: "io.k8s.api.discovery.v1.EndpointSlice",
  defaults: defaultSlice,
  generation: (slice, old) =>
    !semanticEqual(slice.metadata.labels, old.metadata.labels) ||
    !semanticEqual([slice.endpoints, slice.ports, slice.addressType], [old.endpoints, old.ports, old.addressType]),
  prepareCreate: dropTopology,
  prepareUpdate: dropTopology,
  metadataLooks: { whole: 0, form: 1 },
  validate: sliceErrors,
  warnings: sliceWarnings,
  columns: [
    nameColumn,
    column("AddressType", [type, "addressType"], (slice: EndpointSlice) => slice.addressType ?? ""),
    column("Ports", [type, "ports"], portsText),
    column("Endpoints", [type, "endpoints"], (slice: EndpointSlice) =>
      listText((slice.endpoints ?? []).flatMap(({ addresses }) => addresses ?? [])),
    ),
    ageColumn,
  ],
});

const shownMax = 3;

function listText(items: readonly string[]): string {
  const shown = items.slice(0, shownMax).join(",");
  if (items.length > shownMax) return `${shown} + ${items.length - shownMax} more...`;
  return shown === "" ? "<unset>" : shown;
}

function portsText({ ports }: EndpointSlice): string {
  return listText((ports ?? []).map(({ name, port }) => (port === undefined ? (name ?? "*") : String(port))));
}

/** The topology map of old versions cannot be written any more. */
function dropTopology(slice: EndpointSlice): void {
  for (const endpoint of slice.endpoints ?? []) delete endpoint.deprecatedTopology;
  nullEmptyLists(slice);
}
