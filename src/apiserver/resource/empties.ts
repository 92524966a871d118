/**
 * Lists and maps that a body holds and that are empty: there for defaults and validation, gone before anything is written.
 * Only requests whose body has some come to do anything here.
 */
import type { KubernetesObject } from "#api/object.ts";
import { builtInType } from "#api/schema/built-in.ts";
import { dropEmpties, omitEmpties, withEmptiesOf } from "#api/schema/empties.ts";
import type { Operation } from "#apiserver/operation.ts";

/** Groups that upstream stores as JSON, which keeps what protobuf cannot: an empty list where there is always a list. */
const storedAsJson = new Set(["apiextensions.k8s.io", "apiregistration.k8s.io"]);

/** The stored object as the store will have it, in place. */
export function settleEmpties({ sent, resource }: Operation, object: KubernetesObject): void {
  if (!sent.holdsEmpties || resource.custom !== undefined) return;
  const struct = builtInType(resource.definition.schema);
  if (storedAsJson.has(resource.group)) omitEmpties(object, struct);
  else dropEmpties(object, struct);
}

/** What is there now, for comparisons in which an absent list and an empty one are the same. */
export function comparableOld(
  { sent, resource }: Operation,
  object: KubernetesObject,
  old: KubernetesObject,
): KubernetesObject {
  if (!sent.holdsEmpties || resource.custom !== undefined) return old;
  return withEmptiesOf(old, object, builtInType(resource.definition.schema));
}
