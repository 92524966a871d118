/** SubjectAccessReview and its relatives: may this user do that? Upstream: pkg/registry/authorization. */
import type { V1SubjectAccessReview, V1SubjectAccessReviewSpec } from "#api/generated/types.ts";
import type { KubernetesObject } from "#api/object.ts";
import { invalidObject } from "#api/validation/field-errors.ts";
import type { Attributes, Authorizer } from "#apiserver/authz/authorizer.ts";
import type { User } from "#apiserver/request.ts";
import type { SpecialRequest, VirtualResource } from "#apiserver/subresource.ts";
import { accessReviewErrors, type ReviewScope } from "./access-review-rules.ts";
import { reviewSelectors } from "./review-selectors.ts";
import { reviewResource } from "./review.ts";

const group = "authorization.k8s.io";
const schema = (kind: string) => `io.k8s.api.authorization.v1.${kind}`;

export function accessReviews(authorizer: Authorizer): VirtualResource[] {
  const review = (kind: string, scope: ReviewScope) =>
    reviewResource({
      group,
      version: "v1",
      kind,
      plural: `${kind.toLowerCase()}s`,
      isNamespaced: scope === "local",
      schema: schema(kind),
      check(object) {
        const errors = accessReviewErrors(object as V1SubjectAccessReview, scope);
        if (errors.length > 0) throw invalidObject({ group, kind: "" }, "", errors);
      },
      answer: (object, special) => answer(object as V1SubjectAccessReview, special, authorizer, scope),
    });
  return [
    review("LocalSubjectAccessReview", "local"),
    review("SelfSubjectAccessReview", "self"),
    review("SubjectAccessReview", "anyone"),
  ];
}

function answer(
  object: V1SubjectAccessReview,
  special: SpecialRequest,
  authorizer: Authorizer,
  scope: ReviewScope,
): KubernetesObject {
  const spec = object.spec ?? {};
  const user = scope === "self" ? special.user : userOf(spec);
  const { fieldSelector, faults } = reviewSelectors(spec.resourceAttributes ?? {});
  const asked = attributesOf(spec, user);
  const verdict = authorizer.authorize(fieldSelector === undefined ? asked : { ...asked, fieldSelector });
  const evaluationError = [...(verdict.error === undefined ? [] : [verdict.error]), ...faults].join("; ");
  const status = {
    allowed: verdict.decision === "allow",
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
