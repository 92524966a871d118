/** The way of every change of an existing object: PUT, the patches, apply, subresources. Upstream: store.go Update. */
import type { KubernetesObject } from "#api/object.ts";
import type { FieldError } from "#api/field-error.ts";
import type { ServedResource } from "#apiserver/catalogue.ts";
import { badRequest, conflict, notFound, unknownFailure } from "#api/status-catalogue.ts";
import { invalid, invalidObject } from "#api/validation/field-errors.ts";
import { objectMetaUpdateErrors } from "#api/validation/object-meta.ts";
import { type ObjectAnswer, objectAnswer } from "#apiserver/answer.ts";
import { attributesOf, forbidden } from "#apiserver/authz/authorizer.ts";
import type { Entry } from "#apiserver/cache/entry.ts";
import type { Operation } from "#apiserver/operation.ts";
import { validated } from "#apiserver/admission/plugin.ts";
import type { Write } from "#store/store.ts";
import { admissionFor, insertObject } from "./create.ts";
import { addWarning } from "./warnings.ts";
import { eraseObject } from "./delete.ts";
import { comparableOld, settleEmpties } from "./empties.ts";
import type { Endpoint } from "./endpoint.ts";
import { keyOf, upstreamKey } from "./keys.ts";
import { parseRevision, revisionFault } from "./list-options.ts";
import { keepTimesIfUnchanged } from "#api/apply/managed-fields.ts";
import { shownEntry } from "./stored-entries.ts";
import { withConversions } from "./custom-conversions.ts";
import { trackWrite } from "./managed-fields.ts";
import {
  checksFinalizerNames,
  clone,
  dropDuplicateOwners,
  isEqual,
  keepSystemMetadata,
  matchNamespace,
  nextGeneration,
} from "./metadata.ts";
import { managerName, writeOptions } from "./options.ts";
import { viewOf } from "./read.ts";
import { checkIncludeObject, viewEntry } from "./views.ts";
import { dryEntry, putObject, untilWritten } from "./write.ts";

export interface Change {
  /**
   * The new stored object from what is there now (undefined: nothing is). Called again when someone else was faster. The
   * result is a private copy; what is there is shared.
   */
  produce(current: KubernetesObject | undefined): KubernetesObject;
  /** Whether a missing object is created; "looks first": no, but the faults of the request are told before that. */
  allowsCreate: "yes" | "no" | "looks first";
  /** A request that must find this uid. */
  uid?: string | undefined;
}

export interface Changed {
  entry: Entry;
  isCreated: boolean;
}

/** PUT of the whole form that an endpoint shows. */
export async function replaceObject(operation: Operation, endpoint: Endpoint): Promise<ObjectAnswer> {
  const { resource, request, info } = operation;
  checkIncludeObject(viewOf(operation));
  keyOf(resource, info.namespace, info.name);
  const options = writeOptions("UpdateOptions", request.query);
  const sent = await endpoint.read(options.fieldValidation);
  checkName(operation, sent);
  dropDuplicateOwners(sent.metadata, "before", operation.warnings);
  const manager = managerName(options.fieldManager, request.header("user-agent"));
  const changed = await changeObject(operation, endpoint, {
    produce(current) {
      const form = clone(sent);
      trackWrite(operation, endpoint, current === undefined ? undefined : endpoint.formOf(current), form, manager);
      return endpoint.storedOf(form, current);
    },
    allowsCreate: endpoint.allowsCreate ? "yes" : "no",
    uid: sent.metadata.uid,
  });
  return answerChange(operation, endpoint, changed);
}

export function answerChange(operation: Operation, endpoint: Endpoint, { entry, isCreated }: Changed): ObjectAnswer {
  const code = isCreated ? 201 : 200;
  return endpoint.show === undefined
    ? viewEntry(viewOf(operation), entry, code)
    : objectAnswer(endpoint.show(entry.object), code);
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

export function changeObject(operation: Operation, endpoint: Endpoint, change: Change): Promise<Changed> {
  const { resource, info } = operation;
  const key = keyOf(resource, info.namespace, info.name);
  return untilWritten(operation, key, async () => {
    const current = await shownEntry(resource, resource.cache.get(key));
    checkUid(operation, change, current);
    if (current === undefined && change.allowsCreate === "no") throw notFound(resource.resourceName, info.name);
    const object = await withConversions(operation, () => change.produce(current?.object));
    if (current === undefined) {
      if (change.allowsCreate === "looks first") throw notFound(resource.resourceName, info.name);
      authorizeCreate(operation);
      for (const field of ["resourceVersion", "uid", "creationTimestamp"] as const) delete object.metadata[field];
      return { entry: await insertObject(operation, object), isCreated: true };
    }
    const entry = await replace(operation, endpoint, key, current, object);
    return entry && { entry, isCreated: false };
  });
}

/** A right to update alone does not allow to create. Upstream: withAuthorization. */
function authorizeCreate({ services, info, user }: Operation): void {
  const attributes = { ...attributesOf(info, user), verb: "create" };
  const verdict = services.authorizer.authorize(attributes);
  if (verdict.decision !== "allow") throw forbidden(attributes, verdict.reason);
}

function checkUid({ resource, info }: Operation, { uid }: Change, current: Entry | undefined): void {
  const found = current?.object.metadata.uid ?? "";
  if (uid === undefined || uid === "" || uid === found) return;
  const key = upstreamKey(resource, info.namespace, info.name);
  const fault = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${found}`;
  const text = `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${fault}`;
  throw conflict(resource.resourceName, info.name, text);
}

/** What admission sees of an endpoint that shows an object as another kind. */
const admissionForm = (endpoint: Endpoint) =>
  endpoint.show === undefined
    ? {}
    : {
        form: {
          of: (object: KubernetesObject) => endpoint.formOf(object),
          into: (form: KubernetesObject, object: KubernetesObject) => endpoint.storedOf(form, object),
        },
      };

/** undefined: someone else was faster. */
async function replace(
  operation: Operation,
  endpoint: Endpoint,
  key: string,
  current: Entry,
  object: KubernetesObject,
): Promise<Entry | undefined> {
  const { resource, info, services, context, warnings } = operation;
  const { definition } = resource;
  const old = comparableOld(operation, object, current.object);
  const admission = { ...admissionFor(operation, "UPDATE", object, old), ...admissionForm(endpoint) };
  await services.admission.mutate(admission);
  dropDuplicateOwners(object.metadata, "after", warnings);
  checkRevision(operation, object, current);
  matchNamespace(resource, object.metadata, info.namespace);
  keepSystemMetadata(object.metadata, old.metadata);
  const hook = services.hooks.get(resource.group, resource.plural);
  if (endpoint.isMain) hook?.fill?.(object, old, operation);
  endpoint.strategy.prepareUpdate?.(object, old, context);
  if (endpoint.isMain) nextGeneration(definition, object, old);
  const errors = [
    ...metadataErrors(resource, endpoint.strategy, object, old),
    ...(endpoint.strategy.validate?.(object, old, context) ?? []),
  ];
  if (errors.length > 0) throw invalidObject(resource.kindName, object.metadata.name ?? "", errors);
  for (const text of endpoint.strategy.warnings?.(object, old, context) ?? []) addWarning(warnings, text);
  settleEmpties(operation, object);
  const settled = { ...admission, old: current.object };
  return validated(services.admission, settled, (more) => store(operation, key, current, object, more));
}

async function store(
  operation: Operation,
  key: string,
  current: Entry,
  object: KubernetesObject,
  more: readonly Write[],
): Promise<Entry | undefined> {
  const { resource, services } = operation;
  const old = current.object;
  const hook = services.hooks.get(resource.group, resource.plural);
  // Nothing stores it; a dry run shows it.
  if (!operation.dryRun && object.metadata.selfLink !== undefined) delete object.metadata.selfLink;
  keepTimesIfUnchanged(old, object);
  if (isReleased(object, old) && hook?.isHeld?.(object) !== true)
    return eraseObject(operation, key, current, object, "update");
  if (isEqual(object, old)) return current;
  if (operation.dryRun) return dryEntry(operation, key, object, current.revision);
  const writes = [...(hook?.writes?.(object, old, operation) ?? []), ...more];
  const written = await putObject(operation, key, object, current.revision, writes);
  if (!written.ok) return undefined;
  hook?.afterWrite?.(object, old, operation);
  return written.entry;
}

/**
 * Upstream looks at an updated object's metadata again and again, and tells each fault as often as it finds it: its generic
 * code at all of it and once more at the form of labels and the like, and then the kind's.
 */
function metadataErrors(
  resource: ServedResource,
  { metadataLooks: { whole, form } = { whole: 1, form: 1 } }: Endpoint["strategy"],
  object: KubernetesObject,
  old: KubernetesObject,
): FieldError[] {
  const builtIn = checksFinalizerNames(resource);
  const changes = objectMetaUpdateErrors(object.metadata, old.metadata, { builtIn });
  if (changes.length === 0) return changes;
  const forms = changes.filter(({ field }) =>
    /^metadata\.(labels|annotations|ownerReferences|managedFields)/.test(field),
  );
  const times = (count: number, errors: FieldError[]) => Array.from({ length: count }, () => errors).flat();
  return [...times(1 + whole, changes), ...times(1 + form, forms)];
}

/** The last finalizer of an object that waits for nothing else. */
function isReleased({ metadata }: KubernetesObject, { metadata: old }: KubernetesObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = old;
  return (
    deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0 && (metadata.finalizers?.length ?? 0) === 0
  );
}

function checkRevision({ resource, info }: Operation, object: KubernetesObject, current: Entry): void {
  const { resourceVersion = "" } = object.metadata;
  const revision = resourceVersion === "" ? 0 : parseRevision(resourceVersion);
  if (revision === undefined) throw unknownFailure(revisionFault(resourceVersion));
  if (revision === 0) {
    if (resource.definition.allowUnconditionalUpdate === false) {
      const kind = { group: resource.group, kind: resource.plural };
      throw invalidObject(kind, info.name, [invalid("metadata.resourceVersion", 0, "must be specified for an update")]);
    }
    object.metadata.resourceVersion = String(current.revision);
  } else if (revision !== current.revision) throw conflict(resource.resourceName, info.name);
}
