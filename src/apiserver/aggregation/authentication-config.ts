/**
 * What aggregated API servers must know to trust this one: a ConfigMap that they read. Upstream: pkg/controlplane/controller/
 * clusterauthenticationtrust.
 */
import type { Logger } from "#lib/log.ts";
import type { Status } from "#api/status-error.ts";
import type { LocalTransport } from "#apiserver/transport.ts";

const collection = "/api/v1/namespaces/kube-system/configmaps";
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
  const body = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: authenticationConfigName, namespace: "kube-system" },
    data,
  };
  const isThere =
    (await transport.request({ method: "GET", path: `${collection}/${authenticationConfigName}` })).code === 200;
  const answer = isThere
    ? await transport.request({
        method: "PATCH",
        path: `${collection}/${authenticationConfigName}`,
        contentType: "application/merge-patch+json",
        body: { data },
      })
    : await transport.request({ method: "POST", path: collection, body });
  if (answer.code >= 300 && answer.code !== 409)
    log.error("aggregated API servers could not be told whom to trust", { message: (answer.body as Status).message });
}
