/** Deletes requests that have served their time. Upstream: pkg/controller/certificates/cleaner. */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { CertificateSigningRequest } from "#api/certificates/certificate-signing-request.ts";
import { timeOf } from "#reconcilers/pod-state.ts";
import { defineReconciler, remove, wake } from "#reconcilers/reconciler.ts";
import { isIssued } from "./signing-request.ts";

/** How long a request stays after it was decided. */
export const decidedMsMax = 3_600_000;
/** How long it may wait for a decision or for its certificate. */
export const pendingMsMax = 24 * 3_600_000;

export const certificateCleanerReconciler = defineReconciler<CertificateSigningRequest>({
  name: "certificatesigningrequest-cleaner",
  watches: CertificateSigningRequest,
  reconcile(request, _, { now }) {
    if (request.metadata.deletionTimestamp !== undefined) return [];
    const at = endOf(request);
    return at > now ? [wake(at)] : [remove(CertificateSigningRequest, request)];
  },
});

/** When the request is of no more use. */
export function endOf(request: CertificateSigningRequest): number {
  const ends = [expiryOf(request)];
  for (const { type, lastUpdateTime } of request.status?.conditions ?? []) {
    const isOver = type === "Denied" || type === "Failed" || (type === "Approved" && isIssued(request));
    if (isOver) ends.push(timeOf(lastUpdateTime) + decidedMsMax);
  }
  const isPending = (request.status?.conditions ?? []).length === 0;
  const waits = isPending || (!isIssued(request) && ends.length === 1);
  if (waits) ends.push(timeOf(request.metadata.creationTimestamp) + pendingMsMax);
  return Math.min(...ends);
}

/** The certificate's own end. */
function expiryOf({ status }: CertificateSigningRequest): number {
  try {
    const pem = Buffer.from(status?.certificate ?? "", "base64").toString("latin1");
    return pem === "" ? Infinity : new x509.X509Certificate(pem).notAfter.getTime();
  } catch {
    return Infinity;
  }
}
