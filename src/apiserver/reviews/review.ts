/** What all reviews share: a body of a kind that is read, answered and never stored. */
import { builtInType } from "#api/schema/built-in.ts";
import type { KubernetesObject } from "#api/object.ts";
import { type Answer, objectAnswer } from "#apiserver/answer.ts";
import { trackNew } from "#apiserver/resource/managed-fields.ts";
import { managerName, writeOptions } from "#apiserver/resource/options.ts";
import { readAs } from "#apiserver/resource/body.ts";
import type { SpecialRequest, VirtualResource } from "#apiserver/subresource.ts";

export interface ReviewKind {
  group: string;
  version: string;
  kind: string;
  plural: string;
  isNamespaced?: boolean;
  schema: string;
  /** SelfSubjectReview shows no managed fields. */
  hasManagedFields?: boolean;
  answer(object: KubernetesObject, special: SpecialRequest): Promise<KubernetesObject> | KubernetesObject;
}

export function reviewResource(kind: ReviewKind): VirtualResource {
  return {
    group: kind.group,
    version: kind.version,
    plural: kind.plural,
    singular: kind.kind.toLowerCase(),
    kind: kind.kind,
    isNamespaced: kind.isNamespaced ?? false,
    verbs: ["create"],
    methods: ["POST"],
    handle: (special) => answerReview(kind, special),
  };
}

async function answerReview(review: ReviewKind, special: SpecialRequest): Promise<Answer> {
  const { request, info, warnings } = special;
  const { group, version, kind, schema } = review;
  const options = writeOptions("CreateOptions", request.query);
  const struct = builtInType(schema);
  const object = await readAs(request, { group, version, kind, struct }, options.fieldValidation, warnings);
  if (review.isNamespaced === true) object.metadata.namespace ??= info.namespace;
  if (review.hasManagedFields !== false)
    trackNew({
      struct,
      group,
      version,
      kind,
      subresource: "",
      now: special.now,
      object,
      manager: managerName(options.fieldManager, request.header("user-agent")),
    });
  return objectAnswer(await review.answer(object, special), 201);
}
