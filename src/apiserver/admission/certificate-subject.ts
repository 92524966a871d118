/** Whom a certificate request asks a certificate for. */
import "reflect-metadata";
import { Pkcs10CertificateRequest } from "@peculiar/x509";

export interface Subject {
  commonName: string;
  organizations: readonly string[];
}

/** `request`: PEM, in base64 as the API carries it. undefined: not a request. */
export function subjectOf(request: string): Subject | undefined {
  try {
    const { subjectName } = new Pkcs10CertificateRequest(Buffer.from(request, "base64").toString());
    return { commonName: subjectName.getField("CN").at(-1) ?? "", organizations: subjectName.getField("O") };
  } catch {
    return undefined;
  }
}
