/** What each endpoint of a signing request may change. Upstream: pkg/registry/certificates/certificates/strategy.go. */
import type { V1CertificateSigningRequest } from "#api/generated/types.ts";
import type { Strategy } from "#api/resource.ts";
import { carryOver } from "#api/status-strategy.ts";

type Request = V1CertificateSigningRequest;

export const signingRequestStrategy: Strategy<Request> = {
  prepareCreate(request, { user }) {
    const { spec } = request;
    spec.username = user.name;
    spec.groups = [...user.groups];
    if ((user.uid ?? "") === "") delete spec.uid;
    else spec.uid = user.uid!;
    const extra = Object.entries(user.extra ?? {});
    if (extra.length === 0) delete spec.extra;
    else spec.extra = Object.fromEntries(extra.map(([key, values]) => [key, [...values]]));
    request.status = {};
  },
  prepareUpdate(request, old) {
    carryOver(request, old, "spec");
    carryOver(request, old, "status");
  },
  resetFields: [["spec"], ["status"]],
};

export const signingStatusStrategy: Strategy<Request> = {
  prepareUpdate: (request, old) => carryOver(request, old, "spec"),
  resetFields: [["spec"]],
};

export const approvalStrategy: Strategy<Request> = {
  prepareUpdate: (request, old) => carryOver(request, old, "spec"),
  resetFields: [["spec"]],
};
