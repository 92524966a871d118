/** The rules of flow schemas. Upstream: pkg/apis/flowcontrol/validation/validation.go. */
import type {
  FlowcontrolV1Subject,
  V1FlowSchema,
  V1FlowSchemaSpec,
  V1NonResourcePolicyRule,
  V1PolicyRulesWithSubjects,
  V1ResourcePolicyRule,
} from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { duplicate, forbidden, invalid, invalidEach, notSupported, required } from "#api/validation/field-errors.ts";
import { isDns1123Label, isDns1123Subdomain } from "#api/validation/names.ts";
import { dnsLabel, dnsSubdomain, semanticEqual } from "#api/validation/values.ts";
import { mandatoryFlowSchemas } from "./bootstrap-objects.ts";

const precedenceMax = 10_000;
const methods = ["ByNamespace", "ByUser"];
const verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"];

export function flowSchemaErrors(schema: V1FlowSchema): FieldError[] {
  const { name = "" } = schema.metadata;
  const fixed = mandatoryFlowSchemas.find(({ metadata }) => metadata.name === name);
  return [
    ...specErrors(name, schema.spec),
    ...(fixed === undefined || semanticEqual(schema.spec, fixed.spec)
      ? []
      : [invalid("spec", schema.spec, `spec of '${name}' must equal the fixed value`)]),
    ...conditionTypesErrors(schema.status?.conditions),
  ];
}

export const flowSchemaStatusErrors = ({ status }: V1FlowSchema): FieldError[] =>
  conditionTypesErrors(status?.conditions);

/** Each type once. */
export function conditionTypesErrors(conditions: readonly { type?: string }[] | undefined): FieldError[] {
  const seen = new Set<string>();
  return (conditions ?? []).flatMap(({ type = "" }, index) => {
    const field = `status.conditions[${index}].type`;
    const errors = seen.has(type) ? [duplicate(field, type)] : [];
    seen.add(type);
    return type === "" ? [...errors, required(field, "must not be empty")] : errors;
  });
}

function specErrors(name: string, spec: V1FlowSchemaSpec | undefined): FieldError[] {
  const { matchingPrecedence: precedence = 0, distinguisherMethod, priorityLevelConfiguration, rules } = spec ?? {};
  const level = priorityLevelConfiguration?.name ?? "";
  const field = "spec.matchingPrecedence";
  const errors: FieldError[] = [];
  if (precedence <= 0) errors.push(invalid(field, precedence, "must be a positive value"));
  if (precedence > precedenceMax) errors.push(invalid(field, precedence, `must not be greater than ${precedenceMax}`));
  if (precedence === 1 && name !== "exempt")
    errors.push(invalid(field, precedence, "only the schema named 'exempt' may have matchingPrecedence 1"));
  if (distinguisherMethod !== undefined && !methods.includes(distinguisherMethod.type))
    errors.push(notSupported("spec.distinguisherMethod.type", distinguisherMethod, methods));
  const levelField = "spec.priorityLevelConfiguration.name";
  errors.push(
    ...(level === "" ? [required(levelField, "must reference a priority level")] : dnsSubdomain(levelField, level)),
  );
  return [...errors, ...(rules ?? []).flatMap((rule, index) => ruleErrors(rule, `spec.rules[${index}]`))];
}

function ruleErrors(rule: V1PolicyRulesWithSubjects, path: string): FieldError[] {
  const { subjects, resourceRules, nonResourceRules } = rule;
  const errors = (subjects ?? []).flatMap((subject, index) => subjectErrors(subject, `${path}.subjects[${index}]`));
  if ((subjects ?? []).length === 0)
    errors.push(required(`${path}.subjects`, "subjects must contain at least one value"));
  if ((resourceRules ?? []).length === 0 && (nonResourceRules ?? []).length === 0)
    errors.push(required(path, "at least one of resourceRules and nonResourceRules has to be non-empty"));
  return [
    ...errors,
    ...(resourceRules ?? []).flatMap((one, index) => resourceRuleErrors(one, `${path}.resourceRules[${index}]`)),
    ...(nonResourceRules ?? []).flatMap((one, index) => urlRuleErrors(one, `${path}.nonResourceRules[${index}]`)),
  ];
}

const subjectFields = { ServiceAccount: "serviceAccount", User: "user", Group: "group" } as const;

/** The field that the kind names, and no other. */
function subjectErrors(subject: FlowcontrolV1Subject, path: string): FieldError[] {
  const { kind = "" } = subject as Partial<FlowcontrolV1Subject>;
  if (!Object.hasOwn(subjectFields, kind))
    return [notSupported(`${path}.kind`, kind, Object.keys(subjectFields).sort())];
  const errors = ownFieldErrors(subject, kind as keyof typeof subjectFields, path);
  for (const [other, field] of Object.entries(subjectFields))
    if (other !== kind && subject[field] !== undefined)
      errors.push(forbidden(`${path}.${field}`, `${field} is forbidden when subject kind is not '${other}'`));
  return errors;
}

function ownFieldErrors(subject: FlowcontrolV1Subject, kind: keyof typeof subjectFields, path: string): FieldError[] {
  const field = subjectFields[kind];
  const at = `${path}.${field}`;
  const own = subject[field];
  if (own === undefined) return [required(at, `${field} is required when subject kind is '${kind}'`)];
  const { name = "" } = own;
  if (kind !== "ServiceAccount") return name === "" ? [required(`${at}.name`)] : [];
  const { namespace = "" } = subject.serviceAccount!;
  return [
    ...(name === ""
      ? [required(`${at}.name`)]
      : name === "*"
        ? []
        : invalidEach(`${at}.name`, name, isDns1123Subdomain(name))),
    ...(namespace === ""
      ? [required(`${at}.namespace`, "must specify namespace for service account")]
      : dnsLabel(`${at}.namespace`, namespace)),
  ];
}

function verbsErrors(given: readonly string[], path: string): FieldError[] {
  const field = `${path}.verbs`;
  if (given.length === 0) return [required(field, "verbs must contain at least one value")];
  if (given.includes("*")) return loneStar(field, given, "verbs");
  return given.every((verb) => verbs.includes(verb)) ? [] : [notSupported(field, given, verbs)];
}

const loneStar = (field: string, given: readonly string[], what: string): FieldError[] =>
  given.length > 1 && given.includes("*")
    ? [invalid(field, given, `if '*' is present, must not specify other ${what}`)]
    : [];

function resourceRuleErrors(rule: V1ResourcePolicyRule, path: string): FieldError[] {
  const { apiGroups, resources, namespaces, clusterScope = false } = rule;
  const listed = (field: string, given: readonly string[] | undefined, missing: string, what: string) =>
    (given ?? []).length === 0
      ? [required(`${path}.${field}`, missing)]
      : loneStar(`${path}.${field}`, given ?? [], what);
  return [
    ...verbsErrors(rule.verbs ?? [], path),
    ...listed("apiGroups", apiGroups, "resource rules must supply at least one api group", "api groups"),
    ...listed("resources", resources, "resource rules must supply at least one resource", "resources"),
    ...namespacesErrors(namespaces ?? [], clusterScope, `${path}.namespaces`),
  ];
}

function namespacesErrors(namespaces: readonly string[], clusterScope: boolean, field: string): FieldError[] {
  if (namespaces.length === 0 && !clusterScope)
    return [required(field, "resource rules that are not cluster scoped must supply at least one namespace")];
  if (namespaces.includes("*")) return loneStar(field, namespaces, "namespaces");
  return namespaces.flatMap((namespace, index) =>
    isDns1123Label(namespace).map((fault) =>
      invalid(`${field}[${index}]`, namespace, `each member of this list must be '*' or a DNS-1123 label; ${fault}`),
    ),
  );
}

function urlRuleErrors(rule: V1NonResourcePolicyRule, path: string): FieldError[] {
  const urls = rule.nonResourceURLs ?? [];
  const field = `${path}.nonResourceURLs`;
  const errors = verbsErrors(rule.verbs ?? [], path);
  if (urls.length === 0) return [...errors, required(field, "nonResourceURLs must contain at least one value")];
  if (urls.includes("*")) return [...errors, ...loneStar(field, urls, "non-resource URLs")];
  return [...errors, ...urls.flatMap((url, index) => invalidEach(`${field}[${index}]`, url, urlFaults(url)))];
}

/** The first fault of a path. */
function urlFaults(url: string): string[] {
  if (url === "") return ["must not be empty"];
  if (url === "/") return [];
  if (!url.startsWith("/")) return ["must start with slash"];
  if (url.includes(" ")) return ["must not contain white-space"];
  if (url.includes("//")) return ["must not contain double slash"];
  const stars = url.split("*").length - 1;
  return stars > 1 || (stars === 1 && !url.endsWith("/*")) ? ["wildcard can only do suffix matching"] : [];
}
