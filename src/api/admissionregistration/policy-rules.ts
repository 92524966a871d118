/**
 * The rules of admission policies and their bindings, but for what CEL says of their expressions. Upstream:
 * pkg/apis/admissionregistration/validation/validation.go.
 */
import type {
  V1AuditAnnotation,
  V1MatchResources,
  V1MutatingAdmissionPolicy,
  V1MutatingAdmissionPolicyBinding,
  V1MutatingAdmissionPolicySpec,
  V1Mutation,
  V1ParamKind,
  V1ParamRef,
  V1ValidatingAdmissionPolicy,
  V1ValidatingAdmissionPolicyBinding,
  V1ValidatingAdmissionPolicySpec,
  V1Validation,
  V1Variable,
} from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { isLongerThan } from "#api/go-text.ts";
import { conditionsErrors } from "#api/validation/conditions.ts";
import { duplicate, invalid, invalidEach, notSupported, required } from "#api/validation/field-errors.ts";
import { isQualifiedName } from "#api/validation/names.ts";
import { dnsSubdomain, oneOf, oneOfIfSet, present } from "#api/validation/values.ts";
import { matchConditionsErrors } from "./match-conditions.ts";
import { matchErrors, paramKindErrors, paramRefErrors } from "./match-rules.ts";
import { failurePolicies, reinvocationPolicies } from "./webhook-rules.ts";

const annotationsMax = 20;
const valueExpressionBytesMax = 5 * 1024;
const reasons = ["Forbidden", "Invalid", "RequestEntityTooLarge"];
const actions = ["Audit", "Deny", "Warn"];
const patchTypes = ["ApplyConfiguration", "JSONPatch"];

/** Words of CEL and words that it keeps for later. */
const reservedWords = new Set(
  "true false null in as break const continue else for function if import let loop package namespace return var void while".split(
    " ",
  ),
);
const isCelIdentifier = (name: string): boolean => /^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) && !reservedWords.has(name);

const isBlank = (text: string | undefined): boolean => (text ?? "").trim() === "";

interface PolicySpec {
  failurePolicy?: string;
  paramKind?: V1ParamKind;
  matchConstraints?: V1MatchResources;
  variables?: V1Variable[];
}

/** What both kinds of policy have. */
function policyErrors({ failurePolicy, paramKind, matchConstraints, variables }: PolicySpec): FieldError[] {
  const path = "spec.matchConstraints";
  const errors = oneOfIfSet("spec.failurePolicy", failurePolicy, failurePolicies);
  if (paramKind !== undefined) errors.push(...paramKindErrors(paramKind, "spec.paramKind"));
  if (matchConstraints === undefined) errors.push(required(path));
  else {
    if ((matchConstraints.resourceRules ?? []).length === 0) errors.push(required(`${path}.resourceRules`));
    errors.push(...matchErrors(matchConstraints, path));
  }
  return [...errors, ...variablesErrors(variables ?? [])];
}

function variablesErrors(variables: readonly V1Variable[]): FieldError[] {
  return variables.flatMap(({ name = "", expression }, index) => {
    const path = `spec.variables[${index}]`;
    return [
      ...(isBlank(name)
        ? [required(`${path}.name`, "name is not specified")]
        : isCelIdentifier(name)
          ? []
          : [invalid(`${path}.name`, name, "must be a valid CEL identifier")]),
      ...(isBlank(expression) ? [required(`${path}.expression`, "expression is not specified")] : []),
    ];
  });
}

export function validatingPolicyErrors({ metadata, spec = {} }: V1ValidatingAdmissionPolicy): FieldError[] {
  return [
    ...policyErrors(spec),
    ...checksErrors(metadata.name ?? "", spec),
    ...matchConditionsErrors(spec.matchConditions, "spec.matchConditions"),
  ];
}

function checksErrors(name: string, { validations, auditAnnotations }: V1ValidatingAdmissionPolicySpec): FieldError[] {
  const checks = validations ?? [];
  const annotations = auditAnnotations ?? [];
  const text = "validations or auditAnnotations must contain at least one item";
  if (checks.length + annotations.length === 0)
    return [required("spec.validations", text), required("spec.auditAnnotations", text)];
  return [
    ...checks.flatMap((check, index) => validationErrors(check, `spec.validations[${index}]`)),
    ...annotationsErrors(name, annotations, "spec.auditAnnotations"),
  ];
}

function validationErrors(validation: Partial<V1Validation>, path: string): FieldError[] {
  const { expression, message = "", messageExpression, reason } = validation;
  const blank = "must be non-empty if specified";
  return [
    ...(isBlank(expression) ? [required(`${path}.expression`, "expression is not specified")] : []),
    ...(messageExpression !== undefined && isBlank(messageExpression)
      ? [invalid(`${path}.messageExpression`, messageExpression, blank)]
      : []),
    ...(message !== "" && isBlank(message)
      ? [invalid(`${path}.message`, message, blank)]
      : /[\r\n]/.test(message.trim())
        ? [invalid(`${path}.message`, message, "must not contain line breaks")]
        : []),
    ...oneOfIfSet(`${path}.reason`, reason, reasons),
  ];
}

/** In the audit log, the policy's name stands before the key. */
function annotationsErrors(policy: string, annotations: readonly V1AuditAnnotation[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (annotations.length > annotationsMax)
    errors.push(invalid(path, annotations, `must not have more than ${annotationsMax} auditAnnotations`));
  const seen = new Set<string>();
  for (const [index, { key = "", valueExpression }] of (annotations as Partial<V1AuditAnnotation>[]).entries()) {
    const at = `${path}[${index}]`;
    const shown = `${policy}/${key}`;
    errors.push(...(isBlank(key) ? [required(`${at}.key`)] : invalidEach(`${at}.key`, shown, isQualifiedName(shown))));
    if (isBlank(valueExpression)) errors.push(required(`${at}.valueExpression`, "valueExpression is not specified"));
    else if (isLongerThan(valueExpression!, valueExpressionBytesMax))
      errors.push(invalid(`${at}.valueExpression`, valueExpression, "must not exceed 5kb in length"));
    if (seen.has(key)) errors.push(duplicate(`${at}.key`, key));
    seen.add(key);
  }
  return errors;
}

export const validatingPolicyStatusErrors = ({ status }: V1ValidatingAdmissionPolicy): FieldError[] =>
  conditionsErrors(status?.conditions, "status.conditions");

export function mutatingPolicyErrors({ spec = {} }: V1MutatingAdmissionPolicy): FieldError[] {
  return [
    ...policyErrors(spec),
    ...mutationsErrors(spec),
    ...matchConditionsErrors(spec.matchConditions, "spec.matchConditions"),
    ...oneOf("spec.reinvocationPolicy", spec.reinvocationPolicy, reinvocationPolicies),
  ];
}

function mutationsErrors({ mutations }: V1MutatingAdmissionPolicySpec): FieldError[] {
  const given = mutations ?? [];
  if (given.length === 0) return [required("spec.mutations", "mutations must contain at least one item")];
  return given.flatMap((mutation, index) => mutationErrors(mutation, `spec.mutations[${index}]`));
}

const patchFields = { ApplyConfiguration: "applyConfiguration", JSONPatch: "jsonPatch" } as const;

/** The field that the patch type names, and no other. */
function mutationErrors(mutation: Partial<V1Mutation>, path: string): FieldError[] {
  const { patchType } = mutation;
  if (patchType !== "ApplyConfiguration" && patchType !== "JSONPatch")
    return oneOf(`${path}.patchType`, patchType, patchTypes);
  const own = patchFields[patchType];
  const other = own === "jsonPatch" ? "applyConfiguration" : "jsonPatch";
  const errors: FieldError[] = [];
  if (mutation[own] === undefined)
    errors.push(required(`${path}.${own}`, `must be specified when patchType is ${patchType}`));
  else if (isBlank(mutation[own].expression))
    errors.push(required(`${path}.${own}.expression`, "expression is not specified"));
  if (mutation[other] !== undefined)
    errors.push(invalid(`${path}.${other}`, `{${other}}`, `must not be specified when patchType is ${patchType}`));
  return errors;
}

interface BindingSpec {
  policyName?: string;
  paramRef?: V1ParamRef;
  matchResources?: V1MatchResources;
}

function bindingErrors({ policyName = "", paramRef, matchResources }: BindingSpec): FieldError[] {
  return [
    ...(policyName === "" ? present("spec.policyName", policyName) : dnsSubdomain("spec.policyName", policyName)),
    ...(paramRef === undefined ? [] : paramRefErrors(paramRef, "spec.paramRef")),
    ...(matchResources === undefined ? [] : matchErrors(matchResources, "spec.matchResources")),
  ];
}

export const mutatingBindingErrors = ({ spec }: V1MutatingAdmissionPolicyBinding): FieldError[] =>
  bindingErrors(spec ?? {});

export function validatingBindingErrors({ spec }: V1ValidatingAdmissionPolicyBinding): FieldError[] {
  return [...bindingErrors(spec ?? {}), ...actionsErrors(spec?.validationActions ?? [], "spec.validationActions")];
}

const repetition =
  "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)";

function actionsErrors(given: readonly string[], path: string): FieldError[] {
  if (given.length === 0) return [required(path, "at least one validation action is required")];
  const errors = given.flatMap((action, index) => {
    const at = `${path}[${index}]`;
    if (!actions.includes(action)) return [notSupported(at, action, actions)];
    return given.indexOf(action) < index ? [duplicate(at, action)] : [];
  });
  return given.includes("Deny") && given.includes("Warn") ? [...errors, invalid(path, given, repetition)] : errors;
}
