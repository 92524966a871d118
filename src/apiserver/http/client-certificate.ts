/**
 * What a client proved with a certificate, and which CA vouches for it: the one of clients, or the one of front proxies,
 * whose certificates say nothing of who somebody is.
 */
import { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import * as x509 from "@peculiar/x509";
import type { ClientCertificate } from "#apiserver/request.ts";

/** The certificates of the CAs. */
export interface Authorities {
  readonly clients: readonly X509Certificate[];
  readonly frontProxies: readonly X509Certificate[];
}

export interface Proof {
  readonly certificate: ClientCertificate | undefined;
  /** One was shown that does not hold: of another CA, ended, for another use. */
  readonly hasBadCertificate: boolean;
}

const pemPattern = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

export const certificatesIn = (pem: string): X509Certificate[] =>
  (pem.match(pemPattern) ?? []).map((one) => new X509Certificate(one));

const noProof: Proof = { certificate: undefined, hasBadCertificate: false };
const badProof: Proof = { certificate: undefined, hasBadCertificate: true };

export function proofOf(socket: TLSSocket, authorities: Authorities): Proof {
  const leaf = socket.getPeerX509Certificate();
  if (leaf === undefined) return noProof;
  const authority = socket.authorized ? authorityOf(leaf, authorities) : undefined;
  if (authority === undefined) return badProof;
  const { subject, fingerprint256 } = socket.getPeerCertificate();
  // As upstream reads a name: the last one counts, for approvers of requests too.
  const commonName = [subject?.CN ?? []].flat().at(-1);
  if (commonName === undefined || commonName === "") return noProof;
  const organizations = [(subject.O as string | string[] | undefined) ?? []].flat();
  const uids = uidsOf(leaf.raw);
  if (uids.length > 1 || uids[0] === "") return badProof;
  const uid = uids.length === 0 ? {} : { uid: uids[0]! };
  return {
    certificate: { authority, commonName, organizations, fingerprint: fingerprint256, ...uid },
    hasBadCertificate: false,
  };
}

/** Certificates between a client's and a CA's. */
const intermediatesMax = 5;

/** TLS has found a way to one of the CAs; here each step of it is checked once more, since a client chooses what it sends. */
function authorityOf(
  leaf: X509Certificate,
  { clients, frontProxies }: Authorities,
): ClientCertificate["authority"] | undefined {
  let current = leaf;
  for (let step = 0; step <= intermediatesMax; step += 1) {
    if (clients.some((ca) => isIssuedBy(current, ca))) return "clients";
    if (frontProxies.some((ca) => isIssuedBy(current, ca))) return "front-proxies";
    const next = current.issuerCertificate;
    if (next === undefined || !next.ca || !isIssuedBy(current, next)) return undefined;
    current = next;
  }
  return undefined;
}

const isIssuedBy = (certificate: X509Certificate, ca: X509Certificate): boolean =>
  certificate.checkIssued(ca) && certificate.verify(ca.publicKey);

const uidType = "1.3.6.1.4.1.57683.2";
const uidTypeBytes = Buffer.from("2b0601040183c25302", "hex");

/** Upstream: parseUIDFromCert. */
function uidsOf(raw: Buffer): string[] {
  if (!raw.includes(uidTypeBytes)) return [];
  return new x509.X509Certificate(raw).subjectName.getField(uidType);
}
