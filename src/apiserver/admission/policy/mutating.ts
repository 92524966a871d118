/** MutatingAdmissionPolicies with their bindings. Upstream: apiserver/pkg/admission/plugin/policy/mutating. */
import { mergeTyped } from "#api/apply/typed-merge.ts";
import { childSchema, isAtomic, isMap } from "#api/apply/typed.ts";
import type { KubernetesObject } from "#api/object.ts";
import { applyJsonPatch, type JsonPatchOperation, JsonPatchError } from "#api/patch/json-patch.ts";
import { Schema } from "#api/schema/model.ts";
import { failure } from "#api/status-error.ts";
import { objectsIn } from "#apiserver/admission/lookup.ts";
import type { AdmissionPlugin, AdmissionRequest } from "#apiserver/admission/plugin.ts";
import { clone } from "#apiserver/resource/metadata.ts";
import { type ParamRef, isExempt, paramsOf, registry } from "./bindings.ts";
import { type PolicySpec, mutationOf } from "./evaluate.ts";
import { type MatchResources, matchesRequest } from "./match.ts";

interface Mutation {
  patchType?: string;
  applyConfiguration?: { expression?: string };
  jsonPatch?: { expression?: string };
}

type Policy = KubernetesObject & {
  spec: PolicySpec & { matchConstraints?: MatchResources; mutations?: readonly Mutation[] };
};
type Binding = KubernetesObject & {
  spec: { policyName?: string; paramRef?: ParamRef; matchResources?: MatchResources };
};

export const mutatingPolicies: AdmissionPlugin = {
  name: "MutatingAdmissionPolicy",
  mutate(request) {
    if (request.object === undefined || isExempt(request)) return;
    const policies = objectsIn<Policy>(request.services, `${registry}/mutatingadmissionpolicies/`);
    if (policies.length === 0) return;
    const bindings = objectsIn<Binding>(request.services, `${registry}/mutatingadmissionpolicybindings/`);
    for (const policy of policies)
      for (const binding of bindings)
        if (binding.spec.policyName === policy.metadata.name) mutateUnder(policy, binding, request);
  },
};

function mutateUnder(policy: Policy, binding: Binding, request: AdmissionRequest): void {
  const { spec } = policy;
  const isMatch =
    matchesRequest(spec.matchConstraints, request) && matchesRequest(binding.spec.matchResources, request);
  if (!isMatch) return;
  const fails = spec.failurePolicy !== "Ignore";
  const refuse = (message: string) => {
    if (fails) throw refusal(policy, binding, request, message);
  };
  const params = paramsOf(spec, binding.spec.paramRef, request);
  if (typeof params === "string") {
    refuse(`failed to configure binding: ${params}`);
    return;
  }
  for (const one of params)
    for (const mutation of spec.mutations ?? []) {
      const fault = mutateOnce(spec, mutation, request, one);
      if (fault !== undefined) refuse(fault);
    }
}

/** Why it could not be done. */
function mutateOnce(
  spec: PolicySpec,
  { patchType, jsonPatch, applyConfiguration }: Mutation,
  request: AdmissionRequest,
  params: KubernetesObject | null,
): string | undefined {
  const isPatch = patchType === "JSONPatch";
  const expression = (isPatch ? jsonPatch : applyConfiguration)?.expression ?? "";
  const made = mutationOf(spec, expression, request, params);
  if (made === "no") return undefined;
  if ("message" in made) return made.message;
  return isPatch ? patched(request, made.value as JsonPatchOperation[]) : applied(request, made.value);
}

function patched(request: AdmissionRequest, operations: readonly JsonPatchOperation[]): string | undefined {
  try {
    replaceObject(request, applyJsonPatch(clone(request.object!), operations) as KubernetesObject);
    return undefined;
  } catch (error) {
    if (!(error instanceof JsonPatchError)) throw error;
    // A test that fails says that there is nothing to do.
    return /test/.test(error.message) ? undefined : `JSON Patch: ${error.message}`;
  }
}

function applied(request: AdmissionRequest, configuration: unknown): string | undefined {
  const { resource } = request;
  const schema = new Schema({ kind: "struct", struct: () => storedStruct(request) });
  const atomic = atomicPath(schema, configuration, "");
  if (atomic !== undefined) {
    const text = "may not mutate atomic arrays, maps or structs";
    return `error applying patch: invalid ApplyConfiguration: ${text}: ${atomic}`;
  }
  const merged = mergeTyped(schema, clone(request.object!), configuration) as KubernetesObject;
  replaceObject(request, clone(merged));
  resource.definition.defaults?.(request.object!);
  return undefined;
}

/** Objects are mutated in the form in which they are stored. */
function storedStruct({ resource, services }: AdmissionRequest) {
  const { group, plural } = resource.definition;
  return (services.catalogue.stored(group, plural) ?? resource).struct();
}

/** The first atomic value that a configuration says something of. */
function atomicPath(schema: Schema, value: unknown, path: string): string | undefined {
  if (Array.isArray(value)) {
    if (schema.kind !== "list" || schema.listType === "atomic") return path;
    for (const [index, item] of value.entries()) {
      const found = schema.of === undefined ? undefined : atomicPath(schema.of, item, `${path}[${index}]`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (!isMap(value)) return undefined;
  if (isAtomic(schema)) return path;
  for (const [name, inner] of Object.entries(value)) {
    const found = atomicPath(childSchema(schema, name), inner, `${path}.${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The request holds on to its object: it is changed in place. */
export function replaceObject({ object }: AdmissionRequest, by: KubernetesObject): void {
  const target = object as unknown as Record<string, unknown>;
  for (const name of Object.keys(target)) if (!Object.hasOwn(by, name)) delete target[name];
  const { metadata } = object!;
  const { uid, creationTimestamp } = metadata;
  Object.assign(target, by);
  // So do others on to its metadata.
  for (const name of Object.keys(metadata)) delete (metadata as Record<string, unknown>)[name];
  object!.metadata = Object.assign(metadata, {
    ...(uid === undefined ? {} : { uid }),
    ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
    ...by.metadata,
  });
}

function refusal(policy: Policy, binding: Binding, { resource, name }: AdmissionRequest, text: string) {
  const { group, plural } = resource;
  const names = `policy '${policy.metadata.name}' with binding '${binding.metadata.name}'`;
  const message = `${names} denied request: ${text}`;
  return failure(403, "Invalid", message, {
    name,
    ...(group === "" ? {} : { group }),
    kind: plural,
    causes: [{ message }],
  });
}
