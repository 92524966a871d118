/** What each endpoint of a signing request may change. Upstream: pkg/registry/certificates/certificates/strategy.go. */
import type { V1CertificateSigningRequest, V1CertificateSigningRequestCondition } from "#api/generated/types.ts";
import type { RequestContext, Strategy } from "#api/resource.ts";
import { carryOver } from "#api/status-strategy.ts";
import { formatTime } from "#lib/clock.ts";
import { signingRequestErrors } from "./signing-request-rules.ts";

type Request = V1CertificateSigningRequest;

export const signingRequestStrategy: Strategy<Request> = {
  /** Who asks is who sends the request, whatever the object says. */
  prepareCreate(request, { user }) {
    const { spec } = request;
    spec.username = user.name;
    spec.groups = [...user.groups];
    delete spec.uid;
    delete spec.extra;
    if ((user.uid ?? "") !== "") spec.uid = user.uid!;
    const extra = Object.entries(user.extra ?? {});
    if (extra.length > 0) spec.extra = Object.fromEntries(extra.map(([key, values]) => [key, [...values]]));
    request.status = {};
  },
  prepareUpdate(request, old) {
    carryOver(request, old, "spec");
    carryOver(request, old, "status");
  },
  validate: (request, old) => signingRequestErrors(request, old, { mayApprove: false, mayIssue: false }),
  resetFields: [["spec"], ["status"]],
};

export const signingStatusStrategy: Strategy<Request> = {
  prepareUpdate(request, old, context) {
    carryOver(request, old, "spec");
    for (const type of ["Approved", "Denied"]) keepVerdict(request, old, type);
    stampConditions(request, old, context);
  },
  validate: (request, old) => signingRequestErrors(request, old, { mayApprove: false, mayIssue: true }),
  resetFields: [["spec"], ["status", "conditions"]],
};

export const approvalStrategy: Strategy<Request> = {
  prepareUpdate(request, old, context) {
    carryOver(request, old, "spec");
    stampConditions(request, old, context);
    const certificate = old.status?.certificate;
    if (certificate !== undefined) request.status = { ...request.status, certificate };
    else delete request.status?.certificate;
  },
  validate: (request, old) => signingRequestErrors(request, old, { mayApprove: true, mayIssue: false }),
  resetFields: [["spec"], ["status", "certificate"]],
};

/** A verdict that is sent back stays as it was, word for word. */
function keepVerdict({ status }: Request, old: Request, wanted: string): void {
  const before = (old.status?.conditions ?? []).filter(({ type }) => type === wanted);
  const conditions = status?.conditions ?? [];
  if (conditions.filter(({ type }) => type === wanted).length !== before.length || before.length === 0) return;
  const kept = [...before];
  status!.conditions = conditions.map((condition) => (condition.type === wanted ? kept.shift()! : condition));
}

function stampConditions({ status }: Request, old: Request, { now }: RequestContext): void {
  for (const condition of status?.conditions ?? []) {
    if (!condition.lastUpdateTime) condition.lastUpdateTime = formatTime(now);
    if (!condition.lastTransitionTime) condition.lastTransitionTime = transitionOf(condition, old) ?? formatTime(now);
  }
}

const transitionOf = ({ type, status }: V1CertificateSigningRequestCondition, old: Request): string | undefined =>
  (old.status?.conditions ?? []).find((each) => each.type === type && each.status === status)?.lastTransitionTime;
