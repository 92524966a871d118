/** Operations on built-in resources: collections, objects, and the old paths of watches. Upstream: endpoints/installer.go. */
import type { GroupVersionKind } from "./kinds.ts";
import {
  anyType,
  metaType,
  naming,
  objectTypes,
  type Operation,
  type Method,
  watchTypes,
  withArticle,
} from "./operation.ts";
import {
  createOptions,
  deleteCollectionOptions,
  deleteOptions,
  listOptions,
  nameOf,
  namespace,
  type Parameter,
  patchOptions,
  pretty,
} from "./parameters.ts";

/** What the operations of a resource depend on. */
export interface ResourceFacts extends GroupVersionKind {
  plural: string;
  isNamespaced: boolean;
  /** The name of its type in the documents. */
  type: string;
  allows(verb: string): boolean;
  deleteReturnsObject: boolean;
}

export const patchTypes = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/apply-patch+yaml",
];

export const rootOf = ({ group, version }: GroupVersionKind): string =>
  group === "" ? `/api/${version}` : `/apis/${group}/${version}`;

/** Where objects of a resource are, with and without a namespace. */
export function placesOf(resource: Pick<ResourceFacts, "group" | "version" | "kind" | "plural" | "isNamespaced">) {
  const root = rootOf(resource);
  const everywhere = `${root}/${resource.plural}`;
  const collection = resource.isNamespaced ? `${root}/namespaces/{namespace}/${resource.plural}` : everywhere;
  return { everywhere, collection, item: `${collection}/{name}`, prefix: resource.isNamespaced ? "Namespaced" : "" };
}

interface Sketch {
  verb: string;
  path: string;
  method: Method;
  action: string;
  operation: readonly [verb: string, rest: string];
  description: string;
  options?: readonly Parameter[];
  body?: string;
  consumes?: readonly string[];
  produces?: readonly string[];
  answer: string;
  /** Beside 200. */
  codes?: readonly number[];
}

export function resourceOperations(resource: ResourceFacts): Operation[] {
  const { everywhere, collection, item, prefix } = placesOf(resource);
  const { kind, type } = resource;
  const named = `${prefix}${kind}`;
  const list = {
    verb: "list",
    method: "get",
    action: "list",
    description: `list${resource.allows("watch") ? " or watch" : ""} objects of kind ${kind}`,
    options: listOptions,
    produces: [...objectTypes, ...(resource.allows("watch") ? watchTypes : [])],
    answer: `${type}List`,
  } as const;
  const sketches: Sketch[] = [
    { ...list, path: collection, operation: ["list", named] },
    {
      verb: "create",
      path: collection,
      method: "post",
      action: "post",
      operation: ["create", named],
      description: `create ${withArticle(kind)}`,
      options: createOptions,
      body: type,
      answer: type,
      codes: [201, 202],
    },
    {
      verb: "deletecollection",
      path: collection,
      method: "delete",
      action: "deletecollection",
      operation: ["delete", `Collection${named}`],
      description: `delete collection of ${kind}`,
      options: deleteCollectionOptions,
      body: metaType("DeleteOptions"),
      answer: metaType("Status"),
    },
    ...viewSketches(item, named, "", kind, type),
    {
      verb: "delete",
      path: item,
      method: "delete",
      action: "delete",
      operation: ["delete", named],
      description: `delete ${withArticle(kind)}`,
      options: deleteOptions,
      body: metaType("DeleteOptions"),
      answer: resource.deleteReturnsObject ? type : metaType("Status"),
      codes: [202],
    },
    ...(resource.isNamespaced
      ? [{ ...list, path: everywhere, operation: ["list", `${kind}ForAllNamespaces`] } as const]
      : []),
    ...watchSketches(resource),
  ];
  return sketches.filter(({ verb }) => resource.allows(verb)).map((sketch) => fill(sketch, resource));
}

/** Read, replace and patch, of an object or of one of its parts. */
function viewSketches(path: string, named: string, part: string, kind: string, type: string): Sketch[] {
  const what = part === "" ? `the specified ${kind}` : `${part} of the specified ${kind}`;
  const view = (verb: string, method: Method, action: string, words: string): Sketch => ({
    verb,
    path,
    method,
    action,
    operation: [action === "get" ? "read" : action === "put" ? "replace" : action, named],
    description: `${words} ${what}`,
    answer: type,
  });
  return [
    view("get", "get", "get", "read"),
    { ...view("update", "put", "put", "replace"), options: createOptions, body: type, codes: [201] },
    {
      ...view("patch", "patch", "patch", "partially update"),
      options: patchOptions,
      body: metaType("Patch"),
      consumes: patchTypes,
      codes: [201],
    },
  ];
}

/** The whole object or another kind under an object's path: status, scale, approval … */
export function viewOperations(
  resource: ResourceFacts,
  part: string,
  shown: GroupVersionKind & { type: string },
  verbs: readonly string[],
): Operation[] {
  const { item, prefix } = placesOf(resource);
  const named = `${prefix}${resource.kind}${part.charAt(0).toUpperCase()}${part.slice(1)}`;
  return viewSketches(`${item}/${part}`, named, part, resource.kind, shown.type)
    .filter(({ verb }) => verbs.includes(verb))
    .map((sketch) => fill(sketch, { ...shown, isNamespaced: resource.isNamespaced }));
}

/** A kind that is created under an object's path: binding, eviction, token. */
export function createUnder(
  resource: ResourceFacts,
  part: string,
  made: GroupVersionKind & { type: string },
): Operation[] {
  const { item, prefix } = placesOf(resource);
  const sketch: Sketch = {
    verb: "create",
    path: `${item}/${part}`,
    method: "post",
    action: "post",
    operation: ["create", `${prefix}${resource.kind}${part.charAt(0).toUpperCase()}${part.slice(1)}`],
    description: `create ${part} of ${withArticle(resource.kind)}`,
    options: createOptions,
    body: made.type,
    answer: made.type,
    codes: [201, 202],
  };
  return [fill(sketch, { ...made, isNamespaced: resource.isNamespaced })];
}

const instead = "deprecated: use the 'watch' parameter with a list operation instead";

function watchSketches(resource: ResourceFacts): Sketch[] {
  const { everywhere, collection, item, prefix } = placesOf(resource);
  const root = rootOf(resource);
  const under = (path: string) => `${root}/watch${path.slice(root.length)}`;
  const { kind } = resource;
  const watch = (path: string, action: string, rest: string, description: string): Sketch => ({
    verb: "watch",
    path: under(path),
    method: "get",
    action,
    operation: ["watch", rest],
    description,
    options: listOptions,
    produces: [...objectTypes, ...watchTypes],
    answer: metaType("WatchEvent"),
  });
  const ofList = `watch individual changes to a list of ${kind}. ${instead}.`;
  const ofOne = `watch changes to an object of kind ${kind}. ${instead}, filtered to a single item with the 'fieldSelector' parameter.`;
  return [
    watch(collection, "watchlist", `${prefix}${kind}List`, ofList),
    watch(item, "watch", `${prefix}${kind}`, ofOne),
    ...(resource.isNamespaced ? [watch(everywhere, "watchlist", `${kind}ListForAllNamespaces`, ofList)] : []),
  ];
}

function fill(sketch: Sketch, { group, version, kind }: GroupVersionKind & { isNamespaced: boolean }): Operation {
  const { path, method, action, operation, description, options = [], body, answer, codes = [] } = sketch;
  const isDelete = method === "delete";
  return {
    path,
    method,
    action,
    kind: { group, kind, version },
    description,
    ...naming(path, ...operation),
    parameters: [...options, ...pretty, ...pathParameters(path, kind)],
    ...(body === undefined ? {} : { body: { type: body, isRequired: !isDelete } }),
    consumes: sketch.consumes ?? anyType,
    produces: sketch.produces ?? objectTypes,
    answers: Object.fromEntries([200, ...codes].map((code) => [code, answer])),
  };
}

export function pathParameters(path: string, kind: string): Parameter[] {
  return [...(path.includes("/{name}") ? [nameOf(kind)] : []), ...(path.includes("/{namespace}") ? [namespace] : [])];
}
