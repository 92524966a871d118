/** ValidatingAdmissionPolicies with their bindings. Upstream: apiserver/pkg/admission/plugin/policy/validating. */
import type { KubernetesObject } from "#api/object.ts";
import { failure } from "#api/status-error.ts";
import { goQuote } from "#api/go-text.ts";
import { qualifiedResource } from "#api/status-catalogue.ts";
import { objectsIn } from "#apiserver/admission/lookup.ts";
import type { AdmissionPlugin, AdmissionRequest } from "#apiserver/admission/plugin.ts";
import { addWarning } from "#apiserver/resource/warnings.ts";
import { type Denial, type Judgement, type PolicySpec, judge } from "./evaluate.ts";
import { type ParamRef, isExemptOfPolicies, paramKindFault, paramsOf, registry } from "./bindings.ts";
import { type MatchResources, matchedResource, matchesRequest } from "./match.ts";
import { viewOf } from "./view.ts";

type Policy = KubernetesObject & { spec: PolicySpec & { matchConstraints?: MatchResources } };

type Binding = KubernetesObject & {
  spec: { policyName?: string; paramRef?: ParamRef; matchResources?: MatchResources; validationActions?: string[] };
};

interface Refusal extends Denial {
  policy: string;
  /** Absent where the policy itself is at fault. */
  binding?: string;
}

export const validatingPolicies: AdmissionPlugin = {
  name: "ValidatingAdmissionPolicy",
  async validate(request) {
    const { services } = request;
    if (isExemptOfPolicies(request)) return;
    const policies = objectsIn<Policy>(services, `${registry}/validatingadmissionpolicies/`);
    if (policies.length === 0) return;
    const bindings = objectsIn<Binding>(services, `${registry}/validatingadmissionpolicybindings/`);
    let first: Refusal | undefined;
    for (const policy of policies) {
      const [refused] = await refusalsOf(policy, bindings, request);
      first ??= refused;
    }
    if (first !== undefined) throw refusal(request, first);
  },
};

/** What denies, in order; warnings go where warnings go. */
async function refusalsOf(policy: Policy, bindings: readonly Binding[], request: AdmissionRequest): Promise<Refusal[]> {
  const { spec, metadata } = policy;
  const name = metadata.name ?? "";
  const own = bindings.filter((binding) => binding.spec.policyName === name);
  if (own.length === 0) return [];
  const matched = matchedResource(spec.matchConstraints, request);
  if (matched === undefined) return [];
  const isStrict = spec.failurePolicy !== "Ignore";
  const fault = paramKindFault(spec, request);
  if (fault !== undefined)
    return isStrict ? [{ policy: name, message: `failed to configure policy: ${fault}`, reason: "Invalid" }] : [];
  const view = await viewOf(request, matched);
  const refusals: Refusal[] = [];
  for (const binding of own) {
    if (!matchesRequest(binding.spec.matchResources, request)) continue;
    const by = { policy: name, binding: binding.metadata.name ?? "" };
    const params = await paramsOf(spec, binding.spec.paramRef, request);
    if (typeof params === "string") {
      if (isStrict) refusals.push({ ...by, message: `failed to configure binding: ${params}`, reason: "Invalid" });
      continue;
    }
    for (const one of params) refusals.push(...under(binding, by, judge(spec, view, one), request));
  }
  return refusals;
}

function under(
  { spec: { validationActions = [] } }: Binding,
  by: { policy: string; binding: string },
  { denials, faults }: Judgement,
  { warnings }: AdmissionRequest,
): Refusal[] {
  if (validationActions.includes("Warn"))
    for (const { message } of denials) {
      const text = `Validation failed for ValidatingAdmissionPolicy '${by.policy}' with binding '${by.binding}': ${message}`;
      addWarning(warnings, text);
    }
  const denied = validationActions.includes("Deny") ? denials : [];
  return [...denied, ...faults].map((denial) => ({ ...by, ...denial }));
}

const codes: Readonly<Record<string, number>> = {
  Unauthorized: 401,
  Forbidden: 403,
  Invalid: 422,
  RequestEntityTooLarge: 413,
};

function refusal({ resource, name }: AdmissionRequest, { policy, binding, message: why, reason }: Refusal) {
  const { group, plural } = resource;
  const by = binding === undefined ? "" : ` with binding '${binding}'`;
  const message = `ValidatingAdmissionPolicy '${policy}'${by} denied request: ${why}`;
  const what = `${qualifiedResource({ group, resource: plural })} ${goQuote(name)} is forbidden: ${message}`;
  return failure(codes[reason] ?? 422, reason, what, {
    name,
    ...(group === "" ? {} : { group }),
    kind: plural,
    causes: [{ message }],
  });
}
