/**
 * A proxy that has authenticated somebody itself, proves that it is one with a certificate of the front proxy CA, and says
 * who it is in headers. Upstream: apiserver/pkg/authentication/request/headerrequest.
 */
import type { ServerRequest } from "#apiserver/request.ts";
import { authenticatedUser, type Authenticator } from "./authenticator.ts";
import { decodeKey, valuesOf } from "./impersonation-headers.ts";

const extraPrefix = "x-remote-extra-";

/** `names`: common names of the certificates that count. */
export function frontProxyClient(names: readonly string[]): Authenticator {
  return {
    authenticate(request) {
      const { clientCertificate: certificate } = request;
      if (certificate?.authority !== "front-proxies" || !names.includes(certificate.commonName)) return undefined;
      const [name = ""] = valuesOf(request, "x-remote-user");
      if (name === "") return undefined;
      const [uid = ""] = valuesOf(request, "x-remote-uid");
      const groups = valuesOf(request, "x-remote-group").filter((group) => group !== "");
      return authenticatedUser({ name, groups, extra: extraOf(request), ...(uid === "" ? {} : { uid }) });
    },
  };
}

function extraOf(request: ServerRequest): Record<string, readonly string[]> {
  const extra = new Map<string, string[]>();
  for (const header of Object.keys(request.headers())) {
    if (!header.startsWith(extraPrefix)) continue;
    const key = decodeKey(header.slice(extraPrefix.length));
    extra.set(key, [...(extra.get(key) ?? []), ...valuesOf(request, header)]);
  }
  return Object.fromEntries(extra);
}
