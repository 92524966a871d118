/**
 * One way to an object: its main path, a subresource that shows the same object, or one that shows it as another kind
 * (scale). PUT, the patches and apply work on the form that an endpoint shows, whatever it is.
 */
import type { FieldValidation } from "#api/decode/decode.ts";
import type { KubernetesObject } from "#api/object.ts";
import type { Strategy } from "#api/resource.ts";
import type { StructType } from "#api/schema/model.ts";
import { applyPatch, type PatchType } from "#api/patch/patch.ts";
import { patchCustom, readCustom } from "#apiserver/crd/custom-object.ts";
import type { Operation } from "#apiserver/operation.ts";
import { addWarning } from "./warnings.ts";
import { expectedKind, readAs, toStored } from "./body.ts";
import { converted } from "./views.ts";

export interface Endpoint {
  readonly struct: StructType;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly strategy: Strategy<KubernetesObject>;
  /** What is allocated is filled in, and the generation counted, only here. */
  readonly isMain: boolean;
  readonly allowsCreate: boolean;
  readonly resetFields: Strategy<KubernetesObject>["resetFields"];
  readonly ownedFields?: Strategy<KubernetesObject>["ownedFields"];
  /** How clients see the stored object here. Read-only: it may be the stored object itself. */
  formOf(stored: KubernetesObject): KubernetesObject;
  /** The stored object that a form stands for; `form` is a private copy that may become a part of it. */
  storedOf(form: KubernetesObject, current: KubernetesObject | undefined): KubernetesObject;
  /** The request's body as a form, defaults included. */
  read(fieldValidation: FieldValidation): Promise<KubernetesObject>;
  /** The form after a client's patch, unknown fields dropped. */
  patch(type: PatchType, bytes: Uint8Array, live: KubernetesObject, fieldValidation: FieldValidation): Patched;
  /** The answer's body, where it is not the object in the form that the client negotiated. */
  show?(stored: KubernetesObject): object;
}

export interface Patched {
  object: KubernetesObject;
  warnings: readonly string[];
  /** Some list or map is there and empty. */
  holdsEmpties?: boolean;
}

export function objectEndpoint(operation: Operation, strategy: Strategy<KubernetesObject>, isMain: boolean): Endpoint {
  const { resource, request, warnings } = operation;
  const { group, version, kind, definition } = resource;
  return {
    struct: resource.struct(),
    group,
    version,
    kind,
    strategy,
    isMain,
    allowsCreate: isMain && definition.allowCreateOnUpdate === true,
    resetFields: strategy.resetFields,
    ownedFields: strategy.ownedFields,
    formOf: (stored) => converted(resource, stored),
    storedOf: (form) => toStored(resource, form),
    patch(type, bytes, live, fieldValidation) {
      if (resource.custom !== undefined && type !== "strategic")
        return patchCustom(resource, type, bytes, live, fieldValidation);
      return applyPatch(type, bytes, live, expectedKind(resource), fieldValidation);
    },
    async read(fieldValidation) {
      if (resource.custom !== undefined) {
        const form = await readCustom(request, resource, fieldValidation, (text) => addWarning(warnings, text));
        return converted(resource, toStored(resource, form));
      }
      const noteEmpties = () => void (operation.sent.holdsEmpties = true);
      const sent = await readAs(request, expectedKind(resource), fieldValidation, warnings, noteEmpties);
      // Defaults are those of the stored version; a client sees them in its own.
      return converted(resource, toStored(resource, sent));
    },
  };
}
