/** Where a webhook is: a URL or a service, and one of them. Upstream: validateWebhook in admissionregistration/validation. */
import type { AdmissionregistrationV1WebhookClientConfig } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { required } from "#api/validation/field-errors.ts";
import { webhookServiceErrors, webhookUrlErrors } from "#api/validation/webhook-client.ts";

export function clientConfigErrors(
  config: AdmissionregistrationV1WebhookClientConfig | undefined,
  path: string,
): FieldError[] {
  const { url, service } = config ?? {};
  if ((url === undefined) === (service === undefined))
    return [required(path, "exactly one of url or service is required")];
  if (url !== undefined) return webhookUrlErrors(`${path}.url`, url);
  return webhookServiceErrors(`${path}.service`, service!);
}
