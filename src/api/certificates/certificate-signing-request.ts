/** A wish for a certificate. Upstream: pkg/registry/certificates/certificates/strategy.go. */
import { ageColumn, column, nameColumn, shortDuration } from "#api/columns.ts";
import type { V1CertificateSigningRequest } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { nameIsPathSegment } from "#api/validation/names.ts";
import { conditionsDescription, durationDescription, requestDescription, signerDescription } from "./column-texts.ts";
import { approvalStrategy, signingRequestStrategy, signingStatusStrategy } from "./signing-request-strategy.ts";

export type CertificateSigningRequest = V1CertificateSigningRequest;
export const CertificateSigningRequest = defineResource<CertificateSigningRequest>({
  group: "certificates.k8s.io",
  version: "v1",
  kind: "CertificateSigningRequest",
  plural: "certificatesigningrequests",
  shortNames: ["csr"],
  scope: "Cluster",
  schema: "io.k8s.api.certificates.v1.CertificateSigningRequest",
  generation: "none",
  validateName: nameIsPathSegment,
  ...signingRequestStrategy,
  status: signingStatusStrategy,
  subresources: { approval: approvalStrategy },
  fieldSelectors: { "spec.signerName": (request) => request.spec?.signerName ?? "" },
  columns: [
    nameColumn,
    ageColumn,
    column(
      "SignerName",
      signerDescription,
      (request: CertificateSigningRequest) => request.spec?.signerName || "<none>",
    ),
    column("Requestor", requestDescription, (request: CertificateSigningRequest) => request.spec?.username ?? ""),
    column("RequestedDuration", durationDescription, (request: CertificateSigningRequest) =>
      request.spec?.expirationSeconds === undefined ? "<none>" : shortDuration(request.spec.expirationSeconds * 1000),
    ),
    column("Condition", conditionsDescription, stateText),
  ],
});

function stateText({ status }: CertificateSigningRequest): string {
  const has = (wanted: string) => (status?.conditions ?? []).some(({ type }) => type === wanted);
  const verdict = has("Denied") ? "Denied" : has("Approved") ? "Approved" : "Pending";
  return `${verdict}${has("Failed") ? ",Failed" : ""}${(status?.certificate ?? "") === "" ? "" : ",Issued"}`;
}
