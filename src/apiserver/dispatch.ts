/**
 * From a resource path to the operation that serves it. One generic handler for every kind; subresources that are more
 * than a view of their object have a handler of their own. Status codes of misses are upstream's (go-restful's router).
 */
import type { Strategy } from "#api/resource.ts";
import type { KubernetesObject } from "#api/object.ts";
import { badRequest, methodNotSupported, notFound, pathNotFound } from "#api/status-catalogue.ts";
import { failure } from "#api/status-error.ts";
import { admitConnection } from "./admission/connect.ts";
import { type Answer, pageNotFound } from "./answer.ts";
import type { ServedResource } from "./catalogue.ts";
import { checkRoute, type Form, negotiate } from "./http/negotiate.ts";
import type { Operation, Services } from "./operation.ts";
import type { RequestInfo } from "./request-info.ts";
import type { ServerRequest, User } from "./request.ts";
import { createObject } from "./resource/create.ts";
import { deleteCollection } from "./resource/delete-collection.ts";
import { deleteObject } from "./resource/delete.ts";
import { objectEndpoint } from "./resource/endpoint.ts";
import { patchObject } from "./resource/patch.ts";
import { getObject, listObjects } from "./resource/read.ts";
import { getScale, scaleEndpoint } from "./resource/scale.ts";
import { replaceObject } from "./resource/update.ts";
import { addWarning } from "./resource/warnings.ts";
import { watchObjects } from "./resource/watch.ts";
import type { SpecialHandler, SubresourceHandlers, VirtualResource } from "./subresource.ts";

export interface DispatchTables {
  virtual: readonly VirtualResource[];
  subresources: SubresourceHandlers;
}

export interface Caller {
  services: Services;
  request: ServerRequest;
  info: RequestInfo;
  user: User;
  now: number;
}

export interface Dispatched {
  answer: Answer;
  form: Form;
}

export const methodNotAllowed = () =>
  failure(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {});

const objectForms = ["Table", "PartialObjectMetadata"] as const;
const listForms = ["Table", "PartialObjectMetadataList"] as const;
const watchForms = ["Table", "PartialObjectMetadata", "PartialObjectMetadataList"] as const;

export async function dispatch(caller: Caller, tables: DispatchTables): Promise<Dispatched> {
  const { info, services } = caller;
  checkSpecialVerb(caller);
  const virtual = tables.virtual.find(
    (one) => one.group === info.group && one.version === info.version && one.plural === info.resource,
  );
  if (virtual !== undefined && info.verb === "watch") throw pathNotFound();
  if (virtual !== undefined) return dispatchVirtual(caller, virtual);
  const resource = services.catalogue.find(info.group, info.version, info.resource);
  if (resource === undefined) {
    const isKnownGroup =
      services.catalogue.hasGroup(info.group) || tables.virtual.some(({ group }) => group === info.group);
    const isCustomGroup = services.catalogue.custom().some(({ group }) => group === info.group);
    if (!isKnownGroup || isCustomGroup) return noPage();
    throw pathNotFound();
  }
  if (resource.custom !== undefined && !isInScope(info, resource)) return noPage();
  checkScope(info, resource);
  if (info.subresource !== "") return dispatchSubresource(caller, resource, tables);
  return info.name === "" || isCollectionPath(info)
    ? dispatchCollection(caller, resource)
    : dispatchObject(caller, resource);
}

const noPage = (): Dispatched => ({ answer: pageNotFound(), form: negotiate(undefined, false, { as: [] }) });

/** The path has no name of its own: a name that came from a field selector does not make it an object's path. */
const isCollectionPath = (info: RequestInfo) => info.parts.length < 2;

const acrossNamespaces = new Set(["list", "watch"]);

/** Upstream's handler of custom resources passes on what is not for their scope, and nobody comes after it. */
const isInScope = ({ namespace, verb }: RequestInfo, { isNamespaced }: ServedResource): boolean =>
  isNamespaced ? namespace !== "" || acrossNamespaces.has(verb) : namespace === "";

function checkScope(info: RequestInfo, resource: ServedResource): void {
  const isNamespacePath = info.namespace !== "" && info.resource !== "namespaces";
  if (info.parts.length > 3 && info.subresource !== "proxy") throw pathNotFound();
  if (!resource.isNamespaced && isNamespacePath) throw pathNotFound();
  if (resource.isNamespaced && info.namespace === "" && info.parts.length > 1) throw pathNotFound();
}

/** Paths that begin with a verb: `watch` has objects and collections to look at, `proxy` has nothing any more. */
function checkSpecialVerb({ request, info }: Caller): void {
  if (info.verb === "proxy" || (info.verb === "watch" && info.parts.length > 2)) throw pathNotFound();
  if (info.verb === "watch" && request.method !== "GET") throw methodNotAllowed();
}

function operationOf(caller: Caller, resource: ServedResource, form: Form): Operation {
  const { services, request, info, user, now } = caller;
  const dryRun = request.query.has("dryRun");
  const deprecation = resource.custom?.deprecationOf(resource.version) ?? resource.definition.deprecation;
  const warnings = deprecation === undefined ? [] : [deprecation];
  const warn = (text: string) => addWarning(warnings, text);
  const context = { now, user, dryRun, group: resource.group, warn };
  return {
    services,
    request,
    info,
    user,
    resource,
    form,
    now,
    dryRun,
    context,
    warnings,
    sent: { holdsEmpties: false },
  };
}

async function dispatchCollection(caller: Caller, resource: ServedResource): Promise<Dispatched> {
  const { request, info } = caller;
  const allows = (verb: "list" | "create" | "deletecollection" | "watch") =>
    resource.definition.verbs?.includes(verb) ?? true;
  const isWhole = resource.isNamespaced && info.namespace === "";
  switch (request.method) {
    case "GET":
      if (!allows("list")) throw methodNotAllowed();
      return info.verb === "watch" ? watch(caller, resource) : list(caller, resource);
    case "POST":
      if (isWhole || !allows("create")) throw methodNotAllowed();
      return answered(caller, resource, objectForms, createObject);
    case "DELETE":
      if (isWhole || !allows("deletecollection")) throw methodNotAllowed();
      return answered(caller, resource, listForms, deleteCollection);
    default:
      // Custom resources have no routes: their handlers look for what they need.
      if (resource.custom !== undefined && viewMethods.has(request.method)) throw badRequest("name must be provided");
      throw methodNotAllowed();
  }
}

function list(caller: Caller, resource: ServedResource): Promise<Dispatched> {
  checkRoute(caller.request.header("accept"), true);
  return answered(caller, resource, listForms, listObjects, true);
}

async function watch(caller: Caller, resource: ServedResource): Promise<Dispatched> {
  const accept = caller.request.header("accept");
  checkRoute(accept, true);
  const form = negotiate(accept, false, { as: watchForms, watch: true, isUntyped: resource.custom !== undefined });
  return { answer: watchObjects(operationOf(caller, resource, form)), form };
}

async function dispatchObject(caller: Caller, resource: ServedResource): Promise<Dispatched> {
  const allows = (verb: "get" | "update" | "patch" | "delete") => resource.definition.verbs?.includes(verb) ?? true;
  switch (caller.request.method) {
    case "GET":
      if (!allows("get")) throw methodNotAllowed();
      if (caller.info.verb === "watch") return watch(caller, resource);
      return answered(caller, resource, objectForms, getObject);
    case "PUT":
      if (!allows("update")) throw methodNotAllowed();
      return answered(caller, resource, objectForms, (operation) =>
        replaceObject(operation, objectEndpoint(operation, resource.definition, true)),
      );
    case "PATCH":
      if (!allows("patch")) throw methodNotAllowed();
      return answered(caller, resource, objectForms, (operation) =>
        patchObject(operation, objectEndpoint(operation, resource.definition, true)),
      );
    case "DELETE":
      if (!allows("delete")) throw methodNotAllowed();
      return answered(caller, resource, objectForms, deleteObject);
    default:
      throw methodNotAllowed();
  }
}

async function dispatchSubresource(
  caller: Caller,
  resource: ServedResource,
  tables: DispatchTables,
): Promise<Dispatched> {
  const { request, info } = caller;
  const { definition } = resource;
  const special = tables.subresources.get(`${definition.group}/${definition.plural}/${info.subresource}`);
  if (special !== undefined) return dispatchSpecial(caller, resource, special);
  if (info.subresource === "scale" && definition.scale !== undefined) return dispatchScale(caller, resource);
  const strategy = strategyOf(resource, info.subresource);
  if (strategy === undefined)
    throw resource.custom === undefined ? pathNotFound() : notFound(resource.resourceName, info.name);
  if (resource.custom !== undefined && !viewMethods.has(request.method))
    throw methodNotSupported(resource.resourceName, info.verb);
  switch (request.method) {
    case "GET":
      return answered(caller, resource, objectForms, getObject);
    case "PUT":
      return answered(caller, resource, objectForms, (operation) =>
        replaceObject(operation, objectEndpoint(operation, strategy, false)),
      );
    case "PATCH":
      return answered(caller, resource, objectForms, (operation) =>
        patchObject(operation, objectEndpoint(operation, strategy, false)),
      );
    default:
      throw methodNotAllowed();
  }
}

function strategyOf({ definition }: ServedResource, subresource: string): Strategy<KubernetesObject> | undefined {
  return subresource === "status" ? definition.status : definition.subresources?.[subresource];
}

const viewMethods = new Set(["GET", "PUT", "PATCH"]);

async function dispatchScale(caller: Caller, resource: ServedResource): Promise<Dispatched> {
  if (resource.custom !== undefined && !viewMethods.has(caller.request.method))
    throw methodNotSupported(resource.resourceName, caller.info.verb);
  switch (caller.request.method) {
    case "GET":
      return answered(caller, resource, ["Table"], getScale);
    case "PUT":
      return answered(caller, resource, [], (operation) => replaceObject(operation, scaleEndpoint(operation)));
    case "PATCH":
      return answered(caller, resource, [], (operation) => patchObject(operation, scaleEndpoint(operation)));
    default:
      throw methodNotAllowed();
  }
}

async function answered(
  caller: Caller,
  resource: ServedResource,
  forms: readonly Form["as"][],
  act: (operation: Operation) => Promise<Answer>,
  isRouteChecked = false,
): Promise<Dispatched> {
  const { request } = caller;
  const accept = request.header("accept");
  if (!isRouteChecked) checkRoute(accept, false);
  const form = negotiate(accept, isPretty(request), { as: forms, isUntyped: resource.custom !== undefined });
  const operation = operationOf(caller, resource, form);
  try {
    const answer = await act(operation);
    if (answer.type !== "object" || operation.warnings.length === 0) return { answer, form };
    return { answer: { ...answer, warnings: operation.warnings }, form };
  } catch (error) {
    throw withWarnings(error, operation.warnings);
  }
}

/** Go's strconv.ParseBool. */
const trueTexts = new Set(["1", "t", "T", "TRUE", "true", "True"]);
/** Programs behind which people sit. */
const humanAgent = /^(?:curl|Wget|Mozilla\/5\.0)/;

export function isPretty(request: ServerRequest): boolean {
  const pretty = request.query.get("pretty") ?? "";
  return pretty === "" ? humanAgent.test(request.header("user-agent") ?? "") : trueTexts.has(pretty);
}

/** Warnings that were found before a failure still reach the client. */
function withWarnings(error: unknown, warnings: readonly string[]): unknown {
  if (error instanceof Error && warnings.length > 0) warningsOf.set(error, warnings);
  return error;
}

export const warningsOf = new WeakMap<Error, readonly string[]>();

async function dispatchVirtual(caller: Caller, virtual: VirtualResource): Promise<Dispatched> {
  const { info } = caller;
  if (virtual.isNamespaced ? info.parts.length > 1 && info.namespace === "" : info.namespace !== "")
    throw pathNotFound();
  return dispatchSpecial(caller, undefined, virtual);
}

async function dispatchSpecial(
  caller: Caller,
  resource: ServedResource | undefined,
  handler: SpecialHandler,
): Promise<Dispatched> {
  const { services, request, info, user, now } = caller;
  if (!handler.methods.includes(request.method)) throw methodNotAllowed();
  const form = handler.methods.includes("GET") ? streamForm(request) : writtenForm(request);
  const warnings: string[] = [];
  const special = { services, request, info, user, resource, form, now, warnings };
  try {
    const connects = handler.connectOptions?.(special);
    if (connects !== undefined) await admitConnection(special, connects);
    const answer = await handler.handle(special);
    return { answer: answer.type === "object" && warnings.length > 0 ? { ...answer, warnings } : answer, form };
  } catch (error) {
    throw withWarnings(error, warnings);
  }
}

/** Reviews, bindings and their like are answered with an object, of which there are no tables. */
function writtenForm(request: ServerRequest): Form {
  const accept = request.header("accept");
  checkRoute(accept, false);
  return negotiate(accept, isPretty(request), { as: [] });
}

/** Streams and proxied answers have types of their own: what they cannot be negotiated to is plain JSON. */
function streamForm(request: ServerRequest): Form {
  try {
    return negotiate(request.header("accept"), isPretty(request), { as: [] });
  } catch {
    return negotiate(undefined, isPretty(request), { as: [] });
  }
}
