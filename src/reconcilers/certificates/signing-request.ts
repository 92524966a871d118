/** What a PKCS #10 request asks for, and the questions that approvers and signers ask about a signing request. */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import type { CertificateSigningRequest } from "#api/certificates/certificate-signing-request.ts";

const alternativeNames = "2.5.29.17";

export interface RequestFacts {
  commonName: string;
  organizations: readonly string[];
  dnsNames: readonly string[];
  ipAddresses: readonly string[];
  emailAddresses: readonly string[];
  uris: readonly string[];
}

/** Undefined if it cannot be read. */
export function factsOf({ spec }: CertificateSigningRequest): RequestFacts | undefined {
  try {
    return read(new x509.Pkcs10CertificateRequest(Buffer.from(spec.request, "base64").toString("latin1")));
  } catch {
    return undefined;
  }
}

function read(request: x509.Pkcs10CertificateRequest): RequestFacts {
  const extension = request.getExtension(alternativeNames);
  const names = extension === null ? [] : new x509.SubjectAlternativeNameExtension(extension.rawData).names.items;
  const of = (type: x509.GeneralNameType) => names.filter((name) => name.type === type).map(({ value }) => value);
  return {
    commonName: request.subjectName.getField("CN").at(-1) ?? "",
    organizations: request.subjectName.getField("O"),
    dnsNames: of("dns"),
    ipAddresses: of("ip"),
    emailAddresses: of("email"),
    uris: of("url"),
  };
}

export function hasCondition({ status }: CertificateSigningRequest, type: string): boolean {
  return (status?.conditions ?? []).some((condition) => condition.type === type);
}

export function isApproved(request: CertificateSigningRequest): boolean {
  return hasCondition(request, "Approved") && !hasCondition(request, "Denied");
}

export function isIssued({ status }: CertificateSigningRequest): boolean {
  return (status?.certificate ?? "") !== "";
}
