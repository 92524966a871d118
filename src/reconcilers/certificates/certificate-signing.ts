/** Signs approved requests of the cluster's own signers. Upstream: pkg/controller/certificates/signer. */
import { formatTime } from "#lib/clock.ts";
import { CertificateSigningRequest } from "#api/certificates/certificate-signing-request.ts";
import { defineReconciler, updateStatus, wake, type Change, type InputRequest } from "#reconcilers/reconciler.ts";
import { signers } from "./signers.ts";
import { factsOf, hasCondition, isApproved, isIssued } from "./signing-request.ts";

export interface CertificateTerms {
  /** As `spec.usages` names them: "client auth". */
  usages: readonly string[];
  lifetimeMs: number;
}

/** Certifies the key of a PKCS #10 request (PEM) for the subject and names it asks for; the answer is PEM. */
export type Certify = (request: string, terms: CertificateTerms) => Promise<string>;

export const certificateLifetimeMsMax = 365 * 24 * 3_600_000;
const lifetimeMsMin = 600_000;
/** A certificate that could not be made is tried again after this. */
const againMs = 10_000;

export const certificateSigningReconciler = (certify: Certify) =>
  defineReconciler<CertificateSigningRequest>({
    name: "certificatesigningrequest-signing",
    watches: CertificateSigningRequest,
    inputs(request) {
      if (!isToBeSigned(request) || fault(request) !== undefined) return new Map<string, InputRequest>();
      const { spec } = request;
      const pem = Buffer.from(spec.request, "base64").toString("latin1");
      const terms = { usages: spec.usages ?? [], lifetimeMs: lifetimeMs(spec.expirationSeconds) };
      return new Map<string, InputRequest>([["certificate", { type: "run", run: () => certify(pem, terms) }]]);
    },
    reconcile(request, _, { now, inputs }): Change[] {
      if (!isToBeSigned(request)) return [];
      const message = fault(request);
      if (message !== undefined) return [failed(request, message, now)];
      const answer = inputs.get("certificate");
      if (answer === undefined || !answer.ok) return [wake(now + againMs)];
      const certificate = Buffer.from(answer.value as string, "latin1").toString("base64");
      return [updateStatus(CertificateSigningRequest, { ...request, status: { ...request.status, certificate } })];
    },
  });

/** A request that cannot be read is nobody's: the API refuses such. */
function isToBeSigned(request: CertificateSigningRequest): boolean {
  const isOurs = signers.has(request.spec.signerName) && factsOf(request) !== undefined;
  return isOurs && isApproved(request) && !hasCondition(request, "Failed") && !isIssued(request);
}

function fault(request: CertificateSigningRequest): string | undefined {
  const { signerName, usages = [] } = request.spec;
  return signers.get(signerName)?.(factsOf(request)!, usages);
}

function lifetimeMs(expirationSeconds: number | undefined): number {
  if (expirationSeconds === undefined) return certificateLifetimeMsMax;
  return Math.min(certificateLifetimeMsMax, Math.max(lifetimeMsMin, expirationSeconds * 1_000));
}

function failed(request: CertificateSigningRequest, message: string, now: number): Change {
  const condition = {
    type: "Failed",
    status: "True",
    reason: "SignerValidationFailure",
    message,
    lastUpdateTime: formatTime(now),
  };
  const conditions = [...(request.status?.conditions ?? []), condition];
  return updateStatus(CertificateSigningRequest, { ...request, status: { ...request.status, conditions } });
}
