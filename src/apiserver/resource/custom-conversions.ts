/**
 * Owners of a custom object's fields may have named them in other versions than the request's, and then the object is
 * compared in those. Where only a webhook can convert it, the pure step that asked stops, and begins again once the
 * conversion is there. Upstream: managedfields/internal/versionconverter.go with the converters of apiextensions.
 */
import { type ManagedFieldsContext, trackUpdate } from "#api/apply/managed-fields.ts";
import { ItemKeyError } from "#api/apply/typed.ts";
import { TypedError, validateTyped } from "#api/apply/typed-validate.ts";
import { schemaOfStruct } from "#api/apply/updater.ts";
import type { KubernetesObject } from "#api/object.ts";
import { unknownFailure } from "#api/status-catalogue.ts";
import type { ServedResource } from "#apiserver/catalogue.ts";
import type { Operation } from "#apiserver/operation.ts";

/** More conversions than a request can need: two objects in each version of a kind. */
export const conversionsMax = 256;

class ConversionNeeded extends Error {
  readonly object: KubernetesObject;
  readonly apiVersion: string;

  constructor(object: KubernetesObject, apiVersion: string) {
    super(`a conversion to ${apiVersion} is needed`);
    this.object = object;
    this.apiVersion = apiVersion;
  }
}

const made = new WeakMap<Operation, Map<string, KubernetesObject>>();
const keyOf = (object: unknown, apiVersion: string): string => `${apiVersion} ${JSON.stringify(object)}`;

/** Runs a step that can be run again, until nothing is missing. */
export async function withConversions<T>(operation: Operation, step: () => T): Promise<T> {
  const known = new Map<string, KubernetesObject>();
  made.set(operation, known);
  for (;;) {
    try {
      return step();
    } catch (error) {
      if (!(error instanceof ConversionNeeded) || known.size >= conversionsMax) throw error;
      const { object, apiVersion } = error;
      const [form] = await operation.resource.custom!.converter.convert([object], apiVersion);
      known.set(keyOf(object, apiVersion), form!);
    }
  }
}

/** How the object at hand looks in the other versions of its kind. */
export function customConversions(operation: Operation): Pick<ManagedFieldsContext, "convert" | "convertBack"> {
  const { resource, services } = operation;
  const { crdName, converter } = resource.custom!;
  const versions = new Map<string, ServedResource>();
  for (const one of services.catalogue.custom())
    if (one.custom?.crdName === crdName && one !== resource) versions.set(one.apiVersion, one);
  const convert = (object: KubernetesObject, apiVersion: string): KubernetesObject => {
    if (converter.convertNow !== undefined) return converter.convertNow(object, apiVersion);
    const form = made.get(operation)?.get(keyOf(object, apiVersion));
    if (form === undefined) throw new ConversionNeeded(object, apiVersion);
    return form;
  };
  return {
    convert(object, apiVersion) {
      const other = versions.get(apiVersion);
      if (other === undefined) return undefined;
      const form = convert(object as unknown as KubernetesObject, apiVersion) as unknown as Record<string, unknown>;
      const struct = other.struct();
      try {
        validateTyped(schemaOfStruct(struct), form, { allowDuplicates: true });
      } catch (error) {
        if (!(error instanceof TypedError)) throw error;
        throw unknownFailure(`failed to convert new object: ${error.message}`);
      }
      return { struct, object: form };
    },
    convertBack(object, apiVersion) {
      if (!versions.has(apiVersion)) return undefined;
      const form = convert({ ...object, apiVersion } as unknown as KubernetesObject, resource.apiVersion);
      return form as unknown as Record<string, unknown>;
    },
  };
}

/** An object that the schema cannot follow (a set of maps, a value of the wrong type) has no owners at all. */
export function trackCustom(
  old: KubernetesObject | undefined,
  form: KubernetesObject,
  manager: string,
  context: ManagedFieldsContext,
): void {
  try {
    validateTyped(schemaOfStruct(context.struct), withoutManagedFields(form), { allowDuplicates: true });
    trackUpdate(old, form, manager, context);
  } catch (error) {
    if (!isUntypable(error)) throw error;
    delete form.metadata.managedFields;
  }
}

const isUntypable = (error: unknown): boolean =>
  error instanceof TypedError ||
  error instanceof ItemKeyError ||
  (error instanceof Error && error.message.startsWith("failed to convert new object: "));

function withoutManagedFields(object: KubernetesObject): KubernetesObject {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
