/**
 * What some resources write besides the object itself, in the same transaction: allocated addresses and ports of a
 * Service, for example. Registered by group and plural; most resources have none.
 */
import type { KubernetesObject } from "#api/object.ts";
import type { Operation } from "#apiserver/operation.ts";
import type { Write } from "#store/store.ts";

export interface ResourceHook {
  /** Before validation: fills what is allocated. The writes go with the object's; a lost race runs the hook again. */
  beforeWrite?(object: KubernetesObject, old: KubernetesObject | undefined, operation: Operation): Promise<Write[]>;
  /** What goes away together with the object. */
  beforeDelete?(object: KubernetesObject, operation: Operation): Promise<Write[]>;
  /** After the object was written or deleted for good (never in a dry run). */
  afterWrite?(object: KubernetesObject, old: KubernetesObject | undefined, operation: Operation): void;
}

export interface ResourceHooks {
  get(group: string, plural: string): ResourceHook | undefined;
}
