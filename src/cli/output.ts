/** -o: an object or a list as yaml, json, name, jsonpath or custom columns. Tables are the server's: see get.ts. */
import { readFileSync } from "node:fs";
import { stringify } from "yaml";
import { findAll, parseJsonPath, printJsonPath, relaxedJsonPath } from "#api/json-path.ts";
import type { KubernetesObject } from "#api/object.ts";
import { UsageError } from "./command.ts";
import { tableText } from "./table-text.ts";

/** What prints one object (or a whole list); each call's text stands alone. */
export type Printer = (object: KubernetesObject) => string;

export const outputHelp =
  "Output format. One of: (json, yaml, name, jsonpath, jsonpath-as-json, jsonpath-file, custom-columns, custom-columns-file, wide)";

/** undefined for "" and "wide": a table. Throws UsageError for what is no format. */
export function createPrinter(
  output: string,
  { showManagedFields = false }: { showManagedFields?: boolean } = {},
): Printer | undefined {
  const cut = output.search(/[=]/);
  const format = cut < 0 ? output : output.slice(0, cut);
  const argument = cut < 0 ? "" : output.slice(cut + 1);
  const shown = (object: KubernetesObject) => (showManagedFields ? object : withoutManagedFields(object));
  let isFirst = true;
  switch (format) {
    case "":
    case "wide":
      return undefined;
    case "json":
      return (object) => `${JSON.stringify(sortKeys(shown(object)), null, 4)}\n`;
    case "yaml":
      return (object) => {
        const divider = isFirst ? "" : "---\n";
        isFirst = false;
        return `${divider}${yamlText(shown(object))}`;
      };
    case "name":
      return (object) =>
        listItems(object)
          .map((item) => `${resourceWord(item)}/${item.metadata.name}\n`)
          .join("");
    case "jsonpath":
      return jsonPathPrinter(argument);
    case "jsonpath-file":
      return jsonPathPrinter(readFileSync(argument, "utf8"));
    case "jsonpath-as-json": {
      const path = parseJsonPath(argument);
      return (object) => `${JSON.stringify(findAll(path, object), null, 4)}\n`;
    }
    case "custom-columns":
      return customColumns(argument);
    case "custom-columns-file": {
      const [headers = "", paths = ""] = readFileSync(argument, "utf8").split("\n");
      const names = headers.trim().split(/\s+/);
      return customColumns(
        paths
          .trim()
          .split(/\s+/)
          .map((path, at) => `${names[at]}:${path}`)
          .join(","),
      );
    }
    default:
      throw new UsageError(
        `unable to match a printer suitable for the output format "${format}", allowed formats are: custom-columns,custom-columns-file,json,jsonpath,jsonpath-as-json,jsonpath-file,name,wide,yaml`,
      );
  }
}

function jsonPathPrinter(template: string): Printer {
  if (template === "") throw new UsageError("template format specified but no template given");
  const path = parseJsonPath(template.includes("{") ? template : relaxedJsonPath(template));
  return (object) => printJsonPath(path, object);
}

function customColumns(spec: string): Printer {
  if (spec === "") throw new UsageError("custom-columns format specified but no custom columns given");
  const columns = spec.split(",").map((part) => {
    const cut = part.indexOf(":");
    if (cut < 0) throw new UsageError(`unexpected custom-columns spec: ${part}, expected <header>:<json-path-expr>`);
    return { header: part.slice(0, cut), path: parseJsonPath(relaxedJsonPath(part.slice(cut + 1))) };
  });
  return (object) => {
    const rows = listItems(object).map((item) =>
      columns.map(({ path }) => findAll(path, item).map(cell).join(",") || "<none>"),
    );
    return tableText([columns.map(({ header }) => header), ...rows]);
  };
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return "<none>";
  if (typeof value === "object")
    return Array.isArray(value)
      ? `[${value.map(cell).join(" ")}]`
      : `map[${Object.entries(value)
          .map(([key, item]) => `${key}:${cell(item)}`)
          .join(" ")}]`;
  return String(value);
}

/** "deployment.apps", "pod": how -o name and messages call an object's kind. */
export function resourceWord({ apiVersion = "", kind = "" }: KubernetesObject): string {
  const group = apiVersion.includes("/") ? apiVersion.split("/")[0]! : "";
  return `${kind.toLowerCase()}${group === "" ? "" : `.${group}`}`;
}

export function listItems(object: KubernetesObject): KubernetesObject[] {
  const { items } = object as KubernetesObject & { items?: KubernetesObject[] };
  return Array.isArray(items) ? items : [object];
}

/** YAML as sigs.k8s.io/yaml writes it: sorted keys, no wrapping of long lines. */
export function yamlText(value: unknown): string {
  return stringify(sortKeys(value), {
    lineWidth: 0,
    indentSeq: false,
    version: "1.1",
    defaultStringType: "PLAIN",
    nullStr: "null",
    aliasDuplicateObjects: false,
  });
}

export function withoutManagedFields<T extends KubernetesObject>(object: T): T {
  const { items } = object as T & { items?: KubernetesObject[] };
  if (Array.isArray(items)) return { ...object, items: items.map(withoutManagedFields) };
  if (object.metadata?.managedFields === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

export function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sortKeys(item)]),
  );
}
