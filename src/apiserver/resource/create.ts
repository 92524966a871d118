/** POST of a collection. Upstream: handlers/create.go, registry/generic/registry/store.go Create. */
import type { KubernetesObject } from "#api/object.ts";
import { StatusError } from "#api/status-error.ts";
import { alreadyExists, forbiddenRequest, generateNameConflict, unknownFailure } from "#api/status-catalogue.ts";
import { invalidObject } from "#api/validation/field-errors.ts";
import { objectMetaErrors } from "#api/validation/object-meta.ts";
import type { ObjectAnswer } from "#apiserver/answer.ts";
import { type AdmissionRequest, validated } from "#apiserver/admission/plugin.ts";
import type { Entry } from "#apiserver/cache/entry.ts";
import type { Operation } from "#apiserver/operation.ts";
import type { Write } from "#store/store.ts";
import { settleEmpties } from "./empties.ts";
import { objectEndpoint } from "./endpoint.ts";
import { withConversions } from "./custom-conversions.ts";
import type { ResourceHook } from "./hooks.ts";
import {
  checksFinalizerNames,
  dropDuplicateOwners,
  fillSystemMetadata,
  firstGeneration,
  generateName,
  matchNamespace,
} from "./metadata.ts";
import { trackWrite } from "./managed-fields.ts";
import { managerName, writeOptions } from "./options.ts";
import { keyOf } from "./keys.ts";
import { viewOf } from "./read.ts";
import { addWarning } from "./warnings.ts";
import { checkIncludeObject, viewEntry } from "./views.ts";
import { dryEntry, putObject, writeRetriesMax } from "./write.ts";

export async function createObject(operation: Operation): Promise<ObjectAnswer> {
  const { resource, request, info } = operation;
  const view = viewOf(operation);
  checkIncludeObject(view);
  const options = writeOptions("CreateOptions", request.query);
  const endpoint = objectEndpoint(operation, resource.definition, true);
  const form = await endpoint.read(options.fieldValidation);
  matchNamespace(resource, form.metadata, info.namespace);
  dropDuplicateOwners(form.metadata, "before", operation.warnings);
  const isGenerated = nameNew(operation, form);
  const manager = managerName(options.fieldManager, request.header("user-agent"));
  await withConversions(operation, () => trackWrite(operation, endpoint, undefined, form, manager));
  const entry = await insertObject(operation, endpoint.storedOf(form, undefined), isGenerated);
  return viewEntry(view, entry, 201);
}

/** The server's own part of a new object's metadata. Says whether the name is a generated one. */
function nameNew({ services, now }: Operation, { metadata }: KubernetesObject): boolean {
  fillSystemMetadata(metadata, now);
  if ((metadata.name ?? "") !== "" || (metadata.generateName ?? "") === "") return false;
  metadata.name = generateName(metadata.generateName!, services.random);
  return true;
}

/** Takes a whole new object (a private copy) through admission and validation into the store. A generated name may change. */
export async function insertObject(
  operation: Operation,
  object: KubernetesObject,
  isNamedByServer = false,
): Promise<Entry> {
  const { resource, services, info } = operation;
  const { metadata } = object;
  if (resource.custom?.isTerminating === true) {
    const reason = "create not allowed while custom resource definition is terminating";
    throw forbiddenRequest(resource.resourceName, metadata.name ?? "", reason);
  }
  if (metadata.uid === undefined || metadata.creationTimestamp === undefined) nameNew(operation, object);
  const admission = admissionFor(operation, "CREATE", object, undefined);
  const isGenerated = await mutateNew(operation, admission, metadata, isNamedByServer);
  dropDuplicateOwners(metadata, "after", operation.warnings);
  matchNamespace(resource, metadata, info.namespace);
  const hook = services.hooks.get(resource.group, resource.plural);
  for (let attempt = 0; ; attempt += 1) {
    hook?.fill?.(object, undefined, operation);
    firstGeneration(resource.definition, object);
    resource.definition.prepareCreate?.(object, operation.context);
    checkNew(operation, object);
    settleEmpties(operation, object);
    const written = await validated(services.admission, admission, (more) => store(operation, object, hook, more));
    if (written !== undefined) return written;
    const name = metadata.name ?? "";
    const holder = holderOf(operation, object);
    if (attempt >= writeRetriesMax || (holder !== undefined && !isGenerated))
      throw isGenerated
        ? generateNameConflict(resource.resourceName, name, 1)
        : taken(alreadyExists(resource.resourceName, name), holder?.object);
    if (isGenerated) metadata.name = generateName(metadata.generateName!, services.random);
  }
}

/**
 * Who may still change the object sees nothing yet of what the server adds: its identity, and a name that is to be generated.
 * Says whether the name is a generated one still.
 */
async function mutateNew(
  { services }: Operation,
  admission: AdmissionRequest,
  metadata: KubernetesObject["metadata"],
  isGenerated: boolean,
): Promise<boolean> {
  const { name, uid, creationTimestamp } = metadata;
  delete metadata.uid;
  delete metadata.creationTimestamp;
  if (isGenerated) delete metadata.name;
  await services.admission.mutate(isGenerated ? { ...admission, name: metadata.generateName! } : admission);
  Object.assign(metadata, { uid, creationTimestamp });
  if (!isGenerated || (metadata.name ?? "") !== "") return false;
  metadata.name = name!;
  return true;
}

async function store(
  operation: Operation,
  object: KubernetesObject,
  hook: ResourceHook | undefined,
  more: readonly Write[],
): Promise<Entry | undefined> {
  const { resource } = operation;
  const key = keyOf(resource, object.metadata.namespace ?? "", object.metadata.name ?? "");
  if (resource.cache.get(key) !== undefined) return undefined;
  const { resourceVersion = "" } = object.metadata;
  const isVersion = /^[1-9]\d*$/.test(resourceVersion);
  delete object.metadata.resourceVersion;
  // Upstream's storage refuses a version, and a dry run does not get that far.
  if (operation.dryRun) return dryEntry(operation, key, object, isVersion ? Number(resourceVersion) : undefined);
  if (isVersion) throw unknownFailure("resourceVersion should not be set on objects to be created");
  const writes = [...(hook?.writes?.(object, undefined, operation) ?? []), ...more];
  const result = await putObject(operation, key, object, 0, writes);
  if (!result.ok) return undefined;
  hook?.afterWrite?.(object, undefined, operation);
  return result.entry;
}

/** The object that has the name already. */
function holderOf({ resource }: Operation, { metadata }: KubernetesObject): Entry | undefined {
  return resource.cache.get(keyOf(resource, metadata.namespace ?? "", metadata.name ?? ""));
}

/** Who waits for a name that is about to be free learns that it is. */
function taken(error: StatusError, holder: KubernetesObject | undefined): StatusError {
  if (holder?.metadata.deletionTimestamp === undefined) return error;
  return new StatusError({ ...error.status, message: `object is being deleted: ${error.status.message}` });
}

function checkNew(operation: Operation, object: KubernetesObject): void {
  const { resource, context, warnings } = operation;
  const { definition } = resource;
  const errors = [
    ...objectMetaErrors(object.metadata, {
      namespaced: resource.isNamespaced,
      nameRule: definition.validateName,
      builtIn: checksFinalizerNames(resource),
    }),
    ...(definition.validate?.(object, undefined, context) ?? []),
  ];
  if (errors.length > 0) throw invalidObject(resource.kindName, object.metadata.name ?? "", errors);
  for (const text of definition.warnings?.(object, undefined, context) ?? []) addWarning(warnings, text);
}

export function admissionFor(
  operation: Operation,
  verb: AdmissionRequest["operation"],
  object: KubernetesObject | undefined,
  old: KubernetesObject | undefined,
): AdmissionRequest {
  const { resource, info, user, dryRun, now, warnings, services } = operation;
  return {
    operation: verb,
    verb: info.verb,
    resource,
    subresource: info.subresource,
    namespace: resource.isNamespaced ? info.namespace : "",
    name: info.name === "" ? (object?.metadata.name ?? "") : info.name,
    ...(object === undefined ? {} : { object }),
    ...(old === undefined ? {} : { old }),
    operationOptions: operationOptions(operation, verb),
    user,
    dryRun,
    now,
    warnings,
    services,
    writes: [],
    settle: [],
  };
}

/** The query of a write as the options that it stands for. */
function operationOptions({ request }: Operation, verb: AdmissionRequest["operation"]): object | undefined {
  if (verb !== "CREATE" && verb !== "UPDATE") return undefined;
  const { query } = request;
  const dryRun = query.all("dryRun");
  const text = (name: string) => (query.has(name) ? { [name]: query.get(name) } : {});
  return {
    kind: verb === "CREATE" ? "CreateOptions" : "UpdateOptions",
    apiVersion: "meta.k8s.io/v1",
    ...(dryRun.length === 0 ? {} : { dryRun }),
    ...text("fieldManager"),
    ...text("fieldValidation"),
  };
}
