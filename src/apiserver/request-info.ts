/** What a path and a method ask for. Upstream: apiserver/pkg/endpoints/request/requestinfo.go. */
import { trimEnd, trimStart } from "#lib/trim.ts";
import { parseFieldSelector, requiredValue } from "#api/field-selector.ts";
import { SelectorError } from "#api/label-selector.ts";
import type { Query } from "./request.ts";

export interface RequestInfo {
  path: string;
  isResource: boolean;
  /** Lower-case method for non-resource paths. */
  verb: string;
  prefix: string;
  group: string;
  version: string;
  namespace: string;
  resource: string;
  subresource: string;
  name: string;
  /** Of reads of a collection: authorization may look at it. */
  fieldSelector: string;
  /** Path segments from the resource on. */
  parts: readonly string[];
}

const verbsByMethod: Readonly<Record<string, string>> = {
  POST: "create",
  GET: "get",
  HEAD: "get",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};
const namespaceSubresources = new Set(["status", "finalize"]);
const specialVerbs = new Set(["proxy", "watch"]);

/** `path` is decoded already. */
export function requestInfo(method: string, path: string, query: Query): RequestInfo {
  const info: RequestInfo = {
    path,
    isResource: false,
    verb: method.toLowerCase(),
    prefix: "",
    group: "",
    version: "",
    namespace: "",
    resource: "",
    subresource: "",
    name: "",
    fieldSelector: "",
    parts: [],
  };
  let parts = splitPath(path);
  if (parts.length < 3 || (parts[0] !== "api" && parts[0] !== "apis")) return info;
  info.prefix = parts[0];
  parts = parts.slice(1);
  if (info.prefix === "apis") {
    if (parts.length < 3) return info;
    info.group = parts[0]!;
    parts = parts.slice(1);
  }
  info.isResource = true;
  info.version = parts[0]!;
  parts = parts.slice(1);
  if (specialVerbs.has(parts[0]!) && parts.length > 1) {
    info.verb = parts[0]!;
    parts = parts.slice(1);
  } else info.verb = verbsByMethod[method] ?? "";
  if (parts[0] === "namespaces" && parts.length > 1) {
    info.namespace = parts[1]!;
    if (parts.length > 2 && !namespaceSubresources.has(parts[2]!)) parts = parts.slice(2);
  }
  info.parts = parts;
  info.resource = parts[0] ?? "";
  info.name = parts[1] ?? "";
  if (!specialVerbs.has(info.verb)) info.subresource = parts[2] ?? "";
  if (info.name === "" && info.verb === "get") asCollection(info, query);
  if (info.name === "" && info.verb === "delete") info.verb = "deletecollection";
  info.fieldSelector = query.get("fieldSelector") ?? "";
  return info;
}

/** Reads of a collection; a field selector that pins the name counts as the name for authorization. */
function asCollection(info: RequestInfo, query: Query): void {
  info.verb = query.flag("watch") === true ? "watch" : "list";
  const pinned = exactName(query.get("fieldSelector"));
  if (pinned !== undefined && pinned !== "." && pinned !== ".." && !/[/%]/.test(pinned)) info.name = pinned;
}

/** Read by the parser that later selects: another reading of commas and backslashes would let a name through that is not asked for. */
function exactName(selector: string | undefined): string | undefined {
  if (selector === undefined || !selector.includes("metadata.name")) return undefined;
  try {
    return requiredValue(parseFieldSelector(selector), "metadata.name");
  } catch (error) {
    if (error instanceof SelectorError) return undefined;
    throw error;
  }
}

function splitPath(path: string): string[] {
  const trimmed = trimEnd(trimStart(path, "/"), "/");
  return trimmed === "" ? [] : trimmed.split("/");
}
