/** Who owns which field: the API machinery's rules, told about the resource, version and endpoint of a request. */
import { formatTime } from "#lib/clock.ts";
import { type ManagedFieldsContext, trackUpdate as track } from "#api/apply/managed-fields.ts";
import type { KubernetesObject } from "#api/object.ts";
import type { Strategy } from "#api/resource.ts";
import type { StructType } from "#api/schema/model.ts";
import type { Catalogue, ServedResource } from "#apiserver/catalogue.ts";
import type { Operation } from "#apiserver/operation.ts";
import { converted } from "./views.ts";

export function managedFieldsContext(
  { resource, info, now, services }: Operation,
  strategy: Strategy<KubernetesObject>,
): ManagedFieldsContext {
  const { group, version, kind } = resource;
  const versions = versionsOf(services.catalogue, resource);
  return {
    struct: resource.struct(),
    group,
    version,
    kind,
    subresource: info.subresource,
    resetFields: strategy.resetFields,
    now: formatTime(now),
    ...(versions.size < 2 ? {} : conversions(resource, versions)),
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

/** Sets the managed fields of `object`, a stored form that is about to replace `old`. */
export function trackWrite(
  operation: Operation,
  old: KubernetesObject | undefined,
  object: KubernetesObject,
  manager: string,
  strategy: Strategy<KubernetesObject>,
): void {
  const { resource } = operation;
  const context = managedFieldsContext(operation, strategy);
  if (resource.conversion === undefined) {
    track(old, object, manager, context);
    return;
  }
  const form = converted(resource, object);
  track(old === undefined ? undefined : converted(resource, old), form, manager, context);
  const { managedFields } = form.metadata;
  if (managedFields === undefined) delete object.metadata.managedFields;
  else object.metadata.managedFields = managedFields;
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
  track(undefined, object, manager, { ...context, now: formatTime(now) });
}
