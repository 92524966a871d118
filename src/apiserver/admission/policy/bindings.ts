/** What a policy's binding says of its parameters, and what no policy may judge. Upstream: plugin/policy/generic. */
import { labelSelectorOf, matchesLabels } from "#api/label-selector.ts";
import type { KubernetesObject } from "#api/object.ts";
import { objectsIn } from "#apiserver/admission/lookup.ts";
import type { AdmissionRequest } from "#apiserver/admission/plugin.ts";
import type { PolicySpec } from "./evaluate.ts";

export interface ParamRef {
  name?: string;
  namespace?: string;
  selector?: object;
  parameterNotFoundAction?: string;
}

export const registry = "/registry/admissionregistration.k8s.io";
/** Policies do not judge what would switch them off. */
const exempt = new Set([
  "validatingadmissionpolicies",
  "validatingadmissionpolicybindings",
  "mutatingadmissionpolicies",
  "mutatingadmissionpolicybindings",
  "validatingwebhookconfigurations",
  "mutatingwebhookconfigurations",
]);

export const isExempt = ({ resource }: AdmissionRequest): boolean =>
  resource.group === "admissionregistration.k8s.io" && exempt.has(resource.plural);

/** The parameters, or why there are none. */
export function paramsOf(
  { paramKind }: PolicySpec,
  paramRef: ParamRef | undefined,
  request: AdmissionRequest,
): (KubernetesObject | null)[] | string {
  if (paramKind === undefined || paramRef === undefined) return [null];
  const [version = "", group = ""] = (paramKind.apiVersion ?? "").split("/").reverse();
  const { catalogue } = request.services;
  const resource = catalogue.findKind(group, version, paramKind.kind ?? "");
  if (resource === undefined)
    return `failed to find resource referenced by paramKind: '${group === "" ? "/" : `${group}/`}${version}, Kind=${paramKind.kind ?? ""}'`;
  const namespace = resource.isNamespaced ? (paramRef.namespace ?? request.namespace) : undefined;
  if (namespace === "") return "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources";
  const all = objectsIn(request.services, resource.cache.prefix, namespace);
  const selector = paramRef.selector === undefined ? undefined : labelSelectorOf(paramRef.selector);
  const found = all.filter(({ metadata }) =>
    selector === undefined ? metadata.name === paramRef.name : matchesLabels(selector, metadata.labels),
  );
  if (found.length > 0) return found;
  const isDenied = paramRef.parameterNotFoundAction !== "Allow";
  return isDenied ? "no params found for policy binding with `Deny` parameterNotFoundAction" : [];
}
