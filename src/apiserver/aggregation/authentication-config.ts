/**
 * What aggregated API servers must know to trust this one: a ConfigMap that they read. Upstream: pkg/controlplane/controller/
 * clusterauthenticationtrust.
 */
import type { Logger } from "#lib/log.ts";
import { writeSystemConfigMap } from "#apiserver/bootstrap/system-config-map.ts";
import type { LocalTransport } from "#apiserver/transport.ts";

export const authenticationConfigName = "extension-apiserver-authentication";

/** The name in the certificate with which this server proves that it speaks for a user. */
export const frontProxyName = "front-proxy-client";

export interface Authorities {
  /** PEM. */
  clients: string;
  /** PEM. */
  frontProxies: string;
}

export async function keepAuthenticationConfig(
  transport: LocalTransport,
  { clients, frontProxies }: Authorities,
  log: Logger,
): Promise<void> {
  const data = {
    "client-ca-file": clients,
    "requestheader-allowed-names": JSON.stringify([frontProxyName]),
    "requestheader-client-ca-file": frontProxies,
    "requestheader-extra-headers-prefix": JSON.stringify(["X-Remote-Extra-"]),
    "requestheader-group-headers": JSON.stringify(["X-Remote-Group"]),
    "requestheader-uid-headers": JSON.stringify(["X-Remote-Uid"]),
    "requestheader-username-headers": JSON.stringify(["X-Remote-User"]),
  };
  const message = await writeSystemConfigMap(transport, authenticationConfigName, data);
  if (message !== undefined) log.error("aggregated API servers could not be told whom to trust", { message });
}
