/** Validating and mutating admission webhooks. Upstream: apiserver/pkg/admission/plugin/webhook/{validating,mutating}. */
import { randomUUID } from "node:crypto";
import type { KubernetesObject } from "#api/object.ts";
import { JsonPatchError, applyJsonPatch, type JsonPatchOperation } from "#api/patch/json-patch.ts";
import { forbiddenRequest } from "#api/status-catalogue.ts";
import { failure, type Status, type StatusError } from "#api/status-error.ts";
import { objectsIn } from "#apiserver/admission/lookup.ts";
import type { AdmissionPlugin, AdmissionRequest } from "#apiserver/admission/plugin.ts";
import { isExempt, registry } from "#apiserver/admission/policy/bindings.ts";
import { conditionsOfRequest, requestOf } from "#apiserver/admission/policy/evaluate.ts";
import { type ResourceRule, matchesRequest } from "#apiserver/admission/policy/match.ts";
import { replaceObject } from "#apiserver/admission/policy/mutating.ts";
import { clone } from "#apiserver/resource/metadata.ts";
import { type ClientConfig, WebhookError, callWebhook } from "./call.ts";

interface Webhook {
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
}

type Configuration = KubernetesObject & { webhooks?: readonly Webhook[] };

interface Response {
  uid?: string;
  allowed?: boolean;
  status?: Partial<Status>;
  patch?: string;
  patchType?: string;
  warnings?: string[];
}

const timeoutSecondsDefault = 10;

/** One after the other, each on what the one before it made. */
export const mutatingWebhooks: AdmissionPlugin = {
  name: "MutatingAdmissionWebhook",
  async mutate(request) {
    for (const webhook of matching(request, "mutatingwebhookconfigurations")) {
      const response = await ask(webhook, request);
      if (response?.patch !== undefined && request.object !== undefined) patch(webhook, response.patch, request);
    }
  },
};

/** All at once: none sees what another says. */
export const validatingWebhooks: AdmissionPlugin = {
  name: "ValidatingAdmissionWebhook",
  async validate(request) {
    const webhooks = matching(request, "validatingwebhookconfigurations");
    if (webhooks.length === 0) return;
    const results = await Promise.allSettled(webhooks.map((webhook) => ask(webhook, request)));
    for (const result of results) if (result.status === "rejected") throw result.reason;
  },
};

function matching(request: AdmissionRequest, plural: string): Webhook[] {
  if (isExempt(request)) return [];
  const configurations = objectsIn<Configuration>(request.services, `${registry}/${plural}/`);
  return configurations.flatMap(({ webhooks = [] }) =>
    webhooks.filter(
      ({ rules = [], ...match }) => rules.length > 0 && matchesRequest({ ...match, resourceRules: rules }, request),
    ),
  );
}

/** undefined: it was not asked, or could not be and need not. Throws what refuses. */
async function ask(webhook: Webhook, request: AdmissionRequest): Promise<Response | undefined> {
  const { name, clientConfig, timeoutSeconds = timeoutSecondsDefault, failurePolicy } = webhook;
  const conditions = conditionsOfRequest(webhook, request);
  if (conditions === "no") return undefined;
  const fails = failurePolicy !== "Ignore";
  if (conditions !== "yes") {
    if (fails) throw forbiddenRequest(request.resource.resourceName, request.name, conditions.message);
    return undefined;
  }
  try {
    const uid = randomUUID();
    const answer = await callWebhook(clientConfig, timeoutSeconds, reviewOf(uid, request), request);
    return judged(name, uid, answer, request);
  } catch (error) {
    if (!(error instanceof WebhookError)) throw error;
    if (fails)
      throw callFailure(`failed calling webhook ${JSON.stringify(name)}: failed to call webhook: ${error.message}`);
    return undefined;
  }
}

function callFailure(text: string): StatusError {
  return failure(500, "InternalError", `Internal error occurred: ${text}`, { causes: [{ message: text }] });
}

function reviewOf(uid: string, request: AdmissionRequest) {
  const { object = null, old = null, operation, options = null } = request;
  const { subResource, requestSubResource, ...rest } = requestOf(request);
  return {
    kind: "AdmissionReview",
    apiVersion: "admission.k8s.io/v1",
    request: {
      uid,
      ...rest,
      ...(subResource === "" ? {} : { subResource, requestSubResource }),
      object: operation === "DELETE" ? null : (options ?? object),
      oldObject: old,
      options: null,
    },
  };
}

function judged(name: string, uid: string, answer: unknown, { warnings }: AdmissionRequest): Response {
  const { response } = (answer ?? {}) as { response?: Response };
  if (response === undefined) throw new WebhookError("Webhook response was absent");
  if (response.uid !== uid)
    throw new WebhookError(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? "")}`);
  warnings.push(...(response.warnings ?? []));
  if (response.allowed === true) return response;
  const { code = 403, reason = "", message } = response.status ?? {};
  const why = message ?? (reason === "" ? "" : reason);
  const text = `admission webhook ${JSON.stringify(name)} denied the request${why === "" ? " without explanation" : `: ${why}`}`;
  throw failure(
    code === 0 || code < 400 ? 403 : code,
    reason === "" ? "Forbidden" : reason,
    text,
    response.status?.details ?? {},
  );
}

function patch({ name, failurePolicy }: Webhook, encoded: string, request: AdmissionRequest): void {
  try {
    const operations = JSON.parse(Buffer.from(encoded, "base64").toString("utf8")) as JsonPatchOperation[];
    replaceObject(request, applyJsonPatch(clone(request.object!), operations) as KubernetesObject);
    request.resource.definition.defaults?.(request.object!);
  } catch (error) {
    if (!(error instanceof JsonPatchError || error instanceof SyntaxError)) throw error;
    if (failurePolicy !== "Ignore")
      throw callFailure(`failed calling webhook ${JSON.stringify(name)}: ${error.message}`);
  }
}
