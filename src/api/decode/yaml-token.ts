/** What the YAML scanner hands to the parser, and how both say what is wrong. */

export interface Mark {
  index: number;
  line: number;
  column: number;
}

export type TokenType =
  | "stream-end"
  | "directive"
  | "document-start"
  | "document-end"
  | "block-sequence-start"
  | "block-mapping-start"
  | "block-end"
  | "flow-sequence-start"
  | "flow-sequence-end"
  | "flow-mapping-start"
  | "flow-mapping-end"
  | "block-entry"
  | "flow-entry"
  | "key"
  | "value"
  | "alias"
  | "anchor"
  | "tag"
  | "scalar";

export interface Token {
  type: TokenType;
  mark: Mark;
  /** The text of a scalar, the name of an anchor, a tag. */
  text: string;
  /** A scalar without quotes, whose text may mean something else than a string. */
  isPlain: boolean;
}

export class YamlError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "YamlError";
  }
}

/** go-yaml names no first line, and its scanner counts lines from one where its parser counts from zero. */
export function scannerFault(problem: string, mark: Mark, context?: Mark): YamlError {
  if (mark.line > 0) return new YamlError(`yaml: line ${mark.line + 1}: ${problem}`);
  return new YamlError(
    context !== undefined && context.line > 0 ? `yaml: line ${context.line}: ${problem}` : `yaml: ${problem}`,
  );
}

export function parserFault(problem: string, mark: Mark, context?: Mark): YamlError {
  const line = mark.line > 0 ? mark.line : (context?.line ?? 0);
  return new YamlError(line > 0 ? `yaml: line ${line}: ${problem}` : `yaml: ${problem}`);
}
