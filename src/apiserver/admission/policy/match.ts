/** Which requests a policy is about. Upstream: apiserver/pkg/admission/plugin/policy/matching, webhook/predicates. */
import { labelSelectorOf, matchesLabels } from "#api/label-selector.ts";
import type { KubernetesObject } from "#api/object.ts";
import type { AdmissionRequest } from "#apiserver/admission/plugin.ts";
import { objectAt } from "#apiserver/admission/lookup.ts";

export interface ResourceRule {
  apiGroups?: readonly string[];
  apiVersions?: readonly string[];
  operations?: readonly string[];
  resources?: readonly string[];
  resourceNames?: readonly string[];
  scope?: string;
}

export interface MatchResources {
  resourceRules?: readonly ResourceRule[];
  excludeResourceRules?: readonly ResourceRule[];
  namespaceSelector?: object;
  objectSelector?: object;
  matchPolicy?: string;
}

/** No rules at all: everything that the policy itself takes. */
export function matchesRequest(match: MatchResources | undefined, request: AdmissionRequest): boolean {
  if (match === undefined) return true;
  const { resourceRules = [], excludeResourceRules = [], namespaceSelector, objectSelector } = match;
  const versions = match.matchPolicy === "Exact" ? [request.resource.version] : servedVersions(request);
  const fits = (rule: ResourceRule) => versions.some((version) => matchesRule(rule, request, version));
  if (excludeResourceRules.some(fits)) return false;
  if (resourceRules.length > 0 && !resourceRules.some(fits)) return false;
  return matchesNamespace(namespaceSelector, request) && matchesObject(objectSelector, request);
}

const servedVersions = ({ resource }: AdmissionRequest): string[] => [
  resource.version,
  resource.definition.version,
  ...(resource.definition.otherVersions ?? []).map(({ version }) => version),
];

function matchesRule(rule: ResourceRule, request: AdmissionRequest, version: string): boolean {
  const { resource, operation, name } = request;
  const has = (list: readonly string[] | undefined, value: string) =>
    (list ?? []).some((one) => one === "*" || one === value);
  const names = rule.resourceNames ?? [];
  const scope = resource.isNamespaced ? "Namespaced" : "Cluster";
  return (
    has(rule.apiGroups, resource.group) &&
    has(rule.apiVersions, version) &&
    has(rule.operations, operation) &&
    (rule.scope === undefined || rule.scope === "*" || rule.scope === scope) &&
    (names.length === 0 || names.includes(name)) &&
    (rule.resources ?? []).some((one) => matchesResource(one, resource.plural, request.subresource))
  );
}

function matchesResource(pattern: string, plural: string, subresource: string): boolean {
  const [resource = "", wanted = ""] = pattern.split("/");
  if (resource !== "*" && resource !== plural) return false;
  return wanted === "*" ? true : wanted === subresource;
}

export function namespaceOf(request: AdmissionRequest): KubernetesObject | undefined {
  const { resource, namespace, services, object, old } = request;
  if (resource.plural === "namespaces" && resource.group === "") return object ?? old;
  return namespace === "" ? undefined : objectAt(services, "/registry/core/namespaces/", namespace);
}

/** What is in no namespace is not sorted out by its namespace. */
function matchesNamespace(selector: object | undefined, request: AdmissionRequest): boolean {
  const isNamespace = request.resource.plural === "namespaces" && request.resource.group === "";
  if (selector === undefined || (!request.resource.isNamespaced && !isNamespace)) return true;
  return matchesLabels(labelSelectorOf(selector), namespaceOf(request)?.metadata.labels);
}

/** Either the new or the old object. */
function matchesObject(selector: object | undefined, { object, old }: AdmissionRequest): boolean {
  if (selector === undefined || Object.keys(selector).length === 0) return true;
  const parsed = labelSelectorOf(selector);
  return [object, old].some((one) => one !== undefined && matchesLabels(parsed, one.metadata.labels));
}
