/** ValidatingAdmissionPolicies with their bindings. Upstream: apiserver/pkg/admission/plugin/policy/validating. */
import type { KubernetesObject } from "#api/object.ts";
import { failure } from "#api/status-error.ts";
import { goQuote } from "#api/go-text.ts";
import { qualifiedResource } from "#api/status-catalogue.ts";
import { objectsIn } from "#apiserver/admission/lookup.ts";
import type { AdmissionPlugin, AdmissionRequest } from "#apiserver/admission/plugin.ts";
import { type Denial, type PolicySpec, denialsOf } from "./evaluate.ts";
import { type ParamRef, isExempt, paramsOf, registry } from "./bindings.ts";
import { type MatchResources, matchesRequest } from "./match.ts";

type Policy = KubernetesObject & { spec: PolicySpec & { matchConstraints?: MatchResources } };

type Binding = KubernetesObject & {
  spec: { policyName?: string; paramRef?: ParamRef; matchResources?: MatchResources; validationActions?: string[] };
};

export const validatingPolicies: AdmissionPlugin = {
  name: "ValidatingAdmissionPolicy",
  validate(request) {
    const { services } = request;
    if (isExempt(request)) return;
    const policies = objectsIn<Policy>(services, `${registry}/validatingadmissionpolicies/`);
    if (policies.length === 0) return;
    const bindings = objectsIn<Binding>(services, `${registry}/validatingadmissionpolicybindings/`);
    const denials = policies.flatMap((policy) => judge(policy, bindings, request));
    const [first] = denials;
    if (first !== undefined) throw refusal(request, first);
  },
};

/** What denies; warnings go where warnings go. */
function judge(policy: Policy, bindings: readonly Binding[], request: AdmissionRequest): Denial[] {
  const { spec, metadata } = policy;
  const own = bindings.filter((binding) => binding.spec.policyName === metadata.name);
  if (own.length === 0 || !matchesRequest(spec.matchConstraints, request)) return [];
  return own.flatMap((binding) => {
    if (!matchesRequest(binding.spec.matchResources, request)) return [];
    const { validationActions = [] } = binding.spec;
    const found = denialsUnder(policy, binding, request);
    const names = `ValidatingAdmissionPolicy '${metadata.name}' with binding '${binding.metadata.name}'`;
    if (validationActions.includes("Warn"))
      for (const { message } of found) request.warnings.push(`Validation failed for ${names}: ${message}`);
    if (!validationActions.includes("Deny")) return [];
    return found.map(({ message, reason }) => ({ message: `${names} denied request: ${message}`, reason }));
  });
}

function denialsUnder({ spec }: Policy, { spec: binding }: Binding, request: AdmissionRequest): Denial[] {
  const params = paramsOf(spec, binding.paramRef, request);
  if (typeof params === "string")
    return spec.failurePolicy === "Ignore"
      ? []
      : [{ message: `failed to configure binding: ${params}`, reason: "Invalid" }];
  return params.flatMap((one) => denialsOf(spec, request, one));
}

const codes: Readonly<Record<string, number>> = {
  Unauthorized: 401,
  Forbidden: 403,
  Invalid: 422,
  RequestEntityTooLarge: 413,
};

function refusal({ resource, name }: AdmissionRequest, { message, reason }: Denial) {
  const { group, plural } = resource;
  const what = `${qualifiedResource({ group, resource: plural })} ${goQuote(name)} is forbidden: ${message}`;
  return failure(codes[reason] ?? 422, reason, what, {
    name,
    ...(group === "" ? {} : { group }),
    kind: plural,
    causes: [{ message }],
  });
}
