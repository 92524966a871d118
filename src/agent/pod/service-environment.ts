/** The variables that tell a container where services are. Upstream: pkg/kubelet/envvars. */
import type { Service } from "#api/core/service.ts";

/** Services without an address of their own are not told. In order of creation the later wins. */
export function serviceEnvironment(services: readonly Service[]): Map<string, string> {
  const variables = new Map<string, string>();
  for (const service of services) {
    const { clusterIP, ports = [] } = service.spec ?? {};
    const [first] = ports;
    if (clusterIP === undefined || clusterIP === "" || clusterIP === "None" || first === undefined) continue;
    const name = variableName(service.metadata.name ?? "");
    variables.set(`${name}_SERVICE_HOST`, clusterIP);
    variables.set(`${name}_SERVICE_PORT`, String(first.port));
    for (const port of ports)
      if (port.name !== undefined && port.name !== "")
        variables.set(`${name}_SERVICE_PORT_${variableName(port.name)}`, String(port.port));
    for (const [at, { port, protocol = "TCP" }] of ports.entries()) {
      const scheme = protocol.toLowerCase();
      const host = clusterIP.includes(":") ? `[${clusterIP}]` : clusterIP;
      const url = `${scheme}://${host}:${port}`;
      const prefix = `${name}_PORT_${port}_${protocol}`;
      if (at === 0) variables.set(`${name}_PORT`, url);
      variables.set(prefix, url);
      variables.set(`${prefix}_PROTO`, scheme);
      variables.set(`${prefix}_PORT`, String(port));
      variables.set(`${prefix}_ADDR`, clusterIP);
    }
  }
  return variables;
}

const variableName = (name: string): string => name.toUpperCase().replaceAll("-", "_");
