/** The way of every change of an existing object: PUT, the patches, apply, subresources. Upstream: store.go Update. */
import type { KubernetesObject } from "#api/object.ts";
import type { Strategy } from "#api/resource.ts";
import { badRequest, conflict, notFound, unknownFailure } from "#api/status-catalogue.ts";
import { invalid, invalidObject } from "#api/validation/field-errors.ts";
import { objectMetaUpdateErrors } from "#api/validation/object-meta.ts";
import type { ObjectAnswer } from "#apiserver/answer.ts";
import { attributesOf, forbidden } from "#apiserver/authz/authorizer.ts";
import type { Entry } from "#apiserver/cache/entry.ts";
import type { Operation } from "#apiserver/operation.ts";
import { decodeObject } from "./body.ts";
import { addWarning, admissionFor, insertObject } from "./create.ts";
import { eraseObject } from "./delete.ts";
import { keyOf } from "./keys.ts";
import { parseRevision, revisionSyntax } from "./list-options.ts";
import { keepTimesIfUnchanged } from "#api/apply/managed-fields.ts";
import { trackWrite } from "./managed-fields.ts";
import { clone, isEqual, keepSystemMetadata, matchNamespace, nextGeneration } from "./metadata.ts";
import { managerName, writeOptions } from "./options.ts";
import { viewOf } from "./read.ts";
import { checkIncludeObject, viewEntry } from "./views.ts";
import { putObject, unwritten, writeRetriesMax } from "./write.ts";

export interface Change {
  /**
   * The new object from what is there now (undefined: nothing is). Called again when someone else was faster. The result
   * is a private copy; what is there is shared.
   */
  produce(current: KubernetesObject | undefined): KubernetesObject | Promise<KubernetesObject>;
  /** The endpoint: the main one or a subresource. */
  strategy: Strategy<KubernetesObject>;
  /** Whether a missing object is created. */
  allowCreate: boolean;
  /** The main endpoint: what is allocated is filled in and the generation counted there only. */
  isMain: boolean;
  /** A request that must find this uid. */
  uid?: string | undefined;
}

export interface Changed {
  entry: Entry;
  isCreated: boolean;
}

/** PUT of the whole object, on the main endpoint or on a subresource of the same kind. */
export async function replaceObject(
  operation: Operation,
  strategy: Strategy<KubernetesObject>,
  isMain: boolean,
): Promise<ObjectAnswer> {
  const { resource, request, info } = operation;
  const view = viewOf(operation);
  checkIncludeObject(view);
  keyOf(resource, info.namespace, info.name);
  const options = writeOptions("UpdateOptions", request.query);
  const sent = await decodeObject(operation, options.fieldValidation);
  checkName(operation, sent);
  const manager = managerName(options.fieldManager, request.header("user-agent"));
  const { entry, isCreated } = await changeObject(operation, {
    produce(current) {
      const object = clone(sent);
      trackWrite(operation, current, object, manager, strategy);
      return object;
    },
    strategy,
    allowCreate: isMain && resource.definition.allowCreateOnUpdate === true,
    isMain,
    uid: sent.metadata.uid,
  });
  return viewEntry(view, entry, isCreated ? 201 : 200);
}

/** The object must be the one that the path names. Upstream: handlers/rest.go checkName. */
export function checkName({ info, resource }: Operation, { metadata }: KubernetesObject): void {
  matchNamespace(resource, metadata, info.namespace);
  const { name = "" } = metadata;
  if (name === "")
    throw badRequest(`the name of the object (${info.name} based on URL) was undeterminable: name must be provided`);
  if (name !== info.name)
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${info.name})`);
}

export async function changeObject(operation: Operation, change: Change): Promise<Changed> {
  const { resource, info, services } = operation;
  const key = keyOf(resource, info.namespace, info.name);
  for (let attempt = 0; ; attempt += 1) {
    const current = resource.cache.get(key);
    if (current === undefined && !change.allowCreate) throw notFound(resource.resourceName, info.name);
    checkUid(operation, change, current);
    const object = await change.produce(current?.object);
    if (current === undefined) {
      authorizeCreate(operation);
      delete object.metadata.resourceVersion;
      return { entry: await insertObject(operation, object), isCreated: true };
    }
    const entry = await replace(operation, change, key, current, object);
    if (entry !== undefined) return { entry, isCreated: false };
    if (attempt >= writeRetriesMax) throw conflict(resource.resourceName, info.name);
    await services.cache.waitFor();
  }
}

/** A right to update alone does not allow to create. Upstream: withAuthorization. */
function authorizeCreate({ services, info, user }: Operation): void {
  const attributes = { ...attributesOf(info, user), verb: "create" };
  const verdict = services.authorizer.authorize(attributes);
  if (verdict.decision !== "allow") throw forbidden(attributes, verdict.reason);
}

function checkUid({ resource, info }: Operation, { uid }: Change, current: Entry | undefined): void {
  if (uid === undefined || uid === "" || current === undefined || uid === current.object.metadata.uid) return;
  const text = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.object.metadata.uid ?? ""}`;
  throw conflict(resource.resourceName, info.name, text);
}

/** undefined: someone else was faster. */
async function replace(
  operation: Operation,
  change: Change,
  key: string,
  current: Entry,
  object: KubernetesObject,
): Promise<Entry | undefined> {
  const { resource, info, services, context, warnings } = operation;
  const { definition } = resource;
  const old = current.object;
  const admission = admissionFor(operation, "UPDATE", object, old);
  await services.admission.mutate(admission);
  checkRevision(operation, object, current);
  matchNamespace(resource, object.metadata, info.namespace);
  keepSystemMetadata(object.metadata, old.metadata);
  const hook = services.hooks.get(resource.group, resource.plural);
  if (change.isMain) hook?.fill?.(object, old, operation);
  change.strategy.prepareUpdate?.(object, old, context);
  if (change.isMain) nextGeneration(definition, object, old);
  const errors = [
    ...objectMetaUpdateErrors(object.metadata, old.metadata, { builtIn: resource.custom === undefined }),
    ...(change.strategy.validate?.(object, old, context) ?? []),
  ];
  if (errors.length > 0) throw invalidObject(resource.kindName, object.metadata.name ?? "", errors);
  for (const text of change.strategy.warnings?.(object, old, context) ?? []) addWarning(warnings, text);
  await services.admission.validate(admission);
  keepTimesIfUnchanged(old, object);
  if (isReleased(object, old)) return eraseObject(operation, key, current, object);
  if (isEqual(object, old)) return current;
  if (operation.dryRun) return unwritten(key, object, current.revision);
  const written = await putObject(operation, key, object, current.revision, hook?.writes?.(object, old, operation));
  if (!written.ok) return undefined;
  hook?.afterWrite?.(object, old, operation);
  return written.entry;
}

/** The last finalizer of an object that waits for nothing else. */
function isReleased(object: KubernetesObject, old: KubernetesObject): boolean {
  return (object.metadata.finalizers?.length ?? 0) === 0 && old.metadata.deletionGracePeriodSeconds === 0;
}

function checkRevision({ resource, info }: Operation, object: KubernetesObject, current: Entry): void {
  const { resourceVersion = "" } = object.metadata;
  const revision = resourceVersion === "" ? 0 : parseRevision(resourceVersion);
  if (revision === undefined) throw unknownFailure(revisionSyntax(resourceVersion));
  if (revision === 0) {
    if (resource.definition.allowUnconditionalUpdate === false) {
      const kind = { group: resource.group, kind: resource.plural };
      throw invalidObject(kind, info.name, [invalid("metadata.resourceVersion", 0, "must be specified for an update")]);
    }
    object.metadata.resourceVersion = String(current.revision);
  } else if (revision !== current.revision) throw conflict(resource.resourceName, info.name);
}
