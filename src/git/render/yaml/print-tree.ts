/** Prints a tree as go-yaml v3 does: two spaces, sequences not indented below their key, flow collections and comments kept. */
import { printScalar } from "./print-scalar.ts";
import { pairsOf } from "./fields.ts";
import { Style, type YamlNode } from "./yaml-node.ts";

export function printTree(root: YamlNode): string {
  const printer = new Printer();
  printer.document(root);
  return printer.text;
}

const isBlockCollection = (node: YamlNode): boolean =>
  (node.kind === "mapping" || node.kind === "sequence") && (node.style & Style.flow) === 0 && node.content.length > 0;

class Printer {
  text = "";

  document(root: YamlNode): void {
    this.#comment(root.headComment, "");
    if (isBlockCollection(root)) this.#block(root, "");
    else this.text += `${inline(root, "")}${lineComment(root)}\n`;
    if (root.footComment !== "") this.#comment(`\n${root.footComment}`, "");
  }

  #comment(comment: string, indent: string): void {
    if (comment === "") return;
    for (const line of comment.split("\n")) this.text += line === "" ? "\n" : `${indent}${line}\n`;
  }

  #block(node: YamlNode, indent: string, isOnLine = false): void {
    if (node.kind === "mapping") this.#mapping(node, indent, isOnLine);
    else this.#sequence(node, indent, isOnLine);
  }

  #mapping(node: YamlNode, indent: string, isOnLine: boolean): void {
    let isFirst = isOnLine;
    for (const [key, value] of pairsOf(node)) {
      this.#comment(key.headComment, isFirst ? "" : indent);
      this.text += `${isFirst ? "" : indent}${printScalar(key, `${indent}  `, true)}:`;
      isFirst = false;
      this.#value(value, key, indent);
      if (key.footComment !== "") this.#comment(`${key.footComment}\n`, indent);
    }
  }

  #value(value: YamlNode, key: YamlNode, indent: string): void {
    if (!isBlockCollection(value)) {
      this.text += ` ${inline(value, `${indent}  `)}${lineComment(value) || lineComment(key)}`.trimEnd();
      if (!this.text.endsWith("\n")) this.text += "\n";
      return;
    }
    this.text += `${` ${anchorOf(value)}`.trimEnd()}${lineComment(key)}\n`;
    const inner = value.kind === "sequence" ? indent : `${indent}  `;
    this.#comment(value.headComment, inner);
    this.#block(value, inner);
  }

  #sequence(node: YamlNode, indent: string, isOnLine: boolean): void {
    let isFirst = isOnLine;
    for (const element of node.content) {
      this.#comment(element.headComment, isFirst ? "" : indent);
      this.text += `${isFirst ? "" : indent}- `;
      isFirst = false;
      if (isBlockCollection(element)) this.#block(element, `${indent}  `, true);
      else this.text += `${inline(element, `${indent}  `)}${lineComment(element)}\n`;
      if (element.footComment !== "") this.#comment(element.footComment, indent);
    }
  }
}

const lineComment = (node: YamlNode): string => (node.lineComment === "" ? "" : ` ${node.lineComment}`);

const anchorOf = ({ anchor }: YamlNode): string => (anchor === "" ? "" : `&${anchor} `);

const inline = (node: YamlNode, indent: string): string => anchorOf(node) + bareInline(node, indent);

function bareInline(node: YamlNode, indent: string): string {
  switch (node.kind) {
    case "mapping":
      return `{${Array.from(pairsOf(node), ([key, value]) => `${printScalar(key, indent, true)}: ${inline(value, indent)}`).join(", ")}}`;
    case "sequence":
      return `[${node.content.map((element) => inline(element, indent)).join(", ")}]`;
    case "alias":
      return `*${node.value}`;
    case "scalar":
      return printScalar(node, indent);
    default:
      return "null";
  }
}
