/** Validating and mutating admission webhooks. Upstream: apiserver/pkg/admission/plugin/webhook/{validating,mutating}. */
import type { KubernetesObject } from "#api/object.ts";
import { ConformError } from "#api/decode/conform.ts";
import { JsonPatchError, applyJsonPatch, type JsonPatchOperation } from "#api/patch/json-patch.ts";
import { internalError } from "#api/status-catalogue.ts";
import type { AdmissionPlugin, AdmissionRequest } from "#apiserver/admission/plugin.ts";
import { type AdmissionView, conformed, writeBack } from "#apiserver/admission/policy/view.ts";
import { type PluginReinvocation, reinvocationOf } from "#apiserver/admission/reinvocation.ts";
import { clone, isEqual } from "#apiserver/resource/metadata.ts";
import { type Hook, type Webhook, hooksFor, viewFor } from "./hooks.ts";
import { ask, callFailure, type Response } from "./review.ts";

const mutatingName = "MutatingAdmissionWebhook";

/** One after the other, each on what the one before it made. */
export const mutatingWebhooks: AdmissionPlugin = {
  name: mutatingName,
  async mutate(request) {
    const hooks = hooksFor(request, "mutatingwebhookconfigurations");
    if (hooks.length === 0) return;
    const reinvocation = reinvocationOf(request).of(mutatingName);
    const changing = request.options ?? request.object;
    reinvocation.begin(changing);
    for (const hook of hooks) await mutateBy(hook, request, reinvocation);
    reinvocation.end(changing);
  },
};

/** All at once: none sees what another says. */
export const validatingWebhooks: AdmissionPlugin = {
  name: "ValidatingAdmissionWebhook",
  async validate(request) {
    const hooks = hooksFor(request, "validatingwebhookconfigurations");
    if (hooks.length === 0) return;
    const views = await Promise.all(hooks.map(async (hook) => ({ hook, view: await viewFor(hook, request) })));
    const results = await Promise.allSettled(
      views.map(({ hook, view }) => (view === undefined ? undefined : ask(hook, view, false))),
    );
    for (const result of results) if (result.status === "rejected") throw result.reason;
  },
};

async function mutateBy(hook: Hook, request: AdmissionRequest, reinvocation: PluginReinvocation): Promise<void> {
  if (!reinvocation.mayRun(hook.id)) return;
  const view = await viewFor(hook, request);
  if (view === undefined) return;
  const response = await ask(hook, view, true);
  const isReinvocable = hook.webhook.reinvocationPolicy === "IfNeeded";
  const changed = response === undefined ? undefined : patched(hook.webhook, response, view);
  reinvocation.ran(hook.id, { hasChanged: changed !== undefined, isReinvocable });
  if (changed === undefined) return;
  await writeBack(view, changed);
}

/** The object after the webhook's patch; undefined: it changes nothing. */
function patched(webhook: Webhook, { patch = "", patchType }: Response, view: AdmissionView) {
  const { object } = view;
  if (patch === "") return undefined;
  const operations = operationsOf(patch);
  if (operations.length === 0) return undefined;
  if (object === undefined) {
    const text = "attempted to modify the object, which is not supported for this operation";
    throw internalError(`admission webhook ${JSON.stringify(webhook.name)} ${text}`);
  }
  if (patchType !== "JSONPatch") {
    if (webhook.failurePolicy === "Ignore") return undefined;
    throw callFailure(webhook, `unsupported patch type ${JSON.stringify(patchType)}`);
  }
  try {
    const changed = conformed(view, applyJsonPatch(clone(object), operations) as KubernetesObject).object;
    return isEqual(changed, object) ? undefined : changed;
  } catch (error) {
    if (!(error instanceof JsonPatchError || error instanceof ConformError)) throw error;
    throw internalError(error.message);
  }
}

function operationsOf(patch: string): JsonPatchOperation[] {
  try {
    const operations = JSON.parse(Buffer.from(patch, "base64").toString("utf8")) as unknown;
    if (Array.isArray(operations)) return operations as JsonPatchOperation[];
  } catch (error) {
    throw internalError((error as Error).message);
  }
  throw internalError("json: cannot unmarshal object into Go value of type jsonpatch.Patch");
}
