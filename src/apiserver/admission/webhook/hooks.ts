/** Webhooks of configurations, and which of them a request is for. Upstream: apiserver/pkg/admission/plugin/webhook/generic. */
import type { KubernetesObject } from "#api/object.ts";
import { forbiddenRequest } from "#api/status-catalogue.ts";
import { objectsIn } from "#apiserver/admission/lookup.ts";
import type { AdmissionRequest } from "#apiserver/admission/plugin.ts";
import { isExemptOfWebhooks, registry } from "#apiserver/admission/policy/bindings.ts";
import { conditionsOfView } from "#apiserver/admission/policy/evaluate.ts";
import { type ResourceRule, matchedResource } from "#apiserver/admission/policy/match.ts";
import { type AdmissionView, viewOf } from "#apiserver/admission/policy/view.ts";
import type { ServedResource } from "#apiserver/catalogue.ts";
import type { ClientConfig } from "#apiserver/webhook/destination.ts";

export interface Webhook {
  name: string;
  clientConfig: ClientConfig;
  rules?: readonly ResourceRule[];
  failurePolicy?: string;
  matchPolicy?: string;
  namespaceSelector?: object;
  objectSelector?: object;
  matchConditions?: readonly { name: string; expression: string }[];
  sideEffects?: string;
  timeoutSeconds?: number;
  admissionReviewVersions?: readonly string[];
  reinvocationPolicy?: string;
}

export interface Hook {
  /** Names it among all webhooks. */
  id: string;
  webhook: Webhook;
  /** The version of the resource that it wants to see. */
  matched: ServedResource;
}

type Configuration = KubernetesObject & { webhooks?: readonly Webhook[] };

/** Those whose rules and selectors fit, in the order of their configurations' names. */
export function hooksFor(
  request: AdmissionRequest,
  plural: "mutatingwebhookconfigurations" | "validatingwebhookconfigurations",
): Hook[] {
  const configurations = objectsIn<Configuration>(request.services, `${registry}/${plural}/`);
  if (configurations.length === 0 || isExemptOfWebhooks(request)) return [];
  return configurations.flatMap(({ metadata, webhooks = [] }) =>
    webhooks.flatMap((webhook, index) => {
      const { rules = [], ...match } = webhook;
      const matched = rules.length === 0 ? undefined : matchedResource({ ...match, resourceRules: rules }, request);
      return matched === undefined ? [] : [{ id: `${metadata.name ?? ""}/${index}/${webhook.name}`, webhook, matched }];
    }),
  );
}

/** What the webhook is shown; undefined: its conditions keep it away. Throws StatusError where they cannot be told. */
export async function viewFor(
  { webhook, matched }: Hook,
  request: AdmissionRequest,
): Promise<AdmissionView | undefined> {
  const view = await viewOf(request, matched);
  if ((webhook.matchConditions ?? []).length === 0) return view;
  const conditions = conditionsOfView(webhook, view);
  if (conditions === "yes") return view;
  if (conditions === "no" || webhook.failurePolicy === "Ignore") return undefined;
  throw forbiddenRequest(request.resource.resourceName, request.name, conditions.message);
}
