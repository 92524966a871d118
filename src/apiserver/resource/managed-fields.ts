/** Who owns which field: the API machinery's rules, told about the version and endpoint of a request. */
import { formatTime } from "#lib/clock.ts";
import { type ManagedFieldsContext, trackUpdate } from "#api/apply/managed-fields.ts";
import { ItemKeyError } from "#api/apply/typed.ts";
import type { KubernetesObject } from "#api/object.ts";
import { omitEmpties } from "#api/schema/empties.ts";
import type { StructType } from "#api/schema/model.ts";
import type { Catalogue, ServedResource } from "#apiserver/catalogue.ts";
import type { Operation } from "#apiserver/operation.ts";
import { customConversions, trackCustom } from "./custom-conversions.ts";
import type { Endpoint } from "./endpoint.ts";
import { clone } from "./metadata.ts";
import { converted } from "./views.ts";

export function managedFieldsContext(operation: Operation, endpoint: Endpoint): ManagedFieldsContext {
  const { resource, info, now, services } = operation;
  const { struct, group, version, kind, resetFields, ownedFields } = endpoint;
  const versions = versionsOf(services.catalogue, resource);
  return {
    struct,
    group,
    version,
    kind,
    subresource: info.subresource,
    resetFields,
    ownedFields,
    now: formatTime(now),
    ...(versions.size < 2 ? {} : conversions(resource, versions)),
    ...(resource.custom === undefined ? {} : customConversions(operation)),
  };
}

/** Every served form of the same stored objects, by apiVersion. */
function versionsOf(catalogue: Catalogue, { definition }: ServedResource): Map<string, ServedResource> {
  if (definition.otherVersions === undefined) return new Map();
  const same = catalogue.all().filter((one) => one.definition === definition);
  return new Map(same.map((one) => [one.apiVersion, one]));
}

function conversions(own: ServedResource, versions: ReadonlyMap<string, ServedResource>) {
  const stored = (resource: ServedResource, object: KubernetesObject) =>
    resource.conversion?.toStored(object) ?? object;
  return {
    convert(object: Record<string, unknown>, apiVersion: string) {
      const other = versions.get(apiVersion);
      if (other === undefined) return undefined;
      const form = converted(other, stored(own, object as unknown as KubernetesObject));
      return { struct: other.struct(), object: form as unknown as Record<string, unknown> };
    },
    convertBack(object: Record<string, unknown>, apiVersion: string) {
      const other = versions.get(apiVersion);
      if (other === undefined) return undefined;
      return converted(own, stored(other, object as unknown as KubernetesObject)) as unknown as Record<string, unknown>;
    },
  };
}

/**
 * Sets the managed fields of `form`, which is about to replace `old` at this endpoint. An object whose list items have no
 * keys is owned by nobody. Upstream: UpdateNoErrors.
 */
export function trackWrite(
  operation: Operation,
  endpoint: Endpoint,
  old: KubernetesObject | undefined,
  form: KubernetesObject,
  manager: string,
): void {
  try {
    track(operation, endpoint, old, form, manager);
  } catch (error) {
    if (!(error instanceof ItemKeyError)) throw error;
    delete form.metadata.managedFields;
  }
}

function track(
  operation: Operation,
  endpoint: Endpoint,
  old: KubernetesObject | undefined,
  form: KubernetesObject,
  manager: string,
): void {
  const context = managedFieldsContext(operation, endpoint);
  if (operation.resource.custom !== undefined) {
    trackCustom(old, form, manager, context);
    return;
  }
  if (!operation.sent.holdsEmpties) {
    trackUpdate(old, form, manager, context);
    return;
  }
  // What JSON would not show belongs to nobody.
  const shown = clone(form);
  omitEmpties(shown, endpoint.struct);
  if (form.metadata.managedFields !== undefined) shown.metadata.managedFields = form.metadata.managedFields;
  trackUpdate(old, shown, manager, context);
  if (shown.metadata.managedFields === undefined) delete form.metadata.managedFields;
  else form.metadata.managedFields = shown.metadata.managedFields;
}

export interface UntypedTracking {
  struct: StructType;
  group: string;
  version: string;
  kind: string;
  subresource: string;
  now: number;
  object: KubernetesObject;
  manager: string;
}

/** The same for what is never stored: reviews, bindings. */
export function trackNew({ object, manager, now, ...context }: UntypedTracking): void {
  trackUpdate(undefined, object, manager, { ...context, now: formatTime(now) });
}
