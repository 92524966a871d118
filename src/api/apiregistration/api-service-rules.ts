/** Defaults, preparation and rules of API services. Upstream: kube-aggregator/pkg/apis/apiregistration. */
import type { V1APIService } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import type { Strategy } from "#api/resource.ts";
import { carryOver } from "#api/status-strategy.ts";
import { formatTime } from "#lib/clock.ts";

export function defaultApiService({ spec }: V1APIService): void {
  if (spec?.service !== undefined) spec.service.port ??= 443;
}

export const apiServiceStrategy: Strategy<V1APIService> = {
  prepareCreate(service, { now }) {
    service.status = {};
    if (service.spec?.service !== undefined) return;
    service.status.conditions = [
      {
        type: "Available",
        status: "True",
        lastTransitionTime: formatTime(now),
        reason: "Local",
        message: "Local APIServices are always available",
      },
    ];
  },
  prepareUpdate: (service, old) => carryOver(service, old, "status"),
  resetFields: [["status"]],
};

export function apiServiceStatusErrors(_service: V1APIService): FieldError[] {
  return [];
}
