/** Builds YAML trees from tokens: one document at a time, anchors known within their document, comments left out. */
import { attachComments } from "./comments.ts";
import { type Comment, Scanner, type Token, type TokenKind } from "./scanner.ts";
import type { Dialect } from "./resolve.ts";
import { resolvePlain } from "./resolve.ts";
import { YamlError } from "./yaml-error.ts";
import { quotedStyles, Style, YamlNode } from "./yaml-node.ts";

const longPrefix = "tag:yaml.org,2002:";

/** The first document of the text, undefined when there is none. Later documents are not looked at, as in go-yaml's Unmarshal. */
export function parseYaml(text: string, dialect: Dialect = "v3"): YamlNode | undefined {
  return new Composer(text, dialect).document();
}

/** The first document with its comments on the nodes they belong to, for text that is printed again. */
export function parseYamlWithComments(text: string): YamlNode | undefined {
  const composer = new Composer(text, "v3");
  const root = composer.document();
  if (root !== undefined) attachComments(root, composer.comments());
  return root;
}

interface Properties {
  readonly anchor: string;
  readonly tag: string;
  readonly isPresent: boolean;
  readonly line: number;
}

class Composer {
  readonly #scanner: Scanner;
  readonly #dialect: Dialect;
  readonly #anchors = new Map<string, YamlNode>();
  readonly #tagHandles = new Map([
    ["!", "!"],
    ["!!", longPrefix],
  ]);

  constructor(text: string, dialect: Dialect) {
    this.#scanner = new Scanner(text, dialect);
    this.#dialect = dialect;
  }

  /** The comments of the whole text. */
  comments(): readonly Comment[] {
    while (this.#scanner.peek().kind !== "stream-end") this.#scanner.take();
    return this.#scanner.comments;
  }

  document(): YamlNode | undefined {
    const scanner = this.#scanner;
    if (scanner.peek().kind === "stream-end") return undefined;
    const hasDirectives = this.#readDirectives();
    if (scanner.peek().kind === "document-start") {
      scanner.take();
      const { kind } = scanner.peek();
      const isEmpty = ["directive", "document-start", "document-end", "stream-end"].includes(kind);
      return isEmpty ? this.#emptyScalar() : this.#node(true, false);
    }
    if (hasDirectives) this.#fail("did not find expected <document start>", scanner.peek());
    return this.#node(true, false);
  }

  #readDirectives(): boolean {
    const seen = new Set<string>();
    while (this.#scanner.peek().kind === "directive") {
      const token = this.#scanner.take();
      const [handle = "", prefix = ""] = token.suffix.split(" ");
      const name = token.value === "YAML" ? "%YAML" : handle;
      if (seen.has(name)) this.#fail(`found duplicate %${token.value} directive`, token);
      seen.add(name);
      if (token.value === "TAG") this.#tagHandles.set(handle, prefix);
      else if (token.suffix !== "1.1") this.#fail("found incompatible YAML document", token);
    }
    return seen.size > 0;
  }

  #fail(problem: string, token: Token): never {
    throw new YamlError(problem, token.line + 1);
  }

  #emptyScalar(): YamlNode {
    return new YamlNode("scalar", "!!null");
  }

  #node(isBlock: boolean, isIndentless: boolean): YamlNode {
    const scanner = this.#scanner;
    const first = scanner.peek();
    if (first.kind === "alias") return this.#aliasNode(scanner.take());
    const properties = this.#properties();
    const token = scanner.peek();
    if (isIndentless && token.kind === "block-entry") return this.#indentlessSequence(properties);
    switch (token.kind) {
      case "scalar":
        return this.#scalar(scanner.take(), properties);
      case "flow-sequence-start":
        return this.#flowSequence(properties);
      case "flow-mapping-start":
        return this.#flowMapping(properties);
      case "block-sequence-start":
        if (isBlock) return this.#blockSequence(properties);
        break;
      case "block-mapping-start":
        if (isBlock) return this.#blockMapping(properties);
        break;
      default:
        break;
    }
    if (!properties.isPresent) this.#fail("did not find expected node content", token);
    return this.#scalar({ kind: "scalar", line: token.line, value: "", suffix: "", style: Style.plain }, properties);
  }

  #aliasNode(token: Token): YamlNode {
    const node = new YamlNode("alias", "", token.value);
    node.alias = this.#anchors.get(token.value);
    if (node.alias === undefined) throw new YamlError(`unknown anchor '${token.value}' referenced`);
    return node;
  }

  #properties(): Properties {
    let anchor = "";
    let tag = "";
    const { line } = this.#scanner.peek();
    let isPresent = false;
    for (const kind of this.#scanner.peek().kind === "tag"
      ? (["tag", "anchor"] as const)
      : (["anchor", "tag"] as const)) {
      if (this.#scanner.peek().kind !== kind) continue;
      isPresent = true;
      const token = this.#scanner.take();
      if (kind === "anchor") anchor = token.value;
      else tag = this.#fullTag(token);
    }
    return { anchor, tag, isPresent, line };
  }

  #fullTag(token: Token): string {
    if (token.value === "") return token.suffix;
    const prefix = this.#tagHandles.get(token.value);
    if (prefix === undefined) this.#fail("found undefined tag handle", token);
    return prefix + token.suffix;
  }

  #made(node: YamlNode, { anchor, line }: Properties): YamlNode {
    node.line = line + 1;
    if (anchor !== "") {
      node.anchor = anchor;
      this.#anchors.set(anchor, node);
    }
    return node;
  }

  #scalar(token: Token, properties: Properties): YamlNode {
    const { tag } = properties;
    const isTagged = tag !== "" && tag !== "!";
    const node = new YamlNode("scalar", "", token.value, token.style | (isTagged ? Style.tagged : 0));
    if (isTagged) node.tag = shortTag(tag);
    else if ((token.style & quotedStyles) !== 0) node.tag = "!!str";
    else if (token.value === "<<") node.tag = "!!merge";
    else node.tag = resolvePlain(token.value, this.#dialect).tag;
    return this.#made(node, properties);
  }

  #collection(kind: "mapping" | "sequence", isFlow: boolean, properties: Properties): YamlNode {
    const { tag } = properties;
    const isTagged = tag !== "" && tag !== "!";
    const node = new YamlNode(kind, isTagged ? shortTag(tag) : kind === "mapping" ? "!!map" : "!!seq");
    node.style = (isFlow ? Style.flow : 0) | (isTagged ? Style.tagged : 0);
    return this.#made(node, properties);
  }

  #blockSequence(properties: Properties): YamlNode {
    const scanner = this.#scanner;
    scanner.take();
    const node = this.#collection("sequence", false, properties);
    for (;;) {
      const token = scanner.take();
      if (token.kind === "block-end") return node;
      if (token.kind !== "block-entry") this.#fail("did not find expected '-' indicator", token);
      node.content.push(this.#nodeUnless(["block-entry", "block-end"], true, false));
    }
  }

  #indentlessSequence(properties: Properties): YamlNode {
    const node = this.#collection("sequence", false, properties);
    while (this.#scanner.peek().kind === "block-entry") {
      this.#scanner.take();
      node.content.push(this.#nodeUnless(["block-entry", "key", "value", "block-end"], true, false));
    }
    return node;
  }

  /** A node, or nothing when one of the given tokens comes first. */
  #nodeUnless(kinds: readonly TokenKind[], isBlock: boolean, isIndentless: boolean): YamlNode {
    return kinds.includes(this.#scanner.peek().kind) ? this.#emptyScalar() : this.#node(isBlock, isIndentless);
  }

  #blockMapping(properties: Properties): YamlNode {
    const scanner = this.#scanner;
    scanner.take();
    const node = this.#collection("mapping", false, properties);
    for (;;) {
      const token = scanner.take();
      if (token.kind === "block-end") return node;
      if (token.kind === "key") {
        node.content.push(this.#nodeUnless(["key", "value", "block-end"], true, true));
        if (scanner.peek().kind !== "value") node.content.push(this.#emptyScalar());
        else {
          scanner.take();
          node.content.push(this.#nodeUnless(["key", "value", "block-end"], true, true));
        }
      } else this.#fail("did not find expected key", token);
    }
  }

  #flowSequence(properties: Properties): YamlNode {
    const scanner = this.#scanner;
    scanner.take();
    const node = this.#collection("sequence", true, properties);
    for (let isFirst = true; scanner.peek().kind !== "flow-sequence-end"; isFirst = false) {
      if (!isFirst) {
        const token = scanner.take();
        if (token.kind !== "flow-entry") this.#fail("did not find expected ',' or ']'", token);
        if (scanner.peek().kind === "flow-sequence-end") break;
      }
      node.content.push(scanner.peek().kind === "key" ? this.#flowPair() : this.#node(false, false));
    }
    scanner.take();
    return node;
  }

  /** `[key: value]`: a mapping of one pair inside a flow sequence. */
  #flowPair(): YamlNode {
    const token = this.#scanner.take();
    const node = this.#collection("mapping", true, { anchor: "", tag: "", isPresent: false, line: token.line });
    node.content.push(this.#nodeUnless(["value", "flow-entry", "flow-sequence-end"], false, false));
    node.content.push(this.#flowValue(["flow-entry", "flow-sequence-end"]));
    return node;
  }

  #flowValue(ends: readonly TokenKind[]): YamlNode {
    if (this.#scanner.peek().kind !== "value") return this.#emptyScalar();
    this.#scanner.take();
    return this.#nodeUnless(ends, false, false);
  }

  #flowMapping(properties: Properties): YamlNode {
    const scanner = this.#scanner;
    scanner.take();
    const node = this.#collection("mapping", true, properties);
    for (let isFirst = true; scanner.peek().kind !== "flow-mapping-end"; isFirst = false) {
      if (!isFirst) {
        const token = scanner.take();
        if (token.kind !== "flow-entry") this.#fail("did not find expected ',' or '}'", token);
        if (scanner.peek().kind === "flow-mapping-end") break;
      }
      this.#flowMappingPair(node);
    }
    scanner.take();
    return node;
  }

  #flowMappingPair(node: YamlNode): void {
    const ends = ["flow-entry", "flow-mapping-end"] as const;
    if (this.#scanner.peek().kind !== "key") {
      node.content.push(this.#node(false, false), this.#emptyScalar());
      return;
    }
    this.#scanner.take();
    node.content.push(this.#nodeUnless(["value", ...ends], false, false));
    node.content.push(this.#flowValue(ends));
  }
}

export const shortTag = (tag: string): string =>
  tag.startsWith(longPrefix) ? `!!${tag.slice(longPrefix.length)}` : tag;
