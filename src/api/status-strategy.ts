/** Kinds of which the main endpoint writes everything but the status, and the status endpoint the status and metadata. */
import { emptyValue } from "./empty-value.ts";
import type { KubernetesObject } from "./object.ts";
import type { Strategy } from "./resource.ts";

type Field = "spec" | "status";
type WithStatus = KubernetesObject & { spec?: unknown; status?: unknown };

/** A new object has an empty status of this type ("networking.v1.IngressStatus"), an old one keeps what it has. */
export function keepsStatus<T extends WithStatus>(statusType: string): Strategy<T> {
  return {
    prepareCreate(object) {
      object.status = emptyValue(statusType);
    },
    prepareUpdate: (object, old) => carryOver(object, old, "status"),
    resetFields: [["status"]],
  };
}

export function writesStatus<T extends WithStatus>(validate: NonNullable<Strategy<T>["validate"]>): Strategy<T> {
  return {
    prepareUpdate: (object, old) => carryOver(object, old, "spec"),
    validate,
    metadataLooks: { whole: 1, form: 0 },
    resetFields: [["spec"]],
  };
}

/** Makes a field what it was before, absence included. */
export function carryOver(object: WithStatus, old: WithStatus, field: Field): void {
  if (old[field] === undefined) delete object[field];
  else object[field] = old[field];
}

const keptMeta = ["generation", "labels", "annotations", "finalizers", "ownerReferences"] as const;

/** The same for kinds whose status endpoint leaves metadata alone too. Upstream: ResetObjectMetaForStatus. */
export function keepsMeta<T extends WithStatus>(validate: NonNullable<Strategy<T>["validate"]>): Strategy<T> {
  return {
    prepareUpdate(object, old) {
      carryOver(object, old, "spec");
      keepMeta(object, old);
    },
    validate,
    resetFields: [["metadata"], ["spec"]],
  };
}

export function keepMeta({ metadata }: KubernetesObject, { metadata: old }: KubernetesObject): void {
  for (const field of keptMeta)
    if (old[field] === undefined) delete metadata[field];
    else (metadata as Record<string, unknown>)[field] = old[field];
}
