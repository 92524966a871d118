/** KYAML: the part of YAML that is hard to misread. Braces and brackets, quoted texts, bare keys where that is safe. Pure. */
import { compareText } from "#api/go-text.ts";

/** A document, its "---" included. */
export const kyamlText = (value: unknown): string => `---\n${node(value, 0)}\n`;

const pad = (level: number) => "  ".repeat(level);

function node(value: unknown, level: number): string {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return list(value, level);
  if (typeof value === "object") return mapping(value as Record<string, unknown>, level);
  return typeof value === "string" ? text(value, level) : String(value);
}

function mapping(value: Record<string, unknown>, level: number): string {
  const keys = Object.keys(value).sort(compareText);
  if (keys.length === 0) return "{}";
  const lines = keys.map((key) => `${pad(level + 1)}${keyText(key)}: ${node(value[key], level + 1)},\n`);
  return `{\n${lines.join("")}${pad(level)}}`;
}

function list(values: readonly unknown[], level: number): string {
  if (values.length === 0) return "[]";
  const isNested = values.every((one) => typeof one === "object" && one !== null);
  if (isNested) return `[${values.map((one) => node(one, level)).join(", ")}]`;
  return `[\n${values.map((one) => `${pad(level + 1)}${node(one, level + 1)},\n`).join("")}${pad(level)}]`;
}

/** Several lines become one quoted text with an escaped break at the end of each. */
function text(value: string, level: number): string {
  if (!value.includes("\n")) return JSON.stringify(value);
  const lines = value.split("\n").map((line) =>
    JSON.stringify(line)
      .slice(1, -1)
      .replace(/^(?=[ \t])/, "\\"),
  );
  const last = lines.pop() ?? "";
  const indent = `${pad(level)}    `;
  return `"\\\n${lines.map((line) => `${indent} ${line}\\n\\\n`).join("")}${indent}${last === "" ? "" : ` ${last}`}"`;
}

const ambiguous = /^(true|false|yes|no|on|off|y|n|null|~)$/i;
const keyText = (key: string): string =>
  /^[A-Za-z_][\w./-]*$/.test(key) && !ambiguous.test(key) ? key : JSON.stringify(key);
