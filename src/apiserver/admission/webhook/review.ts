/**
 * One question to a webhook: an AdmissionReview out, its response checked. Upstream: plugin/webhook/request/admissionreview.go,
 * plugin/webhook/errors/statuserror.go.
 */
import { randomUUID } from "node:crypto";
import { goQuote } from "#api/go-text.ts";
import { internalError } from "#api/status-catalogue.ts";
import { type Status, StatusError } from "#api/status-error.ts";
import { type AdmissionView, requestOf } from "#apiserver/admission/policy/view.ts";
import { addWarning } from "#apiserver/resource/warnings.ts";
import { callWebhook, WebhookError } from "#apiserver/webhook/call.ts";
import type { Hook, Webhook } from "./hooks.ts";

const timeoutSecondsDefault = 10;
const group = "admission.k8s.io";

export interface Response {
  uid?: string;
  allowed?: boolean;
  status?: Partial<Status>;
  /** Base64. */
  patch?: string;
  patchType?: string;
  warnings?: readonly string[];
}

interface AdmissionReview {
  apiVersion?: string;
  kind?: string;
  response?: Response;
}

/** undefined: the webhook could not be asked, and need not be. Throws what refuses. */
export async function ask({ webhook }: Hook, view: AdmissionView, isMutating: boolean): Promise<Response | undefined> {
  const { services, warnings } = view.request;
  const { clientConfig: config, timeoutSeconds = timeoutSecondsDefault } = webhook;
  const uid = randomUUID();
  const version = reviewVersionOf(webhook);
  const { cache, random } = services;
  try {
    const review = reviewOf(uid, version, view);
    const answer = await called(() =>
      callWebhook({ config, timeoutSeconds, review, cache, random: () => random.next() }),
    );
    const response = checkedResponse(answer, uid, version, isMutating);
    for (const text of response.warnings ?? []) addWarning(warnings, text);
    if (response.allowed === true) return response;
    throw rejection(webhook.name, response.status ?? {});
  } catch (error) {
    if (!(error instanceof WebhookError)) throw error;
    if (webhook.failurePolicy === "Ignore") return undefined;
    throw callFailure(webhook, error.message);
  }
}

/** The configuration says that whoever cannot ask must refuse. */
export const callFailure = ({ name }: Webhook, text: string): StatusError =>
  internalError(`failed calling webhook ${goQuote(name)}: ${text}`);

async function called<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof WebhookError)) throw error;
    throw new WebhookError(`failed to call webhook: ${error.message}`);
  }
}

const reviewVersionOf = ({ admissionReviewVersions = ["v1"] }: Webhook): string =>
  admissionReviewVersions.find((version) => version === "v1" || version === "v1beta1") ?? "v1";

function reviewOf(uid: string, version: string, view: AdmissionView) {
  const { object = null, old = null } = view;
  const { dryRun, options, ...rest } = requestOf(view);
  return {
    kind: "AdmissionReview",
    apiVersion: `${group}/${version}`,
    request: { uid, ...rest, object, oldObject: old, dryRun, options },
  };
}

function checkedResponse(answer: unknown, uid: string, version: string, isMutating: boolean): Response {
  const { apiVersion = "", kind = "", response } = (answer ?? {}) as AdmissionReview;
  const fault = (text: string) => new WebhookError(`received invalid webhook response: ${text}`);
  if (response === undefined || response === null) throw fault("webhook response was absent");
  const wrong = wrongField(response);
  if (wrong !== undefined) throw new WebhookError(`failed to call webhook: ${wrong}`);
  if (version !== "v1") return { ...response, patchType: "JSONPatch" };
  if (response.uid !== uid) throw fault(`expected response.uid=${goQuote(uid)}, got ${goQuote(response.uid ?? "")}`);
  if (apiVersion !== `${group}/v1` || kind !== "AdmissionReview")
    throw fault(`expected webhook response of ${group}/v1, Kind=AdmissionReview, got ${kindText(apiVersion, kind)}`);
  const hasPatch = (response.patch ?? "") !== "";
  const { patchType } = response;
  if (!isMutating) {
    if (hasPatch) throw fault("validating webhook may not return response.patch");
    if (patchType !== undefined) throw fault("validating webhook may not return response.patchType");
    return response;
  }
  if (hasPatch && patchType === undefined) throw fault("webhook returned response.patch but not response.patchType");
  if (!hasPatch && patchType !== undefined) throw fault("webhook returned response.patchType but not response.patch");
  if (patchType === "") throw fault('webhook returned invalid response.patchType of ""');
  return response;
}

/** The fields that are used, with Go's name of their type. */
const fieldTypes = {
  uid: "UID",
  allowed: "bool",
  status: "Status",
  patch: "[]uint8",
  patchType: "PatchType",
  warnings: "[]string",
} as const satisfies Record<keyof Response, string>;

const isText = (value: unknown): boolean => typeof value === "string";
const checks: Readonly<Record<string, (value: unknown) => boolean>> = {
  bool: (value) => typeof value === "boolean",
  Status: (value) => typeof value === "object" && !Array.isArray(value) && hasUsableTexts(value as Partial<Status>),
  "[]string": (value) => Array.isArray(value) && value.every(isText),
};

const hasUsableTexts = ({ message = "", reason = "", code = 0 }: Partial<Status>): boolean =>
  isText(message) && isText(reason) && Number.isInteger(code);

/** Why an answer cannot be read as what it should be; an absent or null field is none. */
function wrongField(response: object): string | undefined {
  if (typeof response !== "object" || Array.isArray(response))
    return "json: cannot unmarshal into Go struct field AdmissionReview.response of type v1.AdmissionResponse";
  for (const [field, type] of Object.entries(fieldTypes)) {
    const value = (response as Record<string, unknown>)[field];
    if (value === undefined || value === null || (checks[type] ?? isText)(value)) continue;
    return `json: cannot unmarshal into Go struct field AdmissionResponse.response.${field} of type ${type}`;
  }
  return undefined;
}

const kindText = (apiVersion: string, kind: string): string =>
  `${apiVersion === "" || apiVersion.includes("/") ? apiVersion : `/${apiVersion}`}, Kind=${kind}`;

const codeMin = 400;

/** What the webhook says of its refusal, as the client is told it. */
function rejection(name: string, said: Partial<Status>): StatusError {
  const by = `admission webhook ${goQuote(name)} denied the request`;
  const { code = 0, message = "", reason = "" } = said;
  const why = message === "" ? reason : message;
  const { status = "", message: _, code: __, ...rest } = said;
  return new StatusError({
    ...rest,
    kind: "Status",
    apiVersion: "v1",
    metadata: said.metadata ?? {},
    status: status === "" || status === "Success" ? "Failure" : status,
    message: why === "" ? `${by} without explanation` : `${by}: ${why}`,
    code: code < codeMin ? codeMin : code,
  } as Status);
}
