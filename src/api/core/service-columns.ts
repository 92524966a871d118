/** The cells of a service. Upstream: printers.go, printService. */
import type { V1Service } from "#api/generated/types.ts";

export function portsText({ spec }: V1Service): string {
  const ports = spec?.ports ?? [];
  if (ports.length === 0) return "<none>";
  return ports
    .map(({ port, nodePort = 0, protocol = "TCP" }) =>
      nodePort > 0 ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
    )
    .join(",");
}

export function externalAddressText({ spec, status }: V1Service): string {
  const external = spec?.externalIPs ?? [];
  switch (spec?.type) {
    case "ClusterIP":
    case "NodePort":
      return external.length > 0 ? external.join(",") : "<none>";
    case "LoadBalancer": {
      const ingress = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || "");
      const all = [...new Set(ingress.filter((text) => text !== ""))].sort().concat(external);
      return all.length > 0 ? all.join(",") : "<pending>";
    }
    case "ExternalName":
      return spec.externalName ?? "";
    default:
      return "<unknown>";
  }
}
