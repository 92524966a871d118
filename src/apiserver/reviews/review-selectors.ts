/**
 * Selectors of a question about rights, as the authorizers understand them. What cannot be read narrows nothing, and the
 * answer says so. Upstream: pkg/registry/authorization/util/helpers.go.
 */
import type { V1ResourceAttributes } from "#api/generated/types.ts";
import { parseFieldSelector } from "#api/field-selector.ts";
import { parseLabelSelector } from "#api/label-selector.ts";

export interface ReviewSelectors {
  /** "a=b,c!=d". */
  fieldSelector?: string;
  /** One text for each selector with a fault. */
  faults: readonly string[];
}

export function reviewSelectors({ fieldSelector, labelSelector }: V1ResourceAttributes): ReviewSelectors {
  const path = "spec.resourceAttributes";
  const faults: string[] = [];
  const raw = fieldSelector?.rawSelector ?? "";
  const terms = raw === "" ? fieldTerms(fieldSelector?.requirements ?? []) : rawTerms(raw, parseFieldSelector);
  if (terms.isFaulty) faults.push(`${path}.fieldSelector ${terms.terms.length > 0 ? "partially " : ""}${ignored}`);
  const rawLabels = labelSelector?.rawSelector ?? "";
  if (rawLabels !== "" && rawTerms(rawLabels, parseLabelSelector).isFaulty)
    faults.push(`${path}.labelSelector ${ignored}`);
  return { ...(terms.terms.length > 0 ? { fieldSelector: terms.terms.join(",") } : {}), faults };
}

const ignored = "ignored due to parse error";

interface Terms {
  terms: readonly string[];
  isFaulty: boolean;
}

function rawTerms(text: string, parse: (text: string) => unknown): Terms {
  try {
    parse(text);
    return { terms: [text], isFaulty: false };
  } catch {
    return { terms: [], isFaulty: true };
  }
}

interface Requirement {
  key: string;
  operator: string;
  values?: string[];
}

/** One value each; what later clients may say beyond that is passed over. */
function fieldTerms(requirements: readonly Requirement[]): Terms {
  const operators: Readonly<Record<string, string>> = { In: "=", NotIn: "!=" };
  const terms: string[] = [];
  let isFaulty = false;
  for (const { key, operator, values = [] } of requirements) {
    const sign = operators[operator];
    if (values.length > 1 || operator === "Exists" || operator === "DoesNotExist") isFaulty = true;
    else if (sign !== undefined) terms.push(`${key}${sign}${values[0] ?? ""}`);
  }
  return { terms, isFaulty };
}
