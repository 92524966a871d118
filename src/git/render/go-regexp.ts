/** Patterns as Go has them: no backtracking, so that a pattern from a repository cannot stall the renderer. */
import { RE2JS } from "re2js";
import { RenderError } from "./render-error.ts";

export interface Pattern {
  /** Whether the pattern is found anywhere in the text. */
  isFoundIn(text: string): boolean;
}

export function goPattern(source: string): Pattern {
  try {
    const compiled = RE2JS.compile(source);
    return { isFoundIn: (text) => compiled.matcher(text).find() };
  } catch (error) {
    throw new RenderError(`error parsing regexp: ${(error as Error).message}`, { cause: error });
  }
}

const literalPattern = /^[A-Za-z0-9_/-]*$/;

/** A pattern that must match the whole text; an empty one matches everything. */
export function wholePattern(source: string): Pattern {
  if (source === "") return { isFoundIn: () => true };
  if (literalPattern.test(source)) return { isFoundIn: (text) => text === source };
  return goPattern(`^(?:${source})$`);
}
