/** MutatingAdmissionPolicies with their bindings. Upstream: apiserver/pkg/admission/plugin/policy/mutating. */
import { ConformError } from "#api/decode/conform.ts";
import { mergeTyped } from "#api/apply/typed-merge.ts";
import { childSchema, isAtomic, isAtomicList, isMap, isNamedField, itemSchema } from "#api/apply/typed.ts";
import type { KubernetesObject } from "#api/object.ts";
import { applyJsonPatch, type JsonPatchOperation, JsonPatchError } from "#api/patch/json-patch.ts";
import { TypedError, validateTyped } from "#api/apply/typed-validate.ts";
import { schemaOfStruct } from "#api/apply/updater.ts";
import type { Schema } from "#api/schema/model.ts";
import { goQuote } from "#api/go-text.ts";
import { internalError } from "#api/status-catalogue.ts";
import { failure } from "#api/status-error.ts";
import { objectsIn } from "#apiserver/admission/lookup.ts";
import type { AdmissionPlugin, AdmissionRequest } from "#apiserver/admission/plugin.ts";
import { type PluginReinvocation, reinvocationOf } from "#apiserver/admission/reinvocation.ts";
import type { ServedResource } from "#apiserver/catalogue.ts";
import { clone, isEqual } from "#apiserver/resource/metadata.ts";
import { type ParamRef, isExemptOfPolicies, paramKindFault, paramsOf, registry } from "./bindings.ts";
import { type PolicySpec, conditionsOfView, mutationOf } from "./evaluate.ts";
import { type MatchResources, matchedResource, matchesRequest } from "./match.ts";
import { type AdmissionView, conformed, kindOf, structOf, viewOf, writeBack } from "./view.ts";

interface Mutation {
  patchType?: string;
  applyConfiguration?: { expression?: string };
  jsonPatch?: { expression?: string };
}

type Policy = KubernetesObject & {
  spec: PolicySpec & {
    matchConstraints?: MatchResources;
    mutations?: readonly Mutation[];
    reinvocationPolicy?: string;
  };
};
type Binding = KubernetesObject & {
  spec: { policyName?: string; paramRef?: ParamRef; matchResources?: MatchResources };
};

const pluginName = "MutatingAdmissionPolicy";

interface Invocation {
  policy: Policy;
  binding: Binding;
  matched: ServedResource;
  params: KubernetesObject | null;
}

/** Why a policy could not do what it should. */
interface Fault {
  policy: Policy;
  /** Absent where the policy itself is at fault. */
  binding?: Binding;
  message: string;
  reason: "Invalid" | "Forbidden";
}

export const mutatingPolicies: AdmissionPlugin = {
  name: pluginName,
  async mutate(request) {
    const policies = objectsIn<Policy>(request.services, `${registry}/mutatingadmissionpolicies/`);
    const changing = request.options ?? request.object;
    if (policies.length === 0 || changing === undefined || request.operation === "CONNECT") return;
    if (isExemptOfPolicies(request)) return;
    const bindings = objectsIn<Binding>(request.services, `${registry}/mutatingadmissionpolicybindings/`);
    const reinvocation = reinvocationOf(request).of(pluginName);
    const faults: Fault[] = [];
    const invocations = await invocationsOf(policies, bindings, request, faults);
    reinvocation.begin(changing);
    for (const invocation of invocations) faults.push(...(await mutateBy(invocation, request, reinvocation)));
    reinvocation.end(changing);
    const serious = faults.filter(({ policy }) => policy.spec.failurePolicy !== "Ignore");
    if (serious.length > 0) throw refusal(request, serious);
  },
};

/** Every policy with each of its bindings and their parameters. */
async function invocationsOf(
  policies: readonly Policy[],
  bindings: readonly Binding[],
  request: AdmissionRequest,
  faults: Fault[],
): Promise<Invocation[]> {
  const invocations: Invocation[] = [];
  for (const policy of policies) {
    const own = bindings.filter(({ spec }) => spec.policyName === policy.metadata.name);
    const matched = own.length === 0 ? undefined : matchedResource(policy.spec.matchConstraints, request);
    if (matched === undefined) continue;
    const unknown = paramKindFault(policy.spec, request);
    if (unknown !== undefined) {
      faults.push({ policy, message: `failed to configure policy: ${unknown}`, reason: "Forbidden" });
      continue;
    }
    for (const binding of own) {
      if (!matchesRequest(binding.spec.matchResources, request)) continue;
      const params = await paramsOf(policy.spec, binding.spec.paramRef, request);
      if (typeof params === "string")
        faults.push({ policy, binding, message: `failed to configure binding: ${params}`, reason: "Forbidden" });
      else invocations.push(...params.map((one) => ({ policy, binding, matched, params: one })));
    }
  }
  return invocations;
}

async function mutateBy(
  { policy, binding, matched, params }: Invocation,
  request: AdmissionRequest,
  reinvocation: PluginReinvocation,
): Promise<Fault[]> {
  const { spec, metadata } = policy;
  const id = [metadata.name, binding.metadata.name, params?.metadata.namespace, params?.metadata.name].join("/");
  const fault = (message: string): Fault => ({ policy, binding, message, reason: "Invalid" });
  const conditions = conditionsOfView(spec, await viewOf(request, matched), params);
  if (conditions === "no") return [];
  if (conditions !== "yes") return [fault(conditions.message)];
  if (!reinvocation.mayRun(id)) return [];
  const faults: Fault[] = [];
  let hasChanged = false;
  for (const mutation of spec.mutations ?? []) {
    const view = await viewOf(request, matched);
    const made = mutateOnce(spec, mutation, view, params);
    if (typeof made === "string") faults.push(fault(made));
    else if (made !== undefined && !isEqual(made, view.object)) {
      hasChanged = true;
      await writeBack(view, made);
    }
  }
  reinvocation.ran(id, { hasChanged, isReinvocable: spec.reinvocationPolicy === "IfNeeded" });
  return faults;
}

/** The object after the mutation; undefined: nothing is to be done; a text says why it could not be done. */
function mutateOnce(
  spec: PolicySpec,
  { patchType, jsonPatch, applyConfiguration }: Mutation,
  view: AdmissionView,
  params: KubernetesObject | null,
): KubernetesObject | undefined | string {
  const isPatch = patchType === "JSONPatch";
  const expression = (isPatch ? jsonPatch : applyConfiguration)?.expression ?? "";
  const made = mutationOf(spec, expression, view, params);
  if ("message" in made) return made.message;
  return isPatch ? patched(view, made.value as JsonPatchOperation[]) : applied(view, made.value);
}

/** What the patch makes must be an object of the kind without unknown fields: else the request fails, whatever the policy says. */
function patched(view: AdmissionView, operations: readonly JsonPatchOperation[]) {
  try {
    const made = applyJsonPatch(clone(view.object!), operations) as KubernetesObject;
    const { object, strictErrors } = conformed(view, made);
    if (strictErrors.length > 0) throw internalError(`strict decoding error: ${strictErrors.join(", ")}`);
    return object;
  } catch (error) {
    if (error instanceof ConformError) throw internalError(error.message);
    if (!(error instanceof JsonPatchError)) throw error;
    // A test that fails says that there is nothing to do.
    return error.isFailedTest ? undefined : `JSON Patch: ${error.message}`;
  }
}

function applied(view: AdmissionView, configuration: unknown) {
  const { object, matched, request } = view;
  // What connects is not mutated by policies: all others have known fields.
  const schema = schemaOfStruct(structOf(view)!);
  const failed = (text: string) => `error applying patch: ${text}`;
  try {
    validateTyped(schema, configuration);
  } catch (error) {
    if (!(error instanceof TypedError)) throw error;
    return failed(`failed to convert patch object to typed object: ${error.message}`);
  }
  const atomic = atomicPaths(schema, configuration, "");
  if (atomic.length > 0)
    return failed(`invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomic.join(", ")}`);
  try {
    return conformed(view, clone(mergeTyped(schema, clone(object!), configuration) as KubernetesObject), "unstructured")
      .object;
  } catch (error) {
    if (!(error instanceof ConformError)) throw error;
    const { group, version, kind } = kindOf(matched, request.subresource);
    return `unable to convert unstructured object to ${group}/${version}, Kind=${kind}: ${error.message}`;
  }
}

/** The atomic values that a configuration says something of, as far as fields lead to them. */
function atomicPaths(schema: Schema, value: unknown, path: string): string[] {
  if (Array.isArray(value)) {
    const inner = value.flatMap((item, index) => atomicPaths(itemSchema(schema), item, `${path}[${index}]`));
    return isAtomicList(schema) ? [path, ...inner] : inner;
  }
  if (!isMap(value)) return [];
  const fields = Object.entries(value).filter(([name]) => isNamedField(schema, name));
  const inner = fields.flatMap(([name, one]) => atomicPaths(childSchema(schema, name), one, `${path}.${name}`));
  return isAtomic(schema) ? [path, ...inner] : inner;
}

/** The first fault speaks, all are named. */
function refusal({ resource, name }: AdmissionRequest, faults: readonly Fault[]) {
  const { group, plural } = resource;
  const messages = faults.map(({ policy, binding, message }) => {
    const by =
      binding === undefined
        ? `policy ${goQuote(policy.metadata.name ?? "")}`
        : `policy '${policy.metadata.name}' with binding '${binding.metadata.name}'`;
    return `${by} denied request: ${message}`;
  });
  return failure(403, faults[0]!.reason, messages[0]!, {
    name,
    ...(group === "" ? {} : { group }),
    kind: plural,
    causes: messages.map((message) => ({ message })),
  });
}
