/** One operation of a document, before it is written as version 2 or 3 of OpenAPI, and how operations are named. */
import type { Parameter } from "./parameters.ts";
import type { GroupVersionKind } from "./kinds.ts";

export type Method = "get" | "put" | "post" | "delete" | "options" | "head" | "patch";

export interface Operation {
  path: string;
  method: Method;
  description: string;
  operationId: string;
  tags: readonly string[];
  parameters: readonly Parameter[];
  body?: { type: string; isRequired: boolean };
  consumes: readonly string[];
  produces: readonly string[];
  /** What a status code carries: a type's name, or "string". */
  answers: Readonly<Record<number, string>>;
  /** Of operations on resources. */
  action?: string;
  kind?: GroupVersionKind;
}

export const metaType = (name: string): string => `io.k8s.apimachinery.pkg.apis.meta.v1.${name}`;

export const objectTypes = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];
export const watchTypes = ["application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"];
export const anyType = ["*/*"];
export const customTypes = ["application/json", "application/yaml"];

/**
 * The id of an operation and its tag: group and version of the path come between verb and what is named.
 * Upstream: apiserver/pkg/endpoints/openapi.GetOperationIDAndTags.
 */
export function naming(path: string, verb: string, rest: string): Pick<Operation, "operationId" | "tags"> {
  const parts = path.split("/").filter((part) => part !== "");
  const [root = "", group, version] = parts[0] === "api" ? ["apis", "core", ...parts.slice(1)] : parts;
  if (root !== "apis" || group === undefined)
    return { operationId: `${verb}${identifier(rest, true)}`, tags: [identifier(root, false)] };
  const short = group.replace(/\.k8s\.io$/, "");
  const suffix = version === undefined ? "" : `_${identifier(version, false)}`;
  const place = identifier(short, true) + (version === undefined ? "" : identifier(version, true));
  return { operationId: `${verb}${place}${identifier(rest, true)}`, tags: [`${identifier(short, false)}${suffix}`] };
}

/** Letters, digits and underscores; what follows anything else is a capital. */
function identifier(text: string, isUpper: boolean): string {
  const kept = text.replace(/^\d+/, "").replace(/[^\p{L}\p{N}_]+(.?)/gu, (_, next: string) => next.toUpperCase());
  return isUpper ? kept.charAt(0).toUpperCase() + kept.slice(1) : kept;
}

/** "a Pod", "an Ingress", "Endpoints". Upstream: endpoints.GetArticleForNoun. */
export function withArticle(kind: string): string {
  if (kind.endsWith("s") && !kind.endsWith("ss")) return kind;
  return `${/^[aeiou]/i.test(kind) ? "an" : "a"} ${kind}`;
}
