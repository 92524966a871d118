/** A CEL expression as a tree, and how what is wrong with it is told. Upstream: google/cel-go common/ast, common/error.go. */

export interface CelFault {
  /** Place in the expression, in UTF-16 units; -1: the whole. */
  offset: number;
  text: string;
}

export type Node = { offset: number } & (
  | { kind: "literal"; value: bigint | number | string | boolean | null | Uint8Array; unsigned?: boolean }
  | { kind: "identifier"; name: string }
  | { kind: "select"; operand: Node; field: string; isOptional: boolean; isTest: boolean }
  | { kind: "call"; name: string; target: Node | undefined; args: Node[] }
  | { kind: "list"; items: Node[]; optional: ReadonlySet<number> }
  | { kind: "map"; entries: { key: Node; value: Node; isOptional: boolean; offset: number }[] }
  | { kind: "struct"; name: string; entries: { key: string; value: Node; isOptional: boolean; offset: number }[] }
  | { kind: "loop"; macro: string; range: Node; variables: string[]; bodies: Node[] }
  | { kind: "bind"; macro: "optMap" | "optFlatMap" | "bind"; range: Node; variable: string; body: Node }
);

/** What an expression is made of. */
export function childrenOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case "select":
      return [node.operand];
    case "call":
      return node.target === undefined ? node.args : [node.target, ...node.args];
    case "list":
      return node.items;
    case "map":
      return node.entries.flatMap(({ key, value }) => [key, value]);
    case "struct":
      return node.entries.map(({ value }) => value);
    case "loop":
      return [node.range, ...node.bodies];
    case "bind":
      return [node.range, node.body];
    default:
      return [];
  }
}

/** "a.b.c" of names and selections only. */
export function qualifiedName(node: Node): string | undefined {
  if (node.kind === "identifier") return node.name;
  if (node.kind !== "select" || node.isTest || node.isOptional) return undefined;
  const operand = qualifiedName(node.operand);
  return operand === undefined ? undefined : `${operand}.${node.field}`;
}

/** One fault as cel-go shows it: place, text, the line and a mark below it. */
export function faultText({ offset, text }: CelFault, source: string): string {
  if (offset < 0) return `ERROR: <input>:-1:0: ${text}`;
  const before = source.slice(0, offset);
  const line = before.split("\n").length;
  const start = before.lastIndexOf("\n") + 1;
  const column = Array.from(before.slice(start)).length;
  const shown = source.slice(start).split("\n")[0]!;
  return `ERROR: <input>:${line}:${column + 1}: ${text}\n | ${shown}\n | ${".".repeat(column)}^`;
}
