/** Defaults and rules of priority levels. Upstream: pkg/apis/flowcontrol/{v1/defaults.go,validation/validation.go}. */
import type {
  V1ExemptPriorityLevelConfiguration,
  V1LimitedPriorityLevelConfiguration,
  V1LimitResponse,
  V1PriorityLevelConfiguration,
  V1QueuingConfiguration,
} from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { forbidden, invalid, notSupported, required } from "#api/validation/field-errors.ts";
import { semanticEqual } from "#api/validation/values.ts";
import { mandatoryPriorityLevels } from "./bootstrap-objects.ts";
import { conditionTypesErrors } from "./flow-schema-rules.ts";

const concurrencyShares = 30;
const queuesMax = 10_000_000;
const hashBitsMax = 60;
const exemptName = "exempt";

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

export function priorityLevelErrors(level: V1PriorityLevelConfiguration): FieldError[] {
  const { name = "" } = level.metadata;
  return [...specErrors(name, level.spec), ...fixedErrors(name, level.spec), ...priorityLevelStatusErrors(level)];
}

export const priorityLevelStatusErrors = ({ status }: V1PriorityLevelConfiguration): FieldError[] =>
  conditionTypesErrors(status?.conditions);

type Spec = V1PriorityLevelConfiguration["spec"];

function specErrors(name: string, spec: Spec): FieldError[] {
  const { type = "", exempt, limited } = spec ?? ({} as NonNullable<Spec>);
  const errors: FieldError[] = [];
  if ((name === exemptName) !== (type === "Exempt"))
    errors.push(invalid("spec.type", type, "must be 'Exempt' if and only if `name` is 'exempt'"));
  switch (type) {
    case "Exempt":
      if (limited !== undefined) errors.push(forbidden("spec.limited", "must be nil if the type is not Limited"));
      return exempt === undefined ? errors : [...errors, ...sharesErrors(exempt, "spec.exempt")];
    case "Limited":
      if (exempt !== undefined) errors.push(forbidden("spec.exempt", "must be nil if the type is Limited"));
      if (limited === undefined) return [...errors, required("spec.limited", "must not be empty when type is Limited")];
      return [...errors, ...limitedErrors(limited, "spec.limited")];
    default:
      return [...errors, notSupported("spec.type", type, ["Exempt", "Limited"])];
  }
}

const isPercentage = (value: number | undefined) => value === undefined || (value >= 0 && value <= 100);

function sharesErrors(spec: V1ExemptPriorityLevelConfiguration, path: string): FieldError[] {
  return [...nominalErrors(spec, path), ...lendableErrors(spec, path)];
}

const nominalErrors = ({ nominalConcurrencyShares: shares }: V1ExemptPriorityLevelConfiguration, path: string) =>
  (shares ?? 0) < 0 ? [invalid(`${path}.nominalConcurrencyShares`, shares, "must be a non-negative integer")] : [];

const lendableErrors = ({ lendablePercent: percent }: V1ExemptPriorityLevelConfiguration, path: string) =>
  isPercentage(percent) ? [] : [invalid(`${path}.lendablePercent`, percent, "must be between 0 and 100, inclusive")];

function limitedErrors(spec: V1LimitedPriorityLevelConfiguration, path: string): FieldError[] {
  const { limitResponse, borrowingLimitPercent: percent } = spec;
  return [
    ...nominalErrors(spec, path),
    ...responseErrors(limitResponse, `${path}.limitResponse`),
    ...lendableErrors(spec, path),
    ...(percent !== undefined && percent < 0
      ? [invalid(`${path}.borrowingLimitPercent`, percent, "if specified, must be a non-negative integer")]
      : []),
  ];
}

function responseErrors(response: V1LimitResponse | undefined, path: string): FieldError[] {
  const { type = "", queuing } = (response ?? {}) as Partial<V1LimitResponse>;
  const field = `${path}.queuing`;
  switch (type) {
    case "Reject":
      return queuing === undefined
        ? []
        : [forbidden(field, "must be nil if limited.limitResponse.type is not Limited")];
    case "Queue":
      return queuing === undefined
        ? [required(field, "must not be empty if limited.limitResponse.type is Limited")]
        : queuingErrors(queuing, field);
    default:
      return [notSupported(`${path}.type`, type, ["Queue", "Reject"])];
  }
}

function queuingErrors(spec: V1QueuingConfiguration, path: string): FieldError[] {
  const { queues = 0, handSize = 0, queueLengthLimit = 0 } = spec;
  const errors: FieldError[] = [];
  const bad = (field: keyof V1QueuingConfiguration, text: string) =>
    errors.push(invalid(`${path}.${field}`, spec[field] ?? 0, text));
  if (queueLengthLimit <= 0) bad("queueLengthLimit", "must be positive");
  if (queues <= 0) bad("queues", "must be positive");
  else if (queues > queuesMax) bad("queues", `must not be greater than ${queuesMax}`);
  if (handSize <= 0) bad("handSize", "must be positive");
  else if (handSize > queues) bad("handSize", `should not be greater than queues (${queues})`);
  // A hand is dealt from one hash; larger decks and hands need more of its bits.
  else if (Math.ceil(Math.log2(queues) * handSize) > hashBitsMax)
    bad(
      "handSize",
      `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${hashBitsMax}`,
    );
  return errors;
}

/** Two levels are what they are; an administrator may tune the exempt one's shares. */
function fixedErrors(name: string, spec: Spec): FieldError[] {
  const fixed = mandatoryPriorityLevels.find(({ metadata }) => metadata.name === name)?.spec;
  if (fixed === undefined) return [];
  const isExempt = name === exemptName;
  const { exempt: _, ...rest } = spec ?? ({} as NonNullable<Spec>);
  const compared = isExempt ? { ...rest, exempt: fixed.exempt } : spec;
  if (semanticEqual(compared, fixed)) return [];
  const except = isExempt ? " except the 'spec.exempt' field" : "";
  return [invalid("spec", spec, `spec of '${name}'${except} must equal the fixed value`)];
}
