/** Defaults and rules of webhooks of both kinds. Upstream: pkg/apis/admissionregistration/validation/validation.go. */
import type { V1MutatingWebhook, V1ValidatingWebhook } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { labelSelectorErrors } from "#api/label-selector.ts";
import { duplicate, invalid, notSupported, required } from "#api/validation/field-errors.ts";
import { fullyQualifiedNameErrors } from "#api/validation/formats.ts";
import { isDns1035Label, isLabelValue } from "#api/validation/names.ts";
import { oneOfIfSet, semanticEqual } from "#api/validation/values.ts";
import { clientConfigErrors } from "./client-config-rules.ts";
import { matchConditionsErrors } from "./match-conditions.ts";
import { defaultRule } from "./match-defaults.ts";
import { operationRuleErrors } from "./operation-rules.ts";

type Webhook = V1ValidatingWebhook & Partial<V1MutatingWebhook>;

const timeoutSecondsMax = 30;
const reviewVersions = ["v1", "v1beta1"];
const noSideEffects = ["None", "NoneOnDryRun"];
const anySideEffects = ["None", "NoneOnDryRun", "Some", "Unknown"];
export const failurePolicies = ["Fail", "Ignore"];
export const matchPolicies = ["Equivalent", "Exact"];
export const reinvocationPolicies = ["IfNeeded", "Never"];

export function defaultWebhook(webhook: Webhook): void {
  webhook.failurePolicy ??= "Fail";
  webhook.matchPolicy ??= "Equivalent";
  webhook.namespaceSelector ??= {};
  webhook.objectSelector ??= {};
  webhook.timeoutSeconds ??= 10;
  if (webhook.clientConfig?.service !== undefined) webhook.clientConfig.service.port ??= 443;
  for (const rule of webhook.rules ?? []) defaultRule(rule);
}

/** What the old configuration did not keep to either is let pass. */
export function webhooksErrors(
  webhooks: readonly Webhook[] | undefined,
  old: readonly Webhook[] | undefined,
): FieldError[] {
  const before = old ?? [];
  const mayRepeatNames = hasRepeatedName(before);
  const mayBeUnknown = before.some(({ admissionReviewVersions }) => !hasKnownVersion(admissionReviewVersions));
  const allowance = {
    sideEffects: before.some(({ sideEffects }) => !noSideEffects.includes(sideEffects ?? "None"))
      ? anySideEffects
      : noSideEffects,
    invalidValues: { allowInvalidValues: before.some(hasInvalidLabelValue) },
    conditions: old !== undefined && conditionsAsBefore(webhooks ?? [], before),
  };
  const names = new Set<string>();
  return (webhooks ?? []).flatMap((webhook, index) => {
    const path = `webhooks[${index}]`;
    const { name = "", admissionReviewVersions } = webhook;
    const errors = webhookErrors(webhook, path, allowance);
    errors.push(...versionsErrors(admissionReviewVersions ?? [], `${path}.admissionReviewVersions`, mayBeUnknown));
    if (names.has(name) && !mayRepeatNames) errors.push(duplicate(`${path}.name`, name));
    if (name !== "") names.add(name);
    return errors;
  });
}

/** What is let pass because it was there before. */
interface Allowance {
  sideEffects: readonly string[];
  invalidValues: { allowInvalidValues: boolean };
  conditions: boolean;
}

const hasInvalidLabelValue = ({ namespaceSelector, objectSelector }: Webhook): boolean =>
  [namespaceSelector, objectSelector].some((selector) => {
    const values = [
      ...Object.values(selector?.matchLabels ?? {}),
      ...(selector?.matchExpressions ?? []).flatMap(({ values = [] }) => values),
    ];
    return values.some((value) => isLabelValue(value).length > 0);
  });

const conditionsAsBefore = (webhooks: readonly Webhook[], old: readonly Webhook[]): boolean =>
  webhooks.length === old.length &&
  webhooks.every(({ matchConditions = [] }, index) =>
    semanticEqual(matchConditions, old[index]!.matchConditions ?? []),
  );

const hasRepeatedName = (webhooks: readonly Webhook[]): boolean =>
  new Set(webhooks.map(({ name }) => name)).size < webhooks.length;
const hasKnownVersion = (versions: readonly string[] | undefined): boolean =>
  (versions ?? []).some((version) => reviewVersions.includes(version));

function webhookErrors(webhook: Webhook, path: string, allowance: Allowance): FieldError[] {
  const { name = "", rules, timeoutSeconds: seconds } = webhook;
  return [
    ...fullyQualifiedNameErrors(`${path}.name`, name),
    ...(rules ?? []).flatMap((rule, index) => operationRuleErrors(rule, `${path}.rules[${index}]`)),
    ...oneOfIfSet(`${path}.failurePolicy`, webhook.failurePolicy, failurePolicies),
    ...oneOfIfSet(`${path}.matchPolicy`, webhook.matchPolicy, matchPolicies),
    ...sideEffectsErrors(webhook.sideEffects ?? undefined, `${path}.sideEffects`, allowance.sideEffects),
    ...(seconds !== undefined && (seconds < 1 || seconds > timeoutSecondsMax)
      ? [invalid(`${path}.timeoutSeconds`, seconds, "the timeout value must be between 1 and 30 seconds")]
      : []),
    ...labelSelectorErrors(webhook.namespaceSelector, `${path}.namespaceSelector`, allowance.invalidValues),
    ...labelSelectorErrors(webhook.objectSelector, `${path}.objectSelector`, allowance.invalidValues),
    ...oneOfIfSet(`${path}.reinvocationPolicy`, webhook.reinvocationPolicy, reinvocationPolicies),
    ...clientConfigErrors(webhook.clientConfig, `${path}.clientConfig`),
    ...(allowance.conditions ? [] : matchConditionsErrors(webhook.matchConditions, `${path}.matchConditions`, false)),
  ];
}

function sideEffectsErrors(effects: string | undefined, field: string, allowed: readonly string[]): FieldError[] {
  if (effects === undefined) return [required(field, `must specify one of ${allowed.join(", ")}`)];
  return allowed.includes(effects) ? [] : [notSupported(field, effects, allowed)];
}

function versionsErrors(versions: readonly string[], path: string, mayBeUnknown: boolean): FieldError[] {
  const known = reviewVersions.join(", ");
  if (versions.length === 0) return [required(path, `must specify one of ${known}`)];
  const errors = versions.flatMap((version, index) => {
    const at = `${path}[${index}]`;
    if (versions.indexOf(version) < index) return [invalid(at, version, "duplicate version")];
    return isDns1035Label(version).map((fault) => invalid(at, version, fault));
  });
  if (!mayBeUnknown && !hasKnownVersion(versions))
    errors.push(invalid(path, versions, `must include at least one of ${known}`));
  return errors;
}
