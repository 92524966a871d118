/** How HTTP from outside reaches services. Upstream: pkg/registry/networking/ingress/strategy.go. */
import { ageColumn, column, nameColumn } from "#api/columns.ts";
import type { V1Ingress } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { keepsStatus, writesStatus } from "#api/status-strategy.ts";
import { ingressErrors, ingressStatusErrors, ingressStatusWarnings, ingressWarnings } from "./ingress-rules.ts";

export type Ingress = V1Ingress;
export const Ingress = defineResource<Ingress>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "Ingress",
  plural: "ingresses",
  shortNames: ["ing"],
  scope: "Namespaced",
  schema: "io.k8s.api.networking.v1.Ingress",
  ...keepsStatus<Ingress>("networking.v1.IngressStatus"),
  metadataLooks: { whole: 1, form: 0 },
  validate: ingressErrors,
  warnings: ingressWarnings,
  status: { ...writesStatus<Ingress>(ingressStatusErrors), warnings: ingressStatusWarnings },
  columns: [
    nameColumn,
    column(
      "Class",
      "The name of the IngressClass resource that should be used for additional configuration",
      (ingress: Ingress) => ingress.spec?.ingressClassName ?? "<none>",
    ),
    column("Hosts", "Hosts that incoming requests are matched against before the ingress rule", hostsText),
    column("Address", "Address is a list containing ingress points for the load-balancer", addressText),
    column("Ports", "Ports of TLS configurations that open", (ingress: Ingress) =>
      (ingress.spec?.tls ?? []).length > 0 ? "80, 443" : "80",
    ),
    ageColumn,
  ],
});

const hostsMax = 3;

/** The first hosts; rules after them count, with a host or without. */
function hostsText({ spec }: Ingress): string {
  const hosts = (spec?.rules ?? []).map(({ host }) => host ?? "");
  const places = hosts.flatMap((host, index) => (host === "" ? [] : [index])).slice(0, hostsMax);
  if (places.length === 0) return "*";
  const shown = places.map((index) => hosts[index]).join(",");
  const isAll = places.length < hostsMax || places.at(-1) === hosts.length - 1;
  return isAll ? shown : `${shown} + ${hosts.length - hostsMax} more...`;
}

function addressText({ status }: Ingress): string {
  const points = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || "");
  return [...new Set(points.filter((point) => point !== ""))].sort().join(",");
}
