/**
 * Who may approve and sign certificate requests of a signer, and whom a client certificate may not name. Upstream:
 * plugin/pkg/admission/certificates.
 */
import type { V1CertificateSigningRequest } from "#api/generated/types.ts";
import { goQuote } from "#api/go-text.ts";
import { forbiddenRequest } from "#api/status-catalogue.ts";
import { semanticEqual } from "#api/validation/values.ts";
import { subjectOf } from "./certificate-subject.ts";
import { type AdmissionPlugin, type AdmissionRequest, isFor } from "./plugin.ts";

const group = "certificates.k8s.io";
const plural = "certificatesigningrequests";
const clientSigner = "kubernetes.io/kube-apiserver-client";
const masters = "system:masters";

export const certificateApproval: AdmissionPlugin = {
  name: "CertificateApproval",
  validate(request) {
    if (request.operation === "UPDATE" && isFor(request, group, plural, "approval")) mustBeAllowed(request, "approve");
  },
};

export const certificateSigning: AdmissionPlugin = {
  name: "CertificateSigning",
  validate(request) {
    if (request.operation !== "UPDATE" || !isFor(request, group, plural, "status")) return;
    const { status } = request.object as V1CertificateSigningRequest;
    const before = (request.old as V1CertificateSigningRequest).status;
    if (status?.certificate === before?.certificate && semanticEqual(status?.conditions, before?.conditions)) return;
    mustBeAllowed(request, "sign");
  },
};

export const certificateSubjectRestriction: AdmissionPlugin = {
  name: "CertificateSubjectRestriction",
  validate(request) {
    if (request.operation !== "CREATE" || !isFor(request, group, plural)) return;
    const { spec } = request.object as V1CertificateSigningRequest;
    if (spec?.signerName !== clientSigner) return;
    if (subjectOf(spec.request ?? "")?.organizations.includes(masters) !== true) return;
    const text = `use of ${clientSigner} signer with ${masters} group is not allowed`;
    throw forbiddenRequest(request.resource.resourceName, request.name, text);
  },
};

/** A right on the signer itself, or on all signers of its domain. */
function mustBeAllowed({ services, user, old, resource, name }: AdmissionRequest, verb: "approve" | "sign"): void {
  const signer = (old as V1CertificateSigningRequest).spec?.signerName ?? "";
  const isAllowed = [signer, `${signer.split("/")[0]}/*`].some(
    (target) =>
      services.authorizer.authorize({
        user,
        verb,
        isResource: true,
        group,
        version: "*",
        resource: "signers",
        subresource: "",
        namespace: "",
        name: target,
        path: "",
      }).decision === "allow",
  );
  if (isAllowed) return;
  const text = `user not permitted to ${verb} requests with signerName ${goQuote(signer)}`;
  throw forbiddenRequest(resource.resourceName, name, text);
}
