/** What workloads share: selector against template, rolling amounts, counts in a status, warnings, strategies. */
import type { V1LabelSelector, V1PodTemplateSpec } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { goQuote } from "#api/go-text.ts";
import type { KubernetesObject } from "#api/object.ts";
import { failure } from "#api/status-error.ts";
import type { Strategy } from "#api/resource.ts";
import {
  SelectorError,
  type LabelSelector,
  labelSelectorErrors,
  labelSelectorOf,
  matchesLabels,
} from "#api/label-selector.ts";
import { emptyValue } from "#api/empty-value.ts";
import { podTemplateErrors } from "#api/core/pod-spec.ts";
import { dropDisabledFields } from "#api/core/pod-strategy.ts";
import { podWarnings } from "#api/core/pod-warnings.ts";
import { forbidden, invalid, notSupported, required } from "#api/validation/field-errors.ts";
import { isPercent } from "#api/validation/formats.ts";
import { isDns1123Label } from "#api/validation/names.ts";
import { negativeError } from "#api/validation/values.ts";

type Selector = V1LabelSelector | undefined | null;

/** `spec.selector`: there, well-formed, not empty. */
export function selectorErrors(selector: Selector, kind: string): FieldError[] {
  if (selector === undefined || selector === null) return [required("spec.selector")];
  const errors = labelSelectorErrors(selector, "spec.selector");
  if (isEmpty(selector)) errors.push(invalid("spec.selector", selector, `empty selector is invalid for ${kind}`));
  return errors;
}

export const isEmpty = ({ matchLabels = {}, matchExpressions = [] }: V1LabelSelector): boolean =>
  Object.keys(matchLabels).length + matchExpressions.length === 0;

/** A selector that can be evaluated; undefined if an operator is unknown or values are missing. */
export function readSelector(selector: Selector): LabelSelector | undefined {
  if (selector && labelSelectorErrors(selector, "").length > 0) return undefined;
  try {
    return labelSelectorOf(selector);
  } catch (error) {
    if (error instanceof SelectorError) return undefined;
    throw error;
  }
}

const mismatch = "`selector` does not match template `labels`";

/** The template fits the selector and what it is run by: always restarted, without a deadline. */
export const templateErrors = (
  template: V1PodTemplateSpec | undefined,
  selector: Selector,
  kind: string,
): FieldError[] =>
  readSelector(selector) === undefined
    ? [selectorInvalid(selector, "invalid label selector")]
    : [...mismatchErrors(template, selector), ...runForeverErrors(template, kind)];

/** A selector that can be read selects the template's pods. */
export function mismatchErrors(template: V1PodTemplateSpec | undefined, selector: Selector): FieldError[] {
  if (selector && isEmpty(selector)) return [];
  const labels = template?.metadata?.labels;
  return matchesLabels(readSelector(selector)!, labels)
    ? []
    : [invalid("spec.template.metadata.labels", labels ?? null, mismatch)];
}

/** Upstream names no fault there. */
export const selectorInvalid = (selector: Selector, text: string): FieldError =>
  invalid("spec.selector", selector, text);

export const runForeverErrors = (template: V1PodTemplateSpec | undefined, kind: string): FieldError[] => [
  ...podTemplateErrors(template ?? emptyTemplate, "spec.template"),
  ...endErrors(template, kind),
];

/** How pods of a template may end: by no policy and no deadline of their own. */
export function endErrors(template: V1PodTemplateSpec | undefined, kind: string): FieldError[] {
  const errors: FieldError[] = [];
  const { restartPolicy = "", activeDeadlineSeconds } = template?.spec ?? {};
  if (restartPolicy !== "Always" && template?.spec !== undefined)
    errors.push(notSupported("spec.template.spec.restartPolicy", restartPolicy, ["Always"]));
  if (activeDeadlineSeconds !== undefined)
    errors.push(
      forbidden("spec.template.spec.activeDeadlineSeconds", `activeDeadlineSeconds in ${kind} is not Supported`),
    );
  return errors;
}

const emptyTemplate = {} as V1PodTemplateSpec;

/**
 * An annotation of old versions that is a number in their fields, written anew as that number; anything else cannot be
 * decoded.
 */
export function annotatedNumber(
  { metadata }: KubernetesObject,
  kind: string,
  annotation: string,
  detail = "",
): bigint | undefined {
  const text = metadata.annotations?.[annotation];
  if (text === undefined) return undefined;
  const isNumber = /^[+-]?[0-9]+$/.test(text);
  const number = isNumber ? BigInt(text.replace(/^\+/, "")) : undefined;
  if (number !== undefined && number === BigInt.asIntN(64, number)) {
    metadata.annotations = { ...metadata.annotations, [annotation]: String(number) };
    return number;
  }
  const fault = `${detail}strconv.ParseInt: parsing ${goQuote(text)}: ${isNumber ? "value out of range" : "invalid syntax"}`;
  throw failure(400, "BadRequest", `${kind} in version "v1" cannot be handled as a ${kind}: ${fault}`);
}

/** Upstream's ValidatePositiveIntOrPercent. */
export function amountErrors(field: string, amount: string | number | undefined): FieldError[] {
  if (amount === undefined) return [];
  if (typeof amount === "string") return isPercent(amount).map((fault) => invalid(field, amount, fault));
  return amount < 0 ? [invalid(field, amount, negativeError)] : [];
}

/** Upstream's IsNotMoreThan100Percent. */
export function notAbove100Errors(field: string, amount: string | number | undefined): FieldError[] {
  if (typeof amount !== "string" || isPercent(amount).length > 0 || Number.parseInt(amount, 10) <= 100) return [];
  return [invalid(field, amount, "must not be greater than 100%")];
}

/** The number, written as text or not, or the percentage; 0 if it is neither. */
export function amountValue(amount: string | number | undefined): number {
  if (typeof amount === "number") return amount;
  return amount !== undefined && /^(?:[+-]?[0-9]+|[0-9]+%)$/.test(amount) ? Number.parseInt(amount, 10) : 0;
}

/** Counts that must not be negative, in order. `path` is that of their object. */
export function countErrors(object: object | undefined, path: string, fields: readonly string[]): FieldError[] {
  const counts = (object ?? {}) as Record<string, number | undefined>;
  return fields.flatMap((field) => {
    const value = counts[field];
    return value !== undefined && value < 0 ? [invalid(`${path}.${field}`, value, negativeError)] : [];
  });
}

/** status.collisionCount never goes back. */
export function collisionErrors(
  status: { collisionCount?: number } | undefined,
  old: { collisionCount?: number } | undefined,
): FieldError[] {
  const now = status?.collisionCount ?? 0;
  return old?.collisionCount !== undefined && now < old.collisionCount
    ? [invalid("status.collisionCount", now, "cannot be decremented")]
    : [];
}

/** Counts that may not be greater than another. */
export function atMostErrors(
  status: object | undefined,
  fields: readonly string[],
  bound: string,
  text: string,
): FieldError[] {
  const counts = (status ?? {}) as Record<string, number | undefined>;
  return fields.flatMap((field) => {
    const value = counts[field] ?? 0;
    return value > (counts[bound] ?? 0) ? [invalid(`status.${field}`, value, text)] : [];
  });
}

interface Workload extends KubernetesObject {
  spec?: { template?: V1PodTemplateSpec };
  status?: object;
}

const nameText =
  "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended";

/** Warnings about a name that pods inherit. */
export function nameWarnings({ metadata }: KubernetesObject): string[] {
  const faults = isDns1123Label(metadata.name ?? "");
  return faults.length === 0 ? [] : [`${nameText}: [${faults.join(" ")}]`];
}

export const templateWarnings = ({ spec }: Workload): string[] =>
  spec?.template === undefined
    ? []
    : podWarnings(spec.template.spec ?? { containers: [] }, spec.template.metadata, "spec.template");

/** On create, and on update when the spec changed. */
export const workloadWarnings = (object: Workload, old: Workload | undefined): string[] => [
  ...(old === undefined ? nameWarnings(object) : []),
  ...changedTemplateWarnings(object, old),
];

export const changedTemplateWarnings = (object: Workload, old: Workload | undefined): string[] =>
  old === undefined || old.metadata.generation !== object.metadata.generation ? templateWarnings(object) : [];

/** A status is the status endpoint's; a spec is the main one's. */
export function workloadStrategy<T extends Workload>(statusType: string): Strategy<T> {
  return {
    prepareCreate(object) {
      object.status = emptyValue<NonNullable<T["status"]>>(statusType);
      dropDisabledFields(object.spec?.template?.spec);
    },
    prepareUpdate(object, old) {
      object.status = old.status as NonNullable<T["status"]>;
      dropDisabledFields(object.spec?.template?.spec);
    },
    resetFields: [["status"]],
  };
}

export function statusStrategy<T extends KubernetesObject & { spec?: object; status?: object }>(
  validate: NonNullable<Strategy<T>["validate"]>,
): Strategy<T> {
  return {
    prepareUpdate(object, old) {
      object.spec = old.spec as NonNullable<T["spec"]>;
    },
    validate,
    metadataLooks: { whole: 1, form: 0 },
    resetFields: [["spec"]],
  };
}
