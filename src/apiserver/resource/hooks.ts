/**
 * What some resources fill in or write besides the object itself, in the same transaction: allocated addresses and ports
 * of a Service, for example. Registered by group and plural; most resources have none.
 */
import type { KubernetesObject } from "#api/object.ts";
import type { Operation } from "#apiserver/operation.ts";
import type { Write } from "#store/store.ts";
import type { DeleteOptions } from "./delete-options.ts";

export interface ResourceHook {
  /** Before the kind's own preparation and validation: fills what is allocated. A lost race runs it again. */
  fill?(object: KubernetesObject, old: KubernetesObject | undefined, operation: Operation): void;
  /** What goes into the store together with the object (`object` undefined: with its deletion). */
  writes?(object: KubernetesObject | undefined, old: KubernetesObject | undefined, operation: Operation): Write[];
  /**
   * What a DELETE begins with: "write" stores the object as this left it and ends there, "wait" leaves it as it is, "go
   * on" deletes as usual.
   */
  beginDelete?(object: KubernetesObject, operation: Operation, options: DeleteOptions): "write" | "wait" | "go on";
  /** Preconditions of a DELETE are checked by the kind itself, in words of its own. */
  checksPreconditions?: true;
  /** Something beside metadata.finalizers keeps the object from going away. */
  isHeld?(object: KubernetesObject): boolean;
  /** After the object was written, or deleted (`object` undefined); never in a dry run. */
  afterWrite?(object: KubernetesObject | undefined, old: KubernetesObject | undefined, operation: Operation): void;
}

export interface ResourceHooks {
  get(group: string, plural: string): ResourceHook | undefined;
}

export function resourceHooks(hooks: Readonly<Record<string, ResourceHook>>): ResourceHooks {
  return { get: (group, plural) => hooks[`${group}/${plural}`] };
}
