/**
 * Approves client certificates of nodes for whom RBAC lets the requester have them. Upstream:
 * pkg/controller/certificates/approver.
 */
import { CertificateSigningRequest } from "#api/certificates/certificate-signing-request.ts";
import type { V1SubjectAccessReview } from "#api/generated/types.ts";
import {
  defineReconciler,
  wake,
  type Change,
  type InputRequest,
  type Inputs,
  type ResourceRef,
} from "#reconcilers/reconciler.ts";
import { kubeletClientFault, kubeletClientSigner } from "./signers.ts";
import { factsOf, hasCondition, isIssued } from "./signing-request.ts";

type Review = V1SubjectAccessReview & { metadata: object };
const SubjectAccessReview: ResourceRef<Review> = {
  group: "authorization.k8s.io",
  version: "v1",
  kind: "SubjectAccessReview",
  plural: "subjectaccessreviews",
  scope: "Cluster",
};

/** Rights may be given later: who was refused is asked about again. */
const againMs = 5_000;

interface Recognizer {
  subresource: string;
  message: string;
  isSelf: boolean;
}

const recognizers: readonly Recognizer[] = [
  {
    subresource: "selfnodeclient",
    message: "Auto approving self kubelet client certificate after SubjectAccessReview.",
    isSelf: true,
  },
  {
    subresource: "nodeclient",
    message: "Auto approving kubelet client certificate after SubjectAccessReview.",
    isSelf: false,
  },
];

export const certificateApprovingReconciler = defineReconciler<CertificateSigningRequest>({
  name: "certificatesigningrequest-approving",
  watches: CertificateSigningRequest,
  inputs: (request) =>
    new Map(recognizersOf(request).map((each) => [each.subresource, reviewOf(request, each.subresource)] as const)),
  reconcile(request, _, { now, inputs }): Change[] {
    const recognized = recognizersOf(request);
    if (recognized.length === 0) return [];
    const allowed = recognized.find(({ subresource }) => isAllowed(inputs, subresource));
    return allowed === undefined ? [wake(now + againMs)] : [approved(request, allowed.message)];
  },
});

function recognizersOf(request: CertificateSigningRequest): readonly Recognizer[] {
  const { spec } = request;
  const isDecided = isIssued(request) || hasCondition(request, "Approved") || hasCondition(request, "Denied");
  if (isDecided || spec.signerName !== kubeletClientSigner) return [];
  const facts = factsOf(request);
  if (facts === undefined || kubeletClientFault(facts, spec.usages ?? []) !== undefined) return [];
  return recognizers.filter(({ isSelf }) => !isSelf || facts.commonName === spec.username);
}

function reviewOf({ spec }: CertificateSigningRequest, subresource: string): InputRequest {
  const object: Review = {
    metadata: {},
    spec: {
      user: spec.username ?? "",
      uid: spec.uid ?? "",
      groups: spec.groups ?? [],
      extra: spec.extra ?? {},
      resourceAttributes: {
        group: "certificates.k8s.io",
        resource: "certificatesigningrequests",
        verb: "create",
        subresource,
        version: "*",
      },
    },
  };
  return { type: "create", ref: SubjectAccessReview, object };
}

function isAllowed(inputs: Inputs, subresource: string): boolean {
  const answer = inputs.get(subresource);
  return answer?.ok === true && (answer.value as Review).status?.allowed === true;
}

function approved(request: CertificateSigningRequest, message: string): Change {
  const condition = { type: "Approved", status: "True", reason: "AutoApproved", message };
  const conditions = [...(request.status?.conditions ?? []), condition];
  const object = { ...request, status: { ...request.status, conditions } };
  return { type: "update", ref: CertificateSigningRequest, object, subresource: "approval" };
}
