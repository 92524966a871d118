/**
 * Which requests a policy or a webhook is about, and in which version of the kind it sees them. Upstream: apiserver/pkg/admission/
 * plugin/policy/matching, plugin/webhook/{generic,predicates}.
 */
import { labelSelectorOf, matchesLabels } from "#api/label-selector.ts";
import type { KubernetesObject } from "#api/object.ts";
import type { AdmissionRequest } from "#apiserver/admission/plugin.ts";
import { objectAt } from "#apiserver/admission/lookup.ts";
import type { ServedResource } from "#apiserver/catalogue.ts";

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

/** The version of the resource that matched; undefined: nothing did. No rules at all: the request's own. */
export function matchedResource(
  match: MatchResources | undefined,
  request: AdmissionRequest,
): ServedResource | undefined {
  if (match === undefined) return request.resource;
  const { resourceRules = [], excludeResourceRules = [], namespaceSelector, objectSelector } = match;
  if (!matchesNamespace(namespaceSelector, request) || !matchesObject(objectSelector, request)) return undefined;
  const isExact = match.matchPolicy === "Exact";
  if (byRules(excludeResourceRules, request, isExact) !== undefined) return undefined;
  return resourceRules.length === 0 ? request.resource : byRules(resourceRules, request, isExact);
}

export const matchesRequest = (match: MatchResources | undefined, request: AdmissionRequest): boolean =>
  matchedResource(match, request) !== undefined;

/** The request's own version goes before all others. */
function byRules(
  rules: readonly ResourceRule[],
  request: AdmissionRequest,
  isExact: boolean,
): ServedResource | undefined {
  if (rules.some((rule) => matchesRule(rule, request, request.resource))) return request.resource;
  if (isExact) return undefined;
  const others = equivalentsOf(request);
  for (const rule of rules) {
    const found = others.find((one) => matchesRule(rule, request, one));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Other groups and versions under which the same objects are served. */
const equivalentsOf = ({ resource, services }: AdmissionRequest): ServedResource[] =>
  services.catalogue.all().filter((one) => one.cache === resource.cache && one.apiVersion !== resource.apiVersion);

function matchesRule(rule: ResourceRule, request: AdmissionRequest, resource: ServedResource): boolean {
  const { operation, name } = request;
  const has = (list: readonly string[] | undefined, value: string) =>
    (list ?? []).some((one) => one === "*" || one === value);
  const names = rule.resourceNames ?? [];
  const scope = resource.isNamespaced ? "Namespaced" : "Cluster";
  return (
    has(rule.apiGroups, resource.group) &&
    has(rule.apiVersions, resource.version) &&
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

export const isNamespace = ({ resource }: AdmissionRequest): boolean =>
  resource.plural === "namespaces" && resource.group === "";

/** The namespace that labels are looked up in: a Namespace that is written is its own. */
function labelledNamespace(request: AdmissionRequest): KubernetesObject | undefined {
  const { namespace, name, services, object, operation, subresource } = request;
  if (!isNamespace(request)) return objectAt(services, "/registry/core/namespaces/", namespace);
  const isWritten = subresource === "" && (operation === "CREATE" || operation === "UPDATE");
  return isWritten ? object : objectAt(services, "/registry/core/namespaces/", name);
}

/** What is in no namespace is not sorted out by its namespace. */
function matchesNamespace(selector: object | undefined, request: AdmissionRequest): boolean {
  if (selector === undefined || Object.keys(selector).length === 0) return true;
  if (!isNamespace(request) && request.namespace === "") return true;
  return matchesLabels(labelSelectorOf(selector), labelledNamespace(request)?.metadata.labels);
}

/** Either the new or the old object. */
function matchesObject(selector: object | undefined, { object, old, options }: AdmissionRequest): boolean {
  if (selector === undefined || Object.keys(selector).length === 0) return true;
  const parsed = labelSelectorOf(selector);
  return [options ?? object, old].some(
    (one) => one?.metadata !== undefined && matchesLabels(parsed, one.metadata.labels),
  );
}
