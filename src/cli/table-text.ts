/** Columns as kubectl aligns them: three spaces between, at least six wide, nothing behind the last. Pure. */
const paddingWidth = 3;
const columnWidthMin = 6;

/** Lines, each ended by a newline. Tabs and line breaks inside a cell are shown escaped. */
export function tableText(rows: readonly (readonly string[])[]): string {
  const clean = rows.map((row) => row.map(cellText));
  const widths: number[] = [];
  for (const row of clean) {
    for (const [at, cell] of row.entries()) {
      if (at === row.length - 1) continue;
      widths[at] = Math.max(widths[at] ?? columnWidthMin, width(cell) + paddingWidth);
    }
  }
  return clean
    .map(
      (row) =>
        `${row.map((cell, at) => (at === row.length - 1 ? cell : cell + " ".repeat(widths[at]! - width(cell)))).join("")}\n`,
    )
    .join("");
}

/** Terminal escape sequences in object fields must not reach the terminal (CVE-2021-25743). */
export function safeText(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, (char) => (char === "\u001b" ? "^[" : ""));
}

function cellText(cell: string): string {
  return safeText(
    cell.replace(/[\n\r\t\f]/g, (char) => ({ "\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f" })[char]!),
  );
}

const width = (text: string): number => [...text].length;
