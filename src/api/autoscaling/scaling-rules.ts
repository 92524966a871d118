/** What an autoscaler may be told. Upstream: pkg/apis/autoscaling/validation. */
import type {
  V2CrossVersionObjectReference,
  V2HPAScalingRules,
  V2HorizontalPodAutoscalerSpec,
  V2MetricIdentifier,
  V2MetricSpec,
  V2MetricTarget,
} from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { containerResourceNameErrors } from "#api/core/container-resources.ts";
import { canonicalQuantity, toQuantity } from "#api/quantity.ts";
import { forbidden, invalid, invalidEach, notSupported, required } from "#api/validation/field-errors.ts";
import { isPathSegmentName } from "#api/validation/names.ts";
import { dnsLabel } from "#api/validation/values.ts";

const windowSecondsMax = 3600;
const periodSecondsMax = 1800;

export function autoscalerErrors(spec: V2HorizontalPodAutoscalerSpec): FieldError[] {
  const { minReplicas, maxReplicas = 0, scaleTargetRef, metrics, behavior } = spec;
  return [
    ...replicasErrors(minReplicas, maxReplicas),
    ...referenceErrors(scaleTargetRef ?? {}, "spec.scaleTargetRef", true),
    ...metricsErrors(metrics ?? [], minReplicas, "spec.metrics"),
    ...rulesErrors(behavior?.scaleUp, "spec.behavior.scaleUp"),
    ...rulesErrors(behavior?.scaleDown, "spec.behavior.scaleDown"),
  ];
}

function replicasErrors(min: number | undefined, max: number): FieldError[] {
  const errors: FieldError[] = [];
  if (min !== undefined && min < 1) errors.push(invalid("spec.minReplicas", min, "must be greater than or equal to 1"));
  if (max === 0) errors.push(required("spec.maxReplicas", "must be set and greater than 0"));
  else if (max < 1) errors.push(invalid("spec.maxReplicas", max, "must be greater than or equal to 1"));
  if (min !== undefined && max < min)
    errors.push(invalid("spec.maxReplicas", max, "must be greater than or equal to `minReplicas`"));
  return errors;
}

type Reference = Partial<V2CrossVersionObjectReference>;

/** Objects of metrics may be in no group; what is scaled is in one, but for one kind. */
const referenceErrors = (reference: Reference, path: string, needsGroup: boolean): FieldError[] => [
  ...segmentErrors(reference.kind, `${path}.kind`),
  ...segmentErrors(reference.name, `${path}.name`),
  ...groupErrors(reference, `${path}.apiVersion`, needsGroup && reference.kind !== "ReplicationController"),
];

const segmentErrors = (value: string | undefined, field: string, detail = ""): FieldError[] =>
  value === undefined || value === "" ? [required(field, detail)] : invalidEach(field, value, isPathSegmentName(value));

function groupErrors({ apiVersion = "" }: Reference, field: string, needsGroup: boolean): FieldError[] {
  const parts = apiVersion.split("/");
  if (parts.length > 2) return [invalid(field, apiVersion, `unexpected GroupVersion string: ${apiVersion}`)];
  const hasGroup = parts.length === 2 && parts[0] !== "";
  return hasGroup || !needsGroup ? [] : [invalid(field, apiVersion, "apiVersion must specify API group")];
}

const sourceFields: Readonly<Record<string, "object" | "external" | "pods" | "resource" | "containerResource">> = {
  Object: "object",
  External: "external",
  Pods: "pods",
  Resource: "resource",
  ContainerResource: "containerResource",
};
const metricTypes = Object.keys(sourceFields).sort();

function metricsErrors(metrics: readonly V2MetricSpec[], min: number | undefined, path: string): FieldError[] {
  const errors = metrics.flatMap((metric, index) => metricErrors(metric, `${path}[${index}]`));
  const isIdleKnown = metrics.some(({ type }) => type === "Object" || type === "External");
  const text = "must specify at least one Object or External metric to support scaling to zero replicas";
  return min === 0 && !isIdleKnown ? [...errors, forbidden(path, text)] : errors;
}

function metricErrors(metric: V2MetricSpec, path: string): FieldError[] {
  const { type = "" } = metric;
  const errors: FieldError[] = [];
  if (type === "") errors.push(required(`${path}.type`, "must specify a metric source type"));
  const expected = sourceFields[type];
  const unknown = expected === undefined ? [notSupported(`${path}.type`, type, metricTypes)] : [];
  errors.push(...unknown);
  const present = Object.values(sourceFields).filter((field) => metric[field] !== undefined);
  const [first] = present;
  if (first !== undefined) errors.push(...sourceErrors(metric, first, `${path}.${first}`));
  // Said twice, as upstream does.
  errors.push(...unknown);
  if (expected !== undefined && metric[expected] === undefined)
    errors.push(required(`${path}.${expected}`, "must populate information for the given metric source"));
  if (present.length === 1) return errors;
  for (const field of present)
    if (field !== expected) errors.push(forbidden(`${path}.${field}`, "must populate the given metric source only"));
  return errors;
}

function sourceErrors(metric: V2MetricSpec, field: keyof V2MetricSpec, path: string): FieldError[] {
  const at = `${path}.target`;
  switch (field) {
    case "object": {
      const { describedObject, metric: identifier, target } = metric.object!;
      const errors = [
        ...referenceErrors(describedObject ?? {}, `${path}.describedObject`, false),
        ...identifierErrors(identifier, `${path}.metric`),
        ...targetErrors(target, at),
      ];
      if (target?.value === undefined && target?.averageValue === undefined)
        errors.push(required(`${at}.averageValue`, "must set either a target value or averageValue"));
      return errors;
    }
    case "external": {
      const { metric: identifier, target } = metric.external!;
      const errors = [...identifierErrors(identifier, `${path}.metric`), ...targetErrors(target, at)];
      if (target?.value === undefined && target?.averageValue === undefined)
        errors.push(required(`${at}.averageValue`, "must set either a target value for metric or a per-pod target"));
      if (target?.value !== undefined && target.averageValue !== undefined)
        errors.push(forbidden(`${at}.value`, "may not set both a target value for metric and a per-pod target"));
      return errors;
    }
    case "pods": {
      const { metric: identifier, target } = metric.pods!;
      const errors = [...identifierErrors(identifier, `${path}.metric`), ...targetErrors(target, at)];
      if (target?.averageValue === undefined)
        errors.push(required(`${at}.averageValue`, "must specify a positive target averageValue"));
      return errors;
    }
    case "resource":
      return resourceErrors(metric.resource!, [], path);
    default: {
      const { container = "", name = "" } = metric.containerResource!;
      const faults =
        container === ""
          ? [required(`${path}.container`, "must specify a container")]
          : dnsLabel(`${path}.container`, container);
      const ofName = name === "" ? [] : containerResourceNameErrors(name, `${path}.name`);
      return resourceErrors(metric.containerResource!, [...ofName, ...faults], path);
    }
  }
}

function resourceErrors(
  { name = "", target }: { name: string; target: V2MetricTarget },
  more: FieldError[],
  path: string,
): FieldError[] {
  const at = `${path}.target`;
  const errors = name === "" ? [required(`${path}.name`, "must specify a resource name")] : [];
  errors.push(...more, ...targetErrors(target, at));
  const { averageUtilization, averageValue } = target ?? {};
  if (averageUtilization === undefined && averageValue === undefined)
    errors.push(required(`${at}.averageUtilization`, "must set either a target raw value or a target utilization"));
  if (averageUtilization !== undefined && averageValue !== undefined)
    errors.push(forbidden(`${at}.averageValue`, "may not set both a target raw value and a target utilization"));
  return errors;
}

const identifierErrors = (identifier: V2MetricIdentifier | undefined, path: string): FieldError[] =>
  segmentErrors(identifier?.name, `${path}.name`, "must specify a metric name");

const isPositive = (amount: string | undefined): boolean => amount !== undefined && toQuantity(amount).nanos > 0n;
const targetTypes = ["Utilization", "Value", "AverageValue"];

function targetErrors(target: V2MetricTarget | undefined, path: string): FieldError[] {
  const { type = "", averageUtilization } = target ?? {};
  const errors: FieldError[] = [];
  if (type === "") errors.push(required(`${path}.type`, "must specify a metric target type"));
  if (!targetTypes.includes(type))
    errors.push(invalid(`${path}.type`, type, "must be either Utilization, Value, or AverageValue"));
  for (const field of ["value", "averageValue"] as const) {
    const amount = target?.[field];
    if (amount !== undefined && !isPositive(amount))
      errors.push(invalid(`${path}.${field}`, canonicalQuantity(amount), "must be positive"));
  }
  if (averageUtilization !== undefined && averageUtilization < 1)
    errors.push(invalid(`${path}.averageUtilization`, averageUtilization, "must be greater than 0"));
  return errors;
}

function rulesErrors(rules: V2HPAScalingRules | undefined, path: string): FieldError[] {
  if (rules === undefined) return [];
  const { stabilizationWindowSeconds = 0, selectPolicy, policies, tolerance } = rules;
  const errors: FieldError[] = [];
  const field = `${path}.stabilizationWindowSeconds`;
  if (stabilizationWindowSeconds < 0)
    errors.push(invalid(field, stabilizationWindowSeconds, "must be greater than or equal to zero"));
  if (stabilizationWindowSeconds > windowSecondsMax)
    errors.push(invalid(field, stabilizationWindowSeconds, `must be less than or equal to ${windowSecondsMax}`));
  const selections = ["Disabled", "Max", "Min"];
  if (selectPolicy !== undefined && !selections.includes(selectPolicy))
    errors.push(notSupported(`${path}.selectPolicy`, selectPolicy, selections));
  if ((policies ?? []).length === 0) errors.push(required(`${path}.policies`, "must specify at least one Policy"));
  for (const [index, policy] of (policies ?? []).entries())
    errors.push(...policyErrors(policy, `${path}.policies[${index}]`));
  if (tolerance !== undefined && toQuantity(tolerance).nanos < 0n)
    errors.push(invalid(`${path}.tolerance`, canonicalQuantity(tolerance), "must be greater than or equal to 0"));
  return errors;
}

function policyErrors(
  { type, value, periodSeconds }: NonNullable<V2HPAScalingRules["policies"]>[number],
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (type !== "Percent" && type !== "Pods") errors.push(notSupported(`${path}.type`, type, ["Percent", "Pods"]));
  if (value <= 0) errors.push(invalid(`${path}.value`, value, "must be greater than zero"));
  if (periodSeconds <= 0) errors.push(invalid(`${path}.periodSeconds`, periodSeconds, "must be greater than zero"));
  if (periodSeconds > periodSecondsMax)
    errors.push(invalid(`${path}.periodSeconds`, periodSeconds, `must be less than or equal to ${periodSecondsMax}`));
  return errors;
}
