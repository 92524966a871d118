/** TokenReview: whose token is this? SelfSubjectReview: who am I? Upstream: pkg/registry/authentication. */
import { formatTime } from "#lib/clock.ts";
import type { V1SelfSubjectReview, V1TokenReview } from "#api/generated/types.ts";
import type { KubernetesObject } from "#api/object.ts";
import { badRequest } from "#api/status-catalogue.ts";
import { type ServiceAccountTokens, TokenError } from "#apiserver/authn/service-account.ts";
import type { User } from "#apiserver/request.ts";
import type { VirtualResource } from "#apiserver/subresource.ts";
import { reviewResource } from "./review.ts";

const group = "authentication.k8s.io";

export function tokenReview(tokens: ServiceAccountTokens): VirtualResource {
  return reviewResource({
    group,
    version: "v1",
    kind: "TokenReview",
    plural: "tokenreviews",
    schema: "io.k8s.api.authentication.v1.TokenReview",
    check(object) {
      if (((object as V1TokenReview).spec?.token ?? "") === "")
        throw badRequest("token is required for TokenReview in authentication");
    },
    async answer(object, { warnings }) {
      const { token, audiences } = (object as V1TokenReview).spec;
      return { ...object, status: await statusOf(tokens, token!, audiences, warnings) } as KubernetesObject;
    },
  });
}

async function statusOf(
  tokens: ServiceAccountTokens,
  token: string,
  audiences: readonly string[] | undefined,
  warnings: string[],
) {
  try {
    const wanted = audiences !== undefined && audiences.length > 0 ? audiences : undefined;
    const found = await tokens.identify(token, wanted, warnings);
    return { authenticated: true, user: userInfo(found.user), audiences: found.audiences };
  } catch (error) {
    const text = "invalid bearer token";
    return { user: {}, error: error instanceof TokenError ? `[${text}, ${error.message}]` : text };
  }
}

export function userInfo({ name, uid, groups, extra }: User) {
  return {
    username: name,
    ...(uid === undefined ? {} : { uid }),
    ...(groups.length === 0 ? {} : { groups }),
    ...(extra === undefined || Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

export const selfSubjectReview: VirtualResource = reviewResource({
  group,
  version: "v1",
  kind: "SelfSubjectReview",
  plural: "selfsubjectreviews",
  schema: "io.k8s.api.authentication.v1.SelfSubjectReview",
  hasManagedFields: false,
  answer(object, { user, now }) {
    const review = object as V1SelfSubjectReview;
    const metadata = { ...review.metadata, creationTimestamp: formatTime(now) };
    return { ...review, metadata, status: { userInfo: userInfo(user) } } as KubernetesObject;
  },
});
