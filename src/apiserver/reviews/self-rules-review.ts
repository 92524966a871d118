/** SelfSubjectRulesReview: what may I do in this namespace? Upstream: pkg/registry/authorization/selfsubjectrulesreview. */
import type { V1PolicyRule, V1SelfSubjectRulesReview } from "#api/generated/types.ts";
import type { KubernetesObject } from "#api/object.ts";
import { badRequest } from "#api/status-catalogue.ts";
import { aggregateText } from "#api/validation/field-errors.ts";
import type { Rbac } from "#apiserver/authz/rbac.ts";
import { nodeNameOf } from "#apiserver/authz/node.ts";
import type { VirtualResource } from "#apiserver/subresource.ts";
import { reviewResource } from "./review.ts";

export function selfRulesReview(rbac: Rbac): VirtualResource {
  return reviewResource({
    group: "authorization.k8s.io",
    version: "v1",
    kind: "SelfSubjectRulesReview",
    plural: "selfsubjectrulesreviews",
    schema: "io.k8s.api.authorization.v1.SelfSubjectRulesReview",
    check(object) {
      if (((object as V1SelfSubjectRulesReview).spec?.namespace ?? "") === "")
        throw badRequest("no namespace on request");
    },
    answer(object, { user }) {
      const review = object as V1SelfSubjectRulesReview;
      const { namespace = "" } = review.spec;
      const { rules, errors } = rbac.grantedTo(user, namespace);
      const isNode = nodeNameOf(user) !== undefined;
      const faults = [
        ...(isNode ? ["node authorizer does not support user rule resolution"] : []),
        ...(errors.length === 0 ? [] : [aggregateText(errors)]),
      ];
      const status = {
        resourceRules: rules
          .filter(({ rule }) => (rule.resources ?? []).length > 0)
          .map(({ rule }) => withoutPaths(rule)),
        nonResourceRules: rules
          .filter(({ rule }) => (rule.nonResourceURLs ?? []).length > 0)
          .map(({ rule }) => ({ verbs: rule.verbs, nonResourceURLs: rule.nonResourceURLs })),
        incomplete: isNode,
        ...(faults.length === 0 ? {} : { evaluationError: aggregateText(faults) }),
      };
      return { ...review, status } as unknown as KubernetesObject;
    },
  });
}

function withoutPaths({ verbs, apiGroups, resources, resourceNames }: V1PolicyRule) {
  return { verbs, apiGroups, resources, ...(resourceNames === undefined ? {} : { resourceNames }) };
}
