/**
 * How this server shows an aggregated one who a request is from: a certificate of the front proxy CA, and the user in
 * headers. Upstream: client-go/transport/round_trippers.go, AuthProxyRoundTripper.
 */
import type { Authority, KeyPair } from "#apiserver/pki.ts";
import type { User } from "#apiserver/request.ts";
import { frontProxyName } from "./authentication-config.ts";

/** Certificates are issued for longer; half of a day is soon enough for a new one. */
const renewMs = 12 * 60 * 60 * 1000;

/** A certificate that is made when it is first needed, and anew from time to time. */
export function frontProxyCertificate(authority: Authority, now: () => number): () => Promise<KeyPair> {
  let issued: { pair: Promise<KeyPair>; at: number } | undefined;
  return () => {
    if (issued === undefined || now() - issued.at > renewMs)
      issued = { pair: authority.issue({ commonName: frontProxyName }), at: now() };
    return issued.pair;
  };
}

export function userHeaders({ name, uid = "", groups, extra = {} }: User): Record<string, string | string[]> {
  return {
    "x-remote-user": name,
    ...(uid === "" ? {} : { "x-remote-uid": uid }),
    ...(groups.length === 0 ? {} : { "x-remote-group": [...groups] }),
    ...Object.fromEntries(
      Object.entries(extra).map(([key, values]) => [`x-remote-extra-${escapedKey(key)}`, [...values]]),
    ),
  };
}

/** Percent signs and what no header's name may hold. */
const escapedKey = (key: string): string =>
  key
    .toLowerCase()
    .replace(/[^!#$&'*+.^_`|~0-9a-z-]/g, (one) =>
      [...Buffer.from(one)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
    );
