/** What subresource handlers share: acting on a stored object outside the generic endpoints. */
import { builtInType } from "#api/schema/built-in.ts";
import type { KubernetesObject } from "#api/object.ts";
import { notFound } from "#api/status-catalogue.ts";
import type { Entry } from "#apiserver/cache/entry.ts";
import type { ServedResource } from "#apiserver/catalogue.ts";
import type { Operation } from "#apiserver/operation.ts";
import { readAs } from "#apiserver/resource/body.ts";
import { keyOf } from "#apiserver/resource/keys.ts";
import { clone } from "#apiserver/resource/metadata.ts";
import { writeOptions } from "#apiserver/resource/options.ts";
import { putObject, unwritten, untilWritten } from "#apiserver/resource/write.ts";
import type { SpecialRequest, VirtualResource } from "#apiserver/subresource.ts";

/** The request as an operation on one object of a resource. */
export function operationOn(
  special: SpecialRequest,
  resource: ServedResource,
  name: string,
  dryRun?: boolean,
): Operation {
  const { services, request, info, user, form, now, warnings } = special;
  const isDry = dryRun ?? request.query.has("dryRun");
  const context = { now, user, dryRun: isDry };
  return {
    services,
    request,
    info: { ...info, name, subresource: "" },
    user,
    resource,
    form,
    now,
    dryRun: isDry,
    context,
    warnings,
    sent: { holdsEmpties: false },
  };
}

/** A kind that is never stored, as admission knows a resource. */
export function unstored(
  { services }: SpecialRequest,
  kind: Pick<VirtualResource, "group" | "version" | "kind" | "plural" | "isNamespaced"> & { schema: string },
): ServedResource {
  const { isNamespaced, ...named } = kind;
  return services.catalogue.serve({ ...named, scope: isNamespaced ? "Namespaced" : "Cluster" })[0]!;
}

/** The body of a POST to a subresource, as the kind that it takes. */
export async function readBody<T extends KubernetesObject>(
  special: SpecialRequest,
  schema: string,
  fallbackGroup = "",
  olderVersion?: string,
): Promise<T> {
  const { request, warnings } = special;
  const options = writeOptions("CreateOptions", request.query);
  const parts = schema.split(".");
  const kind = parts.at(-1)!;
  const version = parts.at(-2)!;
  const expected = {
    group: fallbackGroup,
    version,
    kind,
    struct: builtInType(schema),
    ...(olderVersion !== undefined && { olderVersion }),
  };
  return (await readAs(request, expected, options.fieldValidation, warnings)) as T;
}

export async function entryOf(operation: Operation): Promise<Entry> {
  const { resource, info, services } = operation;
  const key = keyOf(resource, info.namespace, info.name);
  if (services.cache.revision < services.store.revision) await services.cache.waitFor();
  const entry = resource.cache.get(key);
  if (entry === undefined) throw notFound(resource.resourceName, info.name);
  return entry;
}

/** Changes a stored object without strategy and managed fields, again and again until nobody was faster. */
export function rewrite<T extends KubernetesObject>(
  operation: Operation,
  change: (object: T, entry: Entry) => void,
): Promise<Entry> {
  const { resource, info } = operation;
  return untilWritten(operation, keyOf(resource, info.namespace, info.name), async () => {
    const entry = await entryOf(operation);
    const object = clone(entry.object) as T;
    change(object, entry);
    if (operation.dryRun) return unwritten(entry.key, object, entry.revision);
    const written = await putObject(operation, entry.key, object, entry.revision);
    return written.ok ? written.entry : undefined;
  });
}

export const success = (code = 201) => ({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code });
