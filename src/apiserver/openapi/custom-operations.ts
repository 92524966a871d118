/** Operations on custom resources; they differ from built-in ones in small ways. Upstream: apiextensions-apiserver/pkg/controller/openapi/builder. */
import type { GroupVersionKind } from "./kinds.ts";
import { customTypes, metaType, type Method, naming, type Operation, withArticle } from "./operation.ts";
import {
  createOptions,
  deleteOptions,
  getOptions,
  listOptions,
  type Parameter,
  patchOptions,
  pretty,
} from "./parameters.ts";
import { pathParameters, placesOf } from "./resource-operations.ts";

export interface CustomFacts extends GroupVersionKind {
  plural: string;
  isNamespaced: boolean;
  type: string;
  hasStatus: boolean;
  hasScale: boolean;
}

const patchTypes = ["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"];
const scaleType = "io.k8s.api.autoscaling.v1.Scale";

interface Row {
  method: Method;
  action: string;
  verb: string;
  rest?: string;
  options: readonly Parameter[];
  body?: string;
  answer: string;
  codes?: readonly number[];
}

export function operationsOfCustom(resource: CustomFacts): Operation[] {
  const { everywhere, collection, item, prefix } = placesOf(resource);
  const { kind, type } = resource;
  const make = (path: string, part: string, row: Row) => operation(resource, path, part, prefix, row);
  const list: Row = { method: "get", action: "list", verb: "list", options: listOptions, answer: `${type}List` };
  const views = (path: string, part: string, shown: string) => [
    make(path, part, { method: "get", action: "get", verb: "read", options: getOptions, answer: shown }),
    make(path, part, {
      method: "put",
      action: "put",
      verb: "replace",
      options: createOptions,
      body: shown,
      answer: shown,
      codes: [201],
    }),
    make(path, part, {
      method: "patch",
      action: "patch",
      verb: "patch",
      options: patchOptions,
      body: metaType("Patch"),
      answer: shown,
    }),
  ];
  return [
    make(collection, "", list),
    make(collection, "", {
      method: "post",
      action: "post",
      verb: "create",
      options: createOptions,
      body: type,
      answer: type,
      codes: [201, 202],
    }),
    make(collection, "", {
      method: "delete",
      action: "deletecollection",
      verb: "delete",
      rest: `Collection${prefix}${kind}`,
      options: listOptions,
      answer: metaType("Status"),
    }),
    ...views(item, "", type),
    make(item, "", {
      method: "delete",
      action: "delete",
      verb: "delete",
      options: deleteOptions,
      body: metaType("DeleteOptions"),
      answer: metaType("Status"),
      codes: [202],
    }),
    ...(resource.hasStatus ? views(`${item}/status`, "status", type) : []),
    ...(resource.hasScale ? views(`${item}/scale`, "scale", scaleType) : []),
    ...(resource.isNamespaced ? [make(everywhere, "", { ...list, rest: `${kind}ForAllNamespaces` })] : []),
  ];
}

function operation(resource: CustomFacts, path: string, part: string, prefix: string, row: Row): Operation {
  const { group, kind, version } = resource;
  const { method, action, verb, options, body, answer, codes = [] } = row;
  const rest = row.rest ?? `${prefix}${kind}${part.charAt(0).toUpperCase()}${part.slice(1)}`;
  return {
    path,
    method,
    action,
    kind: { group, kind, version },
    description: describe(action, part, kind),
    ...naming(path, verb, rest),
    parameters: [...options, ...pretty, ...pathParameters(path, kind)],
    ...(body === undefined ? {} : { body: { type: body, isRequired: method !== "delete" } }),
    consumes: method === "patch" ? patchTypes : customTypes,
    produces: customTypes,
    answers: Object.fromEntries([200, ...codes].map((code) => [code, answer])),
  };
}

function describe(action: string, part: string, kind: string): string {
  const of = part === "" ? "" : `${part} of `;
  const verbs: Readonly<Record<string, string>> = {
    list: `list objects of kind ${kind}`,
    post: `create ${withArticle(kind)}`,
    deletecollection: `delete collection of ${kind}`,
    get: `read ${of}the specified ${kind}`,
    put: `replace ${of}the specified ${kind}`,
    patch: `partially update ${of}the specified ${kind}`,
    delete: `delete ${withArticle(kind)}`,
  };
  return verbs[action]!;
}
