/** Groups of Kubernetes' own community need an approval that a definition names. Upstream: apihelpers, apiapproval controller. */
import type { FieldError } from "#api/field-error.ts";
import type { V1CustomResourceDefinition } from "#api/generated/types.ts";
import { goQuote } from "#api/go-text.ts";
import { invalid, required } from "#api/validation/field-errors.ts";

export const approvalAnnotation = "api-approved.kubernetes.io";
const where = "see https://github.com/kubernetes/enhancements/pull/1111";

export interface Approval {
  verdict: "approved" | "bypassed" | "missing" | "invalid";
  /** As the definition's condition says it. */
  reason: string;
  message: string;
}

const isProtected = (group: string): boolean => /(^|\.)(k8s|kubernetes)\.io$/.test(group);

/** undefined: the group needs none. */
export function approvalOf({ metadata, spec }: V1CustomResourceDefinition): Approval | undefined {
  if (!isProtected(spec.group)) return undefined;
  const value = metadata.annotations?.[approvalAnnotation] ?? "";
  if (value === "") {
    const message = `protected groups must have approval annotation ${goQuote(approvalAnnotation)}, ${where}`;
    return { verdict: "missing", reason: "MissingAnnotation", message };
  }
  if (value.startsWith("unapproved"))
    return { verdict: "bypassed", reason: "UnapprovedAnnotation", message: `not approved: ${goQuote(value)}` };
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/?#\s]+/i.test(value))
    return { verdict: "approved", reason: "ApprovedAnnotation", message: `approved in ${value}` };
  const form = `with either a URL or a reason starting with "unapproved", ${where}`;
  const message = `protected groups must have approval annotation ${goQuote(approvalAnnotation)} ${form}`;
  return { verdict: "invalid", reason: "InvalidAnnotation", message };
}

export function approvalErrors(definition: V1CustomResourceDefinition): FieldError[] {
  const approval = approvalOf(definition);
  const field = `metadata.annotations[${approvalAnnotation}]`;
  if (approval?.verdict === "missing") return [required(field, approval.message)];
  if (approval?.verdict !== "invalid") return [];
  return [invalid(field, definition.metadata.annotations![approvalAnnotation], approval.message)];
}
