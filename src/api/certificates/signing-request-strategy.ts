/** What each endpoint of a signing request may change. Upstream: pkg/registry/certificates/certificates/strategy.go. */
import { formatTime } from "#lib/clock.ts";
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

/** Signers write here: what was decided stays as it was decided. */
export const signingStatusStrategy: Strategy<Request> = {
  prepareUpdate(request, old, { now }) {
    carryOver(request, old, "spec");
    for (const type of ["Approved", "Denied"]) keepInstances(request, old, type);
    stampConditions(request, old, now);
  },
  resetFields: [["spec"]],
};

/** Approvers write here: conditions and nothing else. */
export const approvalStrategy: Strategy<Request> = {
  prepareUpdate(request, old, { now }) {
    carryOver(request, old, "spec");
    const conditions = request.status?.conditions;
    carryOver(request, old, "status");
    const kept = { ...request.status };
    if (conditions === undefined) delete kept.conditions;
    else kept.conditions = conditions;
    request.status = kept;
    stampConditions(request, old, now);
  },
  resetFields: [["spec"], ["status", "certificate"]],
};

function keepInstances(request: Request, old: Request, type: string): void {
  const before = (old.status?.conditions ?? []).filter((each) => each.type === type);
  const conditions = request.status?.conditions ?? [];
  const places = conditions.flatMap((each, at) => (each.type === type ? [at] : []));
  if (places.length !== before.length) return;
  for (const [nth, at] of places.entries()) conditions[at] = { ...before[nth]! };
}

/** A condition without times was updated now; it began now unless its status is as it was. */
function stampConditions(request: Request, old: Request, now: number): void {
  const time = formatTime(now);
  for (const condition of request.status?.conditions ?? []) {
    condition.lastUpdateTime ??= time;
    if ((condition.lastTransitionTime ?? undefined) !== undefined) continue;
    const same = (old.status?.conditions ?? []).find(
      ({ type, status, lastTransitionTime }) =>
        type === condition.type && status === condition.status && (lastTransitionTime ?? undefined) !== undefined,
    );
    condition.lastTransitionTime = same?.lastTransitionTime ?? time;
  }
}
