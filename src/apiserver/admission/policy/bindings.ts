/** What a policy's binding says of its parameters, and what no policy may judge. Upstream: plugin/policy/generic. */
import { labelSelectorOf, matchesLabels } from "#api/label-selector.ts";
import type { KubernetesObject } from "#api/object.ts";
import type { AdmissionRequest } from "#apiserver/admission/plugin.ts";
import { shownEntries } from "#apiserver/resource/stored-entries.ts";
import { converted } from "#apiserver/resource/views.ts";
import type { PolicySpec } from "./evaluate.ts";
import { namespaceNameOf } from "./view.ts";

export interface ParamRef {
  name?: string;
  namespace?: string;
  selector?: object;
  parameterNotFoundAction?: string;
}

export const registry = "/registry/admissionregistration.k8s.io";
/** Policies and webhooks do not judge what would switch them off. */
const configuration = [
  "validatingadmissionpolicies",
  "validatingadmissionpolicybindings",
  "mutatingadmissionpolicies",
  "mutatingadmissionpolicybindings",
  "validatingwebhookconfigurations",
  "mutatingwebhookconfigurations",
];
/** Nor policies the questions that a cluster depends on. */
const questions = [
  "authentication.k8s.io/selfsubjectreviews",
  "authentication.k8s.io/tokenreviews",
  "authorization.k8s.io/localsubjectaccessreviews",
  "authorization.k8s.io/selfsubjectaccessreviews",
  "authorization.k8s.io/selfsubjectrulesreviews",
  "authorization.k8s.io/subjectaccessreviews",
];
const exemptOfWebhooks = new Set(configuration.map((plural) => `admissionregistration.k8s.io/${plural}`));
const exemptOfPolicies = new Set([...exemptOfWebhooks, ...questions]);

const addressOf = ({ resource }: AdmissionRequest): string => `${resource.group}/${resource.plural}`;
export const isExemptOfWebhooks = (request: AdmissionRequest): boolean => exemptOfWebhooks.has(addressOf(request));
/** Upstream: pkg/kubeapiserver/admission/exclusion. */
export const isExemptOfPolicies = (request: AdmissionRequest): boolean => exemptOfPolicies.has(addressOf(request));

/** Why the kind of a policy's parameters is not to be had. */
export function paramKindFault({ paramKind }: PolicySpec, { services }: AdmissionRequest): string | undefined {
  if (paramKind === undefined) return undefined;
  const { group, version, kind } = kindOfParams(paramKind);
  if (services.catalogue.findKind(group, version, kind) !== undefined) return undefined;
  return `failed to find resource referenced by paramKind: '${group}/${version}, Kind=${kind}'`;
}

function kindOfParams({ apiVersion = "", kind = "" }: NonNullable<PolicySpec["paramKind"]>) {
  const [version = "", group = ""] = apiVersion.split("/").reverse();
  return { group, version, kind };
}

/** The parameters, or why there are none. */
export async function paramsOf(
  { paramKind }: PolicySpec,
  paramRef: ParamRef | undefined,
  request: AdmissionRequest,
): Promise<(KubernetesObject | null)[] | string> {
  if (paramKind === undefined || paramRef === undefined) return [null];
  const { group, version, kind } = kindOfParams(paramKind);
  const resource = request.services.catalogue.findKind(group, version, kind)!;
  if (!resource.isNamespaced && (paramRef.namespace ?? "") !== "")
    return "paramRef.namespace must not be provided for a cluster-scoped `paramKind`";
  const namespace = resource.isNamespaced ? paramRef.namespace || namespaceNameOf(request) : undefined;
  if (namespace === "") return "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources";
  const range = resource.cache.entries.range(namespace === undefined ? "" : `${namespace}/`);
  const selector = paramRef.selector === undefined ? undefined : labelSelectorOf(paramRef.selector);
  const chosen = [...range].filter(({ object: { metadata } }) =>
    selector === undefined ? metadata.name === paramRef.name : matchesLabels(selector, metadata.labels),
  );
  const found = (await shownEntries(resource, chosen)).map(({ object }) => converted(resource, object));
  if (found.length > 0) return found;
  const isDenied = paramRef.parameterNotFoundAction !== "Allow";
  return isDenied ? "no params found for policy binding with `Deny` parameterNotFoundAction" : [];
}
