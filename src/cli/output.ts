/** -o: an object or a list as yaml, json, names, or by a template. Tables are the server's: see get-table.ts. */
import { readFileSync } from "node:fs";
import { goJson, withSortedKeys } from "#api/go-text.ts";
import type { KubernetesObject } from "#api/object.ts";
import { emitYaml } from "#git/render/yaml/emit.ts";
import { fromObject } from "#git/render/yaml/value.ts";
import { UsageError } from "./command.ts";
import { goTemplatePrinter } from "./go-template/print.ts";
import { columnsOfFile, customColumns, jsonPathJsonPrinter, jsonPathPrinter } from "./json-path-output.ts";
import { kyamlText } from "./kyaml.ts";

/** What prints one object (or a whole list); each call's text stands alone. */
export type Printer = (object: KubernetesObject) => string;

export const formats: readonly string[] = [
  "custom-columns",
  "custom-columns-file",
  "go-template",
  "go-template-file",
  "json",
  "jsonpath",
  "jsonpath-as-json",
  "jsonpath-file",
  "kyaml",
  "name",
  "template",
  "templatefile",
  "wide",
  "yaml",
];
/** What a command that writes knows: everything but tables and columns. */
export const writeFormats: readonly string[] = formats.filter(
  (one) => one !== "wide" && !one.startsWith("custom-columns"),
);

export const outputHelp = `Output format. One of: (${formats.join(", ")})`;

export interface PrinterOptions {
  showManagedFields?: boolean;
  /** The text of --template. */
  template?: string;
  noHeaders?: boolean;
  /** Whether fields that a template names may miss; they may unless this is false. */
  mayMiss?: boolean;
  /** Which formats the command knows. */
  allowed?: readonly string[];
  /** JSON keeps the order of the object's keys. */
  keepsOrder?: boolean;
}

const templateFormats = /^(go-template|template|jsonpath|jsonpath-as-json)(-file)?$|^(templatefile|custom-columns)$/;

/** undefined for "" and "wide": a table. Throws UsageError for what is no format. */
export function createPrinter(output: string, options: PrinterOptions = {}): Printer | undefined {
  const given = output === "" && options.template ? "go-template" : output;
  const cut = given.search(/=/);
  const named = cut < 0 ? given : given.slice(0, cut);
  const argument = cut < 0 || !templateFormats.test(named) ? (options.template ?? "") : given.slice(cut + 1);
  const format = templateFormats.test(named) ? named : given;
  const allowed = options.allowed ?? formats;
  if (format === "" || (format === "wide" && allowed.includes("wide"))) return undefined;
  const printer = allowed.includes(format) ? printerOf(format, argument, options) : undefined;
  if (printer === undefined)
    throw new UsageError(
      `unable to match a printer suitable for the output format ${JSON.stringify(format)}, allowed formats are: ${allowed.join(",")}`,
    );
  // Templates see all there is.
  const hidesManaged = ["json", "yaml", "kyaml"].includes(format) && options.showManagedFields !== true;
  return !hidesManaged ? printer : (object) => printer(withoutManagedFields(object));
}

function printerOf(
  format: string,
  argument: string,
  { noHeaders = false, keepsOrder = false, mayMiss = true }: PrinterOptions,
): Printer | undefined {
  switch (format) {
    case "json":
      return (object) => (keepsOrder ? indentedJson(object) : jsonText(object));
    case "yaml":
      return divided(yamlText);
    case "kyaml":
      return (object) => kyamlText(object);
    case "name":
      return (object) =>
        listItems(object)
          .map((item) => `${resourceWord(item)}/${item.metadata.name}\n`)
          .join("");
    case "jsonpath":
      return jsonPathPrinter(argument, mayMiss);
    case "jsonpath-file":
      return jsonPathPrinter(readFileSync(argument, "utf8"), mayMiss);
    case "jsonpath-as-json":
      return jsonPathJsonPrinter(argument);
    case "go-template":
    case "template":
      return goTemplatePrinter(argument, mayMiss);
    case "go-template-file":
    case "templatefile":
      return goTemplatePrinter(readFileSync(argument, "utf8"), mayMiss);
    case "custom-columns":
      return customColumns(argument, noHeaders);
    case "custom-columns-file":
      return customColumns(columnsOfFile(readFileSync(argument, "utf8")), noHeaders);
    default:
      return undefined;
  }
}

/** Documents of one output, "---" between them. */
function divided(print: Printer): Printer {
  let isFirst = true;
  return (object) => {
    const divider = isFirst ? "" : "---\n";
    isFirst = false;
    return `${divider}${print(object)}`;
  };
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

/** JSON as kubectl prints it: four spaces, sorted keys, no bare HTML characters. */
export const jsonText = (value: unknown): string => indentedJson(withSortedKeys(value));

function indentedJson(value: unknown): string {
  const pretty = JSON.stringify(value, null, 4);
  return `${pretty.replace(/[<>&\u2028\u2029]/g, (found) => goJson(found).slice(1, -1))}\n`;
}

/** YAML as sigs.k8s.io/yaml writes it. */
export const yamlText = (value: unknown): string => emitYaml(fromObject(value));

export function withoutManagedFields<T extends KubernetesObject>(object: T): T {
  const { items } = object as T & { items?: KubernetesObject[] };
  if (Array.isArray(items)) return { ...object, items: items.map(withoutManagedFields) };
  if (object.metadata?.managedFields === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
