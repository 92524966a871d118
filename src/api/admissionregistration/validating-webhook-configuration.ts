/** Validating webhooks. Upstream: pkg/registry/admissionregistration/validatingwebhookconfiguration/strategy.go. */
import { ageColumn, column, integer, nameColumn } from "#api/columns.ts";
import type { V1ValidatingWebhookConfiguration } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { defaultWebhook, webhooksErrors } from "./webhook-rules.ts";

export type ValidatingWebhookConfiguration = V1ValidatingWebhookConfiguration;
export const ValidatingWebhookConfiguration = defineResource<ValidatingWebhookConfiguration>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingWebhookConfiguration",
  plural: "validatingwebhookconfigurations",
  categories: ["api-extensions"],
  scope: "Cluster",
  schema: "io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration",
  allowUnconditionalUpdate: false,
  defaults({ webhooks }) {
    for (const webhook of webhooks ?? []) defaultWebhook(webhook);
  },
  validate: ({ webhooks }, old) => webhooksErrors(webhooks, old?.webhooks),
  columns: [
    nameColumn,
    column(
      "Webhooks",
      "Webhooks indicates the number of webhooks registered in this configuration",
      ({ webhooks }: ValidatingWebhookConfiguration) => (webhooks ?? []).length,
      integer,
    ),
    ageColumn,
  ],
});
