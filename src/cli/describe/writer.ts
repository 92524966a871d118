/** Indented lines whose tab-separated cells line up, as Go's text/tabwriter sets them (padding 2, spaces). Pure. */
import { safeText } from "#cli/table-text.ts";

const padding = 2;

export class Writer {
  #text = "";

  /** One line: `level` counts steps of two spaces; cells are separated by tabs. */
  line(level: number, text: string): void {
    this.#text += `${"  ".repeat(level)}${text}\n`;
  }

  /** Text as it is, line breaks included. */
  raw(text: string): void {
    this.#text += text;
  }

  /** With the tabs as they are. */
  unaligned(): string {
    return safeText(this.#text);
  }

  text(): string {
    return alignTabs(safeText(this.#text));
  }
}

/** A column is as wide as its widest cell among the neighbouring lines that have it; a line's last cell is in no column. */
export function alignTabs(text: string): string {
  const lines = text.split("\n").map((line) => line.split("\t"));
  const out: string[] = [];
  format(lines, 0, lines.length, [], out);
  return out.join("\n");
}

function format(lines: readonly string[][], from: number, to: number, widths: readonly number[], out: string[]): void {
  const column = widths.length;
  for (let at = from; at < to; at += 1) {
    if (column >= lines[at]!.length - 1) {
      out.push(lineText(lines[at]!, widths));
      continue;
    }
    let end = at;
    let width = 0;
    for (; end < to && column < lines[end]!.length - 1; end += 1)
      width = Math.max(width, [...lines[end]![column]!].length + padding);
    format(lines, at, end, [...widths, width], out);
    at = end - 1;
  }
}

const lineText = (cells: readonly string[], widths: readonly number[]): string =>
  cells
    .map((cell, at) => (at < cells.length - 1 ? cell.padEnd(widths[at]! + cell.length - [...cell].length) : cell))
    .join("");
