/** The old list of a service's addresses, in one object. Upstream: pkg/registry/core/endpoint/strategy.go. */
import { ageColumn, column, nameColumn } from "#api/columns.ts";
import type { V1Endpoints } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";

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
  columns: [nameColumn, column("Endpoints", ["core.v1.Endpoints", "subsets"], addressesText), ageColumn],
});

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
