/** Defaults and rules of priority levels. Upstream: pkg/apis/flowcontrol/{v1/defaults.go,validation/validation.go}. */
import type { V1PriorityLevelConfiguration } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";

const concurrencyShares = 30;

export function defaultPriorityLevel({ spec }: V1PriorityLevelConfiguration): void {
  const { exempt, limited } = spec ?? {};
  if (exempt !== undefined) {
    exempt.nominalConcurrencyShares ??= 0;
    exempt.lendablePercent ??= 0;
  }
  if (limited === undefined) return;
  limited.nominalConcurrencyShares ??= concurrencyShares;
  limited.lendablePercent ??= 0;
  const queuing = limited.limitResponse?.queuing;
  if (queuing === undefined) return;
  queuing.handSize ||= 8;
  queuing.queues ||= 64;
  queuing.queueLengthLimit ||= 50;
}

export function priorityLevelErrors(
  _level: V1PriorityLevelConfiguration,
  _old: V1PriorityLevelConfiguration | undefined,
): FieldError[] {
  return [];
}

export function priorityLevelStatusErrors(_level: V1PriorityLevelConfiguration): FieldError[] {
  return [];
}
