/** The rules of policies that check what comes in. Upstream: pkg/apis/admissionregistration/validation/validation.go. */
import type {
  V1AuditAnnotation,
  V1TypeChecking,
  V1ValidatingAdmissionPolicy,
  V1ValidatingAdmissionPolicySpec,
  V1Validation,
} from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { isLongerThan } from "#api/go-text.ts";
import { JsonPathError, parseJsonPath } from "#api/json-path.ts";
import { conditionsErrors } from "#api/validation/conditions.ts";
import { duplicate, invalid, invalidEach, required } from "#api/validation/field-errors.ts";
import { isQualifiedName } from "#api/validation/names.ts";
import { oneOfIfSet } from "#api/validation/values.ts";
import { expressionErrors, isBlank } from "./policy-expressions.ts";
import { policyParts } from "./policy-parts.ts";
import type { PolicyEnvironment } from "./policy-program.ts";

const annotationsMax = 20;
const valueExpressionBytesMax = 5 * 1024;
const reasons = ["Forbidden", "Invalid", "RequestEntityTooLarge"];

export function validatingPolicyErrors(
  { metadata, spec = {} }: V1ValidatingAdmissionPolicy,
  old?: V1ValidatingAdmissionPolicy,
): FieldError[] {
  const { errors, environment } = policyParts(spec, old?.spec);
  return [...errors, ...checksErrors(metadata.name ?? "", spec, environment)];
}

function checksErrors(
  name: string,
  { validations, auditAnnotations }: V1ValidatingAdmissionPolicySpec,
  environment: PolicyEnvironment,
): FieldError[] {
  const checks = validations ?? [];
  const annotations = auditAnnotations ?? [];
  const text = "validations or auditAnnotations must contain at least one item";
  if (checks.length + annotations.length === 0)
    return [required("spec.validations", text), required("spec.auditAnnotations", text)];
  return [
    ...checks.flatMap((check, index) => validationErrors(check, `spec.validations[${index}]`, environment)),
    ...annotationsErrors(name, annotations, "spec.auditAnnotations", environment),
  ];
}

function validationErrors(
  validation: Partial<V1Validation>,
  path: string,
  environment: PolicyEnvironment,
): FieldError[] {
  const { expression = "", message = "", messageExpression, reason } = validation;
  const blank = "must be non-empty if specified";
  const errors = isBlank(expression)
    ? [required(`${path}.expression`, "expression is not specified")]
    : expressionErrors(`${path}.expression`, expression, environment, ["bool"]);
  if (messageExpression !== undefined)
    errors.push(...messageExpressionErrors(messageExpression, `${path}.messageExpression`, environment));
  if (message !== "" && isBlank(message)) errors.push(invalid(`${path}.message`, message, blank));
  else if (/[\r\n]/.test(message.trim()))
    errors.push(invalid(`${path}.message`, message, "must not contain line breaks"));
  return [...errors, ...oneOfIfSet(`${path}.reason`, reason, reasons)];
}

/** A message may not ask for rights. */
function messageExpressionErrors(expression: string, field: string, environment: PolicyEnvironment): FieldError[] {
  if (isBlank(expression)) return [invalid(field, expression, "must be non-empty if specified")];
  return expressionErrors(field, expression, { ...environment, hasAuthorizer: false }, ["string"]);
}

/** In the audit log, the policy's name stands before the key. */
function annotationsErrors(
  policy: string,
  annotations: readonly Partial<V1AuditAnnotation>[],
  path: string,
  environment: PolicyEnvironment,
): FieldError[] {
  const errors: FieldError[] = [];
  if (annotations.length > annotationsMax)
    errors.push(invalid(path, annotations, `must not have more than ${annotationsMax} auditAnnotations`));
  const seen = new Set<string>();
  for (const [index, { key = "", valueExpression = "" }] of annotations.entries()) {
    const at = `${path}[${index}]`;
    errors.push(...annotationKeyErrors(policy, key, `${at}.key`));
    errors.push(...annotationValueErrors(valueExpression, `${at}.valueExpression`, environment));
    if (seen.has(key)) errors.push(duplicate(`${at}.key`, key));
    seen.add(key);
  }
  return errors;
}

function annotationKeyErrors(policy: string, key: string, field: string): FieldError[] {
  if (policy === "") return [invalid(field, key, "requires metadata.name be non-empty")];
  if (isBlank(key)) return [required(field)];
  const shown = `${policy}/${key}`;
  return invalidEach(field, shown, isQualifiedName(shown));
}

function annotationValueErrors(expression: string, field: string, environment: PolicyEnvironment): FieldError[] {
  const text = expression.trim();
  if (text === "") return [required(field, "valueExpression is not specified")];
  if (isLongerThan(text, valueExpressionBytesMax))
    return [required(field, `must not exceed ${valueExpressionBytesMax} bytes in length`)];
  return expressionErrors(field, text, environment, ["string", "null_type"], expression);
}

export function validatingPolicyStatusErrors({ status }: V1ValidatingAdmissionPolicy): FieldError[] {
  return [
    ...typeCheckingErrors(status?.typeChecking, "status.typeChecking"),
    ...conditionsErrors(status?.conditions, "status.conditions"),
  ];
}

function typeCheckingErrors(checking: V1TypeChecking | undefined, path: string): FieldError[] {
  return (checking?.expressionWarnings ?? []).flatMap(({ warning, fieldRef }, index) => {
    const at = `${path}.expressionWarnings[${index}]`;
    const errors = (warning ?? "") === "" ? [required(`${at}.warning`)] : [];
    return [...errors, ...fieldRefErrors((fieldRef ?? "").trim(), `${at}.fieldRef`)];
  });
}

function fieldRefErrors(reference: string, field: string): FieldError[] {
  if (reference === "") return [required(field)];
  try {
    parseJsonPath(`{${reference}}`);
    return [];
  } catch (error) {
    if (!(error instanceof JsonPathError)) throw error;
    return [invalid(field, reference, `invalid JSONPath: ${error.message}`)];
  }
}
