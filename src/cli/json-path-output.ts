/** -o jsonpath, jsonpath-as-json and custom-columns. */
import { compareText, goQuote, goValue, withSortedKeys } from "#api/go-text.ts";
import { JsonPathError, findAll, parseJsonPath, printJsonPath, relaxedJsonPath } from "#api/json-path.ts";
import type { KubernetesObject } from "#api/object.ts";
import { UsageError } from "./command.ts";
import { tableText } from "./table-text.ts";

type Print = (object: KubernetesObject) => string;

export function jsonPathPrinter(template: string, mayMiss = true): Print {
  if (template === "") throw new UsageError("template format specified but no template given");
  // A text without braces is no path here.
  if (!template.includes("{")) return () => template;
  const path = parsed(template);
  return (object) => {
    const data = withSortedKeys(object);
    try {
      return printJsonPath(path, data, mayMiss ? "keys" : false);
    } catch (error) {
      if (!(error instanceof JsonPathError)) throw error;
      throw new UsageError(
        `error executing jsonpath ${JSON.stringify(template)}: Error executing template: ${error.message}. Printing more information for debugging the template:\n\ttemplate was:\n\t\t${template}\n\tobject given to jsonpath engine was:\n\t\t${goSyntax(data)}\n\n`,
      );
    }
  };
}

export function jsonPathJsonPrinter(template: string): Print {
  const path = parsed(template);
  return (object) => `${JSON.stringify(findAll(path, withSortedKeys(object)), null, 4)}\n`;
}

function parsed(template: string) {
  try {
    return parseJsonPath(template);
  } catch (error) {
    if (!(error instanceof JsonPathError)) throw error;
    throw new UsageError(`error parsing jsonpath ${template}, ${error.message}`);
  }
}

/** `%#v` of what a JSON document decodes to. */
export function goSyntax(value: unknown): string {
  if (value === null || value === undefined) return "interface {}(nil)";
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(", ")}}`;
  if (typeof value === "object") {
    const fields = Object.keys(value)
      .sort(compareText)
      .map((key) => `${goQuote(key)}:${goSyntax((value as Record<string, unknown>)[key])}`);
    return `map[string]interface {}{${fields.join(", ")}}`;
  }
  return typeof value === "string" ? goQuote(value) : String(value);
}

export function customColumns(spec: string, noHeaders: boolean): Print {
  if (spec === "") throw new UsageError("custom-columns format specified but no custom columns given");
  const columns = spec.split(",").map((part) => {
    const cut = part.indexOf(":");
    if (cut < 0) throw new UsageError(`unexpected custom-columns spec: ${part}, expected <header>:<json-path-expr>`);
    return { header: part.slice(0, cut), path: parseJsonPath(relaxedJsonPath(part.slice(cut + 1))) };
  });
  return (object) => {
    const { items = [object] } = object as KubernetesObject & { items?: KubernetesObject[] };
    const rows = items.map((item) =>
      columns.map(({ path }) => findAll(path, item).map(cellText).join(",") || "<none>"),
    );
    return tableText(noHeaders ? rows : [columns.map(({ header }) => header), ...rows]);
  };
}

const cellText = (value: unknown): string => (value === null || value === undefined ? "<none>" : goValue(value));

/** A file of two lines, headers and paths, as one specification. */
export function columnsOfFile(text: string): string {
  const [headers = "", paths = ""] = text.split("\n");
  const names = headers.trim().split(/\s+/);
  return paths
    .trim()
    .split(/\s+/)
    .map((path, at) => `${names[at]}:${path}`)
    .join(",");
}
