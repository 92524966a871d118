/**
 * The text of a quoted or block scalar after go-yaml v3 printed it and read it again. It is the same text but for two quirks:
 * folded blocks gain line breaks around more-indented lines, and a literal block that begins with a tab cannot be read back.
 */
import { RenderError } from "#git/render/render-error.ts";
import { Cursor, isBlankOrEnd, isBreak } from "./cursor.ts";
import { analyzeScalar } from "./scalar-analysis.ts";
import { scanBlock } from "./scalar-scanner.ts";
import { Style, type YamlNode } from "./yaml-node.ts";

export function reprintedText(node: YamlNode): string {
  const { value, style } = node;
  if ((style & (Style.double | Style.single)) !== 0) return value;
  if (!analyzeScalar(value, false).isBlockAllowed) return value;
  if ((style & Style.folded) !== 0) return refolded(value);
  if (value.startsWith("\t") && value.includes("\n"))
    throw new RenderError("yaml: found a tab character where an indentation space is expected");
  return value;
}

function refolded(value: string): string {
  if (value === "") return value;
  return scanBlock(new Cursor(printFolded(value, "  ")), 0, false);
}

/** The folded form, with go-yaml's slip: it looks for further breaks at the start of the text, not where it stands. */
export function printFolded(value: string, indent: string): string {
  let printed = `>${blockHints(value)}\n`;
  let wasBreak = true;
  let isIndented = true;
  const startBreaks = /^[\n\r\x85\u2028\u2029]*/.exec(value)![0].length;
  const isSecondBreakPut = !isBlankOrEnd(value.charCodeAt(startBreaks));
  for (let index = 0; index < value.length; index += 1) {
    const code = value.charCodeAt(index);
    if (isBreak(code)) {
      if (!wasBreak && !isIndented && code === 0x0a && isSecondBreakPut) printed += "\n";
      printed += value[index];
      wasBreak = true;
    } else {
      if (wasBreak) {
        printed += indent;
        isIndented = code === 0x20 || code === 0x09;
      }
      printed += value[index];
      wasBreak = false;
    }
  }
  return printed;
}

/** Indentation and chomping indicators of a block scalar. */
export function blockHints(value: string): string {
  const first = value.charCodeAt(0);
  const indentHint = first === 0x20 || isBreak(first) ? "2" : "";
  if (value === "" || !isBreak(value.charCodeAt(value.length - 1))) return `${indentHint}-`;
  const isKept = value.length === 1 || isBreak(value.charCodeAt(value.length - 2));
  return isKept ? `${indentHint}+` : indentHint;
}
