/** Every path that resources are served under, as operations that both versions of the document are written from. */
import type { Catalogue, ServedResource } from "#apiserver/catalogue.ts";
import type { GroupVersionKind } from "./type-schemas.ts";

export interface Operation {
  path: string;
  method: "get" | "put" | "post" | "delete" | "patch";
  action: string;
  description: string;
  operationId: string;
  tag: string;
  kind: GroupVersionKind;
  /** Type names. */
  body?: string;
  answer: string;
  created: boolean;
  /** Names of query parameters beside `pretty`. */
  query: readonly string[];
  isNamespaced: boolean;
  isNamed: boolean;
  subresource: string;
}

const meta = "io.k8s.apimachinery.pkg.apis.meta.v1";
const listQuery = [
  "allowWatchBookmarks",
  "continue",
  "fieldSelector",
  "labelSelector",
  "limit",
  "resourceVersion",
  "resourceVersionMatch",
  "sendInitialEvents",
  "timeoutSeconds",
  "watch",
];
const writeQuery = ["dryRun", "fieldManager", "fieldValidation"];
const deleteQuery = [
  "dryRun",
  "gracePeriodSeconds",
  "ignoreStoreReadErrorWithClusterBreakingPotential",
  "orphanDependents",
  "propagationPolicy",
];

export function operationsOf(catalogue: Catalogue, group: string, version: string): Operation[] {
  return catalogue
    .all()
    .filter((one) => one.group === group && one.version === version)
    .flatMap(resourceOperations);
}

/** "core_v1", "apps_v1", "rbacAuthorization_v1". */
export function tagOf(group: string, version: string): string {
  return `${camel(group)}_${version}`;
}

function camel(group: string): string {
  if (group === "") return "core";
  const parts = group.replace(/\.k8s\.io$/, "").split(".");
  return parts.map((part, at) => (at === 0 ? part : upper(part))).join("");
}

const upper = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

export const typeOf = ({ custom, schema, group, version, kind }: ServedResource): string =>
  custom === undefined ? schema : `${group.split(".").reverse().join(".")}.${version}.${kind}`;

function resourceOperations(resource: ServedResource): Operation[] {
  const { group, version, plural, kind, isNamespaced, definition } = resource;
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  const collection = `${root}${isNamespaced ? "/namespaces/{namespace}" : ""}/${plural}`;
  const item = `${collection}/{name}`;
  const type = typeOf(resource);
  const name = `${upper(camel(group))}${upper(version)}${isNamespaced ? "Namespaced" : ""}`;
  const allows = (verb: string) => definition.verbs?.includes(verb as never) ?? true;
  const base = {
    tag: tagOf(group, version),
    kind: { group, kind, version },
    isNamespaced,
    created: false,
    subresource: "",
  };
  const operations: (Operation | false)[] = [
    allows("list") && {
      ...base,
      path: collection,
      method: "get",
      action: "list",
      description: `list or watch objects of kind ${kind}`,
      operationId: `list${name}${kind}`,
      answer: `${type}List`,
      query: listQuery,
      isNamed: false,
    },
    allows("create") && {
      ...base,
      path: collection,
      method: "post",
      action: "post",
      description: `create ${article(kind)} ${kind}`,
      operationId: `create${name}${kind}`,
      body: type,
      answer: type,
      created: true,
      query: writeQuery,
      isNamed: false,
    },
    allows("deletecollection") && {
      ...base,
      path: collection,
      method: "delete",
      action: "deletecollection",
      description: `delete collection of ${kind}`,
      operationId: `delete${upper(camel(group))}${upper(version)}Collection${isNamespaced ? "Namespaced" : ""}${kind}`,
      body: `${meta}.DeleteOptions`,
      answer: `${meta}.Status`,
      query: [...new Set([...listQuery, ...deleteQuery])]
        .filter((one) => one !== "watch" && one !== "allowWatchBookmarks")
        .sort(),
      isNamed: false,
    },
    allows("get") && {
      ...base,
      path: item,
      method: "get",
      action: "get",
      description: `read the specified ${kind}`,
      operationId: `read${name}${kind}`,
      answer: type,
      query: [],
      isNamed: true,
    },
    allows("update") && {
      ...base,
      path: item,
      method: "put",
      action: "put",
      description: `replace the specified ${kind}`,
      operationId: `replace${name}${kind}`,
      body: type,
      answer: type,
      created: true,
      query: writeQuery,
      isNamed: true,
    },
    allows("patch") && {
      ...base,
      path: item,
      method: "patch",
      action: "patch",
      description: `partially update the specified ${kind}`,
      operationId: `patch${name}${kind}`,
      body: `${meta}.Patch`,
      answer: type,
      created: true,
      query: [...writeQuery, "force"],
      isNamed: true,
    },
    allows("delete") && {
      ...base,
      path: item,
      method: "delete",
      action: "delete",
      description: `delete ${article(kind)} ${kind}`,
      operationId: `delete${name}${kind}`,
      body: `${meta}.DeleteOptions`,
      answer: definition.deleteReturnsObject === true ? type : `${meta}.Status`,
      query: deleteQuery,
      isNamed: true,
    },
    isNamespaced &&
      allows("list") && {
        ...base,
        isNamespaced: false,
        path: `${root}/${plural}`,
        method: "get",
        action: "list",
        description: `list or watch objects of kind ${kind}`,
        operationId: `list${upper(camel(group))}${upper(version)}${kind}ForAllNamespaces`,
        answer: `${type}List`,
        query: listQuery,
        isNamed: false,
      },
  ];
  return [...operations.filter((one) => one !== false), ...subresourceOperations(resource, base, item, name, type)];
}

const article = (kind: string): string => (/^[AEIOU]/.test(kind) ? "an" : "a");

type Base = Pick<Operation, "tag" | "kind" | "isNamespaced" | "created" | "subresource">;

function subresourceOperations(
  { definition, kind }: ServedResource,
  base: Base,
  item: string,
  name: string,
  type: string,
): Operation[] {
  const own = [...(definition.status === undefined ? [] : ["status"]), ...Object.keys(definition.subresources ?? {})];
  const views = own.map((subresource) => ({ subresource, type, of: base.kind }));
  if (definition.scale !== undefined)
    views.push({
      subresource: "scale",
      type: "io.k8s.api.autoscaling.v1.Scale",
      of: { group: "autoscaling", kind: "Scale", version: "v1" },
    });
  return views.flatMap(({ subresource, type: shown, of }) => {
    const common = { ...base, kind: of, path: `${item}/${subresource}`, subresource, isNamed: true, answer: shown };
    const id = `${name}${kind}${upper(subresource)}`;
    const what = `${subresource} of the specified ${kind}`;
    return [
      { ...common, method: "get", action: "get", description: `read ${what}`, operationId: `read${id}`, query: [] },
      {
        ...common,
        method: "put",
        action: "put",
        description: `replace ${what}`,
        operationId: `replace${id}`,
        body: shown,
        created: true,
        query: writeQuery,
      },
      {
        ...common,
        method: "patch",
        action: "patch",
        description: `partially update ${what}`,
        operationId: `patch${id}`,
        body: `${meta}.Patch`,
        created: true,
        query: [...writeQuery, "force"],
      },
    ] satisfies Operation[];
  });
}
