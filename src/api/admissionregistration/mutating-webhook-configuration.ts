/** Mutating webhooks. Upstream: pkg/registry/admissionregistration/mutatingwebhookconfiguration/strategy.go. */
import { ageColumn, column, integer, nameColumn } from "#api/columns.ts";
import type { V1MutatingWebhookConfiguration } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { defaultWebhook, webhooksErrors } from "./webhook-rules.ts";

export type MutatingWebhookConfiguration = V1MutatingWebhookConfiguration;
export const MutatingWebhookConfiguration = defineResource<MutatingWebhookConfiguration>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "MutatingWebhookConfiguration",
  plural: "mutatingwebhookconfigurations",
  categories: ["api-extensions"],
  scope: "Cluster",
  schema: "io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration",
  allowUnconditionalUpdate: false,
  defaults({ webhooks }) {
    for (const webhook of webhooks ?? []) {
      defaultWebhook(webhook);
      webhook.reinvocationPolicy ??= "Never";
    }
  },
  validate: ({ webhooks }, old) => webhooksErrors(webhooks, old?.webhooks),
  columns: [
    nameColumn,
    column(
      "Webhooks",
      "Webhooks indicates the number of webhooks registered in this configuration",
      ({ webhooks }: MutatingWebhookConfiguration) => (webhooks ?? []).length,
      integer,
    ),
    ageColumn,
  ],
});
