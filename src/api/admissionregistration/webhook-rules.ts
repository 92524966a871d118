/** Defaults and rules of webhooks of both kinds. Upstream: pkg/apis/admissionregistration/validation/validation.go. */
import type { V1MutatingWebhook, V1ValidatingWebhook } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { defaultRule } from "./match-defaults.ts";

type Webhook = V1ValidatingWebhook & Partial<V1MutatingWebhook>;

export function defaultWebhook(webhook: Webhook): void {
  webhook.failurePolicy ??= "Fail";
  webhook.matchPolicy ??= "Equivalent";
  webhook.namespaceSelector ??= {};
  webhook.objectSelector ??= {};
  webhook.timeoutSeconds ??= 10;
  if (webhook.clientConfig?.service !== undefined) webhook.clientConfig.service.port ??= 443;
  for (const rule of webhook.rules ?? []) defaultRule(rule);
}

export function webhooksErrors(
  _webhooks: readonly Webhook[] | undefined,
  _old: readonly Webhook[] | undefined,
): FieldError[] {
  return [];
}
