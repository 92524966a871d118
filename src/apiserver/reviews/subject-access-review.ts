/** SubjectAccessReview and its relatives: may this user do that? Upstream: pkg/registry/authorization, pkg/apis/authorization/validation. */
import type { V1SubjectAccessReview, V1SubjectAccessReviewSpec, V1ResourceAttributes } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { parseLabelSelector } from "#api/label-selector.ts";
import { parseFieldSelector } from "#api/field-selector.ts";
import type { KubernetesObject } from "#api/object.ts";
import { forbidden, invalid, invalidObject, required } from "#api/validation/field-errors.ts";
import type { Attributes, Authorizer } from "#apiserver/authz/authorizer.ts";
import type { User } from "#apiserver/request.ts";
import type { SpecialRequest, VirtualResource } from "#apiserver/subresource.ts";
import { reviewResource } from "./review.ts";

const group = "authorization.k8s.io";
const schema = (kind: string) => `io.k8s.api.authorization.v1.${kind}`;

export function accessReviews(authorizer: Authorizer): VirtualResource[] {
  const review = (kind: string, isNamespaced: boolean, isSelf: boolean) =>
    reviewResource({
      group,
      version: "v1",
      kind,
      plural: `${kind.toLowerCase()}s`,
      isNamespaced,
      schema: schema(kind),
      answer: (object, special) => answer(object as V1SubjectAccessReview, special, authorizer, isNamespaced, isSelf),
    });
  return [
    review("LocalSubjectAccessReview", true, false),
    review("SelfSubjectAccessReview", false, true),
    review("SubjectAccessReview", false, false),
  ];
}

function answer(
  object: V1SubjectAccessReview,
  special: SpecialRequest,
  authorizer: Authorizer,
  isLocal: boolean,
  isSelf: boolean,
): KubernetesObject {
  const spec = object.spec ?? {};
  const errors = [...(isSelf ? selfErrors(spec) : subjectErrors(spec)), ...metadataErrors(object, isLocal)];
  if (isLocal) errors.push(...localErrors(object, special));
  if (errors.length > 0) throw invalidObject({ group, kind: "" }, "", errors);
  const user = isSelf ? special.user : userOf(spec);
  const verdict = authorizer.authorize(attributesOf(spec, user));
  const isAllowed = verdict.decision === "allow";
  const evaluationError = [selectorFault(spec.resourceAttributes), verdict.error]
    .filter((text) => text !== undefined)
    .join(", ");
  const status = {
    allowed: isAllowed,
    ...(verdict.decision === "deny" ? { denied: true } : {}),
    ...(verdict.reason === "" ? {} : { reason: verdict.reason }),
    ...(evaluationError === "" ? {} : { evaluationError }),
  };
  return { ...object, spec, status } as KubernetesObject;
}

function userOf({ user = "", groups = [], uid, extra }: V1SubjectAccessReviewSpec): User {
  return { name: user, groups, ...(uid === undefined ? {} : { uid }), ...(extra === undefined ? {} : { extra }) };
}

function attributesOf(
  { resourceAttributes, nonResourceAttributes }: V1SubjectAccessReviewSpec,
  user: User,
): Attributes {
  const {
    verb = "",
    group: ofGroup = "",
    version = "",
    resource = "",
    subresource = "",
    namespace = "",
    name = "",
  } = resourceAttributes ?? {};
  if (resourceAttributes !== undefined && resourceAttributes !== null)
    return { user, verb, isResource: true, group: ofGroup, version, resource, subresource, namespace, name, path: "" };
  const base = {
    user,
    isResource: false,
    group: "",
    version: "",
    resource: "",
    subresource: "",
    namespace: "",
    name: "",
  };
  return { ...base, verb: nonResourceAttributes?.verb ?? "", path: nonResourceAttributes?.path ?? "" };
}

function selectorFault(attributes: V1ResourceAttributes | undefined): string | undefined {
  const fails = (text: string | undefined, parse: (text: string) => unknown): boolean => {
    if (text === undefined || text === "") return false;
    try {
      parse(text);
      return false;
    } catch {
      return true;
    }
  };
  if (fails(attributes?.labelSelector?.rawSelector, parseLabelSelector))
    return "spec.resourceAttributes.labelSelector ignored due to parse error";
  if (fails(attributes?.fieldSelector?.rawSelector, parseFieldSelector))
    return "spec.resourceAttributes.fieldSelector ignored due to parse error";
  return undefined;
}

function subjectErrors(spec: V1SubjectAccessReviewSpec): FieldError[] {
  const errors = whatErrors(spec);
  if ((spec.user ?? "") === "" && (spec.groups ?? []).length === 0)
    errors.push(invalid("spec.user", spec.user ?? "", "at least one of user or group must be specified"));
  return errors;
}

const selfErrors = (spec: V1SubjectAccessReviewSpec): FieldError[] => whatErrors(spec);

function whatErrors({ resourceAttributes, nonResourceAttributes }: V1SubjectAccessReviewSpec): FieldError[] {
  const hasResource = resourceAttributes !== undefined && resourceAttributes !== null;
  const hasOther = nonResourceAttributes !== undefined && nonResourceAttributes !== null;
  const text = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
  if (hasResource && hasOther)
    return [
      invalid(
        "spec.nonResourceAttributes",
        nonResourceAttributes,
        `cannot be specified in combination with resourceAttributes`,
      ),
    ];
  if (!hasResource && !hasOther) return [invalid("spec.resourceAttributes", null, text)];
  return hasResource ? selectorErrors(resourceAttributes) : [];
}

interface Requirement {
  readonly key?: string;
  readonly operator?: string;
  readonly values?: readonly string[];
}

function selectorErrors({ labelSelector, fieldSelector }: V1ResourceAttributes): FieldError[] {
  const errors: FieldError[] = [];
  const check = (
    selector: { rawSelector?: string; requirements?: readonly Requirement[] } | undefined,
    path: string,
  ) => {
    if (selector === undefined) return;
    const { rawSelector = "", requirements = [] } = selector;
    if (rawSelector !== "" && requirements.length > 0)
      errors.push(invalid(`${path}.rawSelector`, rawSelector, "may not specified at the same time as requirements"));
    if (rawSelector === "" && requirements.length === 0)
      errors.push(
        required(`${path}.requirements`, `when ${path} is specified, requirements or rawSelector is required`),
      );
    for (const [index, requirement] of requirements.entries())
      errors.push(...requirementErrors(requirement, `${path}.requirements[${index}]`));
  };
  check(fieldSelector, "spec.resourceAttributes.fieldSelector");
  check(labelSelector, "spec.resourceAttributes.labelSelector");
  return errors;
}

/** Operators that are not known may come with a later client: they are let through. */
function requirementErrors({ key = "", operator, values = [] }: Requirement, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (key === "") errors.push(required(`${path}.key`, "must be specified"));
  if ((operator === "In" || operator === "NotIn") && values.length === 0)
    errors.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
  if ((operator === "Exists" || operator === "DoesNotExist") && values.length > 0)
    errors.push(forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
  return errors;
}

/** A review has no identity: everything but its managed fields (and a local one's namespace) must be empty. */
function metadataErrors({ metadata }: V1SubjectAccessReview, isLocal: boolean): FieldError[] {
  const { managedFields: _, namespace, ...rest } = metadata;
  const isEmpty = Object.keys(rest).length === 0 && (isLocal || namespace === undefined);
  return isEmpty
    ? []
    : [invalid("metadata", metadata, isLocal ? "must be empty except for namespace" : "must be empty")];
}

function localErrors({ spec, metadata }: V1SubjectAccessReview, { info }: SpecialRequest): FieldError[] {
  if (spec?.nonResourceAttributes)
    return [forbidden("spec.nonResourceAttributes", "disallowed on this kind of request")];
  const namespace = metadata.namespace ?? info.namespace;
  const wanted = spec?.resourceAttributes?.namespace ?? "";
  return wanted === namespace
    ? []
    : [invalid("spec.resourceAttributes.namespace", wanted, "must match metadata.namespace")];
}
