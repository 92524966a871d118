/** Whether what a signer wrote is certificates and nothing else. Upstream: validateCertificate. */
import { X509Certificate } from "node:crypto";

const block = /-----BEGIN ([^-]*)-----\r?\n([\s\S]*?)-----END \1-----/g;

/** The fault as upstream says it; undefined if there is none. */
export function certificateFault(text: string): string | undefined {
  if (text === "") return undefined;
  const blocks = [...text.matchAll(block)];
  if (blocks.length === 0) return "must contain at least one CERTIFICATE PEM block";
  for (const [whole, type, body = ""] of blocks) {
    if (type !== "CERTIFICATE") return "only CERTIFICATE PEM blocks are allowed, found " + JSON.stringify(type);
    if (/^[A-Za-z0-9-]+:/m.test(body)) return "no PEM block headers are permitted";
    const fault = parseFault(whole);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function parseFault(pem: string): string | undefined {
  try {
    new X509Certificate(pem);
    return undefined;
  } catch {
    return "x509: malformed certificate";
  }
}
