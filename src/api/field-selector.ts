/** Field selectors: "metadata.name=a,spec.nodeName!=b". Upstream: apimachinery/pkg/fields/selector.go. */
import { compareText } from "./go-text.ts";
import { SelectorError } from "./label-selector.ts";

export interface FieldRequirement {
  field: string;
  operator: "=" | "!=";
  value: string;
}

export interface FieldSelector {
  requirements: readonly FieldRequirement[];
}

export const everyField: FieldSelector = { requirements: [] };

const operators = ["!=", "==", "="] as const;

/** Reads a selector. Throws SelectorError. Which fields exist is for the kind to say. */
export function parseFieldSelector(text: string): FieldSelector {
  if (text === "") return everyField;
  const terms = splitTerms(text).sort(compareText);
  return { requirements: terms.filter((term) => term !== "").map((term) => requirementOf(term, text)) };
}

/** Commas part terms unless a backslash stands before them. */
function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === ",") {
      terms.push(text.slice(from, at));
      from = at + 1;
    }
  }
  return [...terms, text.slice(from)];
}

function requirementOf(term: string, selector: string): FieldRequirement {
  for (let at = 0; at < term.length; at++) {
    if (term[at] === "\\") {
      at++;
      continue;
    }
    const operator = operators.find((candidate) => term.startsWith(candidate, at));
    if (operator === undefined) continue;
    const value = unescapeValue(term.slice(at + operator.length));
    return { field: term.slice(0, at), operator: operator === "!=" ? "!=" : "=", value };
  }
  throw new SelectorError(`invalid selector: '${selector}'; can't understand '${term}'`);
}

/** `\\`, `\,` and `\=` stand for themselves; a bare `=` or `,` is a fault. */
function unescapeValue(text: string): string {
  if (!/[\\,=]/.test(text)) return text;
  let value = "";
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (character === "\\") {
      const escaped = text[++at];
      if (escaped !== "\\" && escaped !== "," && escaped !== "=") {
        throw new SelectorError(`invalid field selector: invalid escape sequence: \\${escaped ?? ""}`);
      }
      value += escaped;
    } else if (character === "," || character === "=") {
      const code = character.charCodeAt(0); // upstream prints the number of the character
      throw new SelectorError(`invalid field selector: unescaped character in value: ${code}`);
    } else value += character;
  }
  return value;
}

/** `read` gives the text of a field, "" where it is absent. */
export function matchesFields(selector: FieldSelector, read: (field: string) => string): boolean {
  for (const { field, operator, value } of selector.requirements) {
    if ((read(field) === value) !== (operator === "=")) return false;
  }
  return true;
}

/** The value that a field must have, if the selector says so. */
export function requiredValue(selector: FieldSelector, field: string): string | undefined {
  return selector.requirements.find((one) => one.field === field && one.operator === "=")?.value;
}

/** The selector as text again, escaped. */
export function fieldSelectorText(selector: FieldSelector): string {
  const escape = (value: string) => value.replace(/[\\,=]/g, (one) => `\\${one}`);
  return selector.requirements.map(({ field, operator, value }) => `${field}${operator}${escape(value)}`).join(",");
}
