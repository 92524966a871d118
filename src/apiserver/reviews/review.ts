/** What all reviews share: a body of a kind that is read, let through by admission, answered and never stored. */
import { builtInType } from "#api/schema/built-in.ts";
import type { KubernetesObject } from "#api/object.ts";
import { badRequest } from "#api/status-catalogue.ts";
import { type Answer, objectAnswer } from "#apiserver/answer.ts";
import { admissionFor } from "#apiserver/resource/create.ts";
import { trackNew } from "#apiserver/resource/managed-fields.ts";
import { managerName, writeOptions } from "#apiserver/resource/options.ts";
import { readAs } from "#apiserver/resource/body.ts";
import type { SpecialRequest, VirtualResource } from "#apiserver/subresource.ts";
import { operationOn, unstored } from "#apiserver/subresources/support.ts";

export interface ReviewKind {
  group: string;
  version: string;
  kind: string;
  plural: string;
  isNamespaced?: boolean;
  schema: string;
  /** SelfSubjectReview shows no managed fields. */
  hasManagedFields?: boolean;
  /** Throws StatusError for what is no question. */
  check?(object: KubernetesObject): void;
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

/** What a client cannot say of an object of its own. Upstream: WipeObjectMetaSystemFields. */
function wipeSystemFields({ metadata }: KubernetesObject): void {
  for (const field of ["creationTimestamp", "uid", "deletionTimestamp", "deletionGracePeriodSeconds"] as const)
    delete metadata[field];
}

/** Upstream: EnsureObjectNamespaceMatchesRequestNamespace. */
function placeIn({ metadata }: KubernetesObject, namespace: string): void {
  if (namespace === "") delete metadata.namespace;
  else if ((metadata.namespace ?? "") === "") metadata.namespace = namespace;
  else if (metadata.namespace !== namespace)
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
}

async function answerReview(review: ReviewKind, special: SpecialRequest): Promise<Answer> {
  const { request, info, warnings, services } = special;
  const { group, version, kind, plural, schema, isNamespaced = false } = review;
  const options = writeOptions("CreateOptions", request.query);
  const struct = builtInType(schema);
  const object = await readAs(request, { group, version, kind, struct }, options.fieldValidation, warnings);
  wipeSystemFields(object);
  placeIn(object, isNamespaced ? info.namespace : "");
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
  const resource = unstored(special, { group, version, kind, plural, isNamespaced, schema });
  const admission = admissionFor(operationOn(special, resource, ""), "CREATE", object, undefined);
  await services.admission.mutate(admission);
  review.check?.(object);
  await services.admission.validate(admission);
  return objectAnswer(await review.answer(object, special), 201);
}
