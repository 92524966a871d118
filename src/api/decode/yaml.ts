/**
 * YAML as sigs.k8s.io/yaml reads it: version 1.1 words (yes, on, 0777), keys become strings, a repeated key is reported and
 * the last one wins, aliases may not multiply without end. Only the first document counts. Texts are go-yaml's.
 */
import { parseJson } from "./json.ts";
import { JsonSyntaxError } from "./json-value.ts";
import { Members, mergeKey } from "./yaml-members.ts";
import { type ReaderFault, readYamlText } from "./yaml-reader.ts";
import { YamlScanner } from "./yaml-scanner.ts";
import { type Mark, type Token, type TokenType, YamlError, parserFault } from "./yaml-token.ts";
import { plainValue, taggedValue } from "./yaml-words.ts";

export { YamlError } from "./yaml-token.ts";

export interface YamlDocument {
  /** As parseJson gives it. */
  value: unknown;
  /** At most one: "yaml: unmarshal errors:\n  line 5: key "k" already set in map". */
  errors: string[];
}

/** Throws YamlError. */
export function parseYaml(bytes: Uint8Array): YamlDocument {
  const { text, fault } = readYamlText(bytes);
  return (fault === undefined ? parseAsJson(text) : undefined) ?? new YamlParser(text, fault).document();
}

/** Programs send JSON where YAML is asked for; it means the same and is read faster. */
function parseAsJson(text: string): YamlDocument | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    const { value, duplicates } = parseJson(Buffer.from(text));
    return duplicates === undefined ? { value, errors: [] } : undefined;
  } catch (error) {
    if (error instanceof JsonSyntaxError) return undefined;
    throw error;
  }
}

/** go-yaml's guard against aliases of aliases: how much of what was read may come from aliases. */
const aliasFreeNodes = 100;
const smallDocumentNodes = 1000;
const aliasRatioLow = { nodes: 400_000, ratio: 0.99 };
const aliasRatioHigh = { nodes: 4_000_000, ratio: 0.1 };

function allowedAliasRatio(nodes: number): number {
  if (nodes <= aliasRatioLow.nodes) return aliasRatioLow.ratio;
  if (nodes >= aliasRatioHigh.nodes) return aliasRatioHigh.ratio;
  const share = (nodes - aliasRatioLow.nodes) / (aliasRatioHigh.nodes - aliasRatioLow.nodes);
  return aliasRatioLow.ratio - (aliasRatioLow.ratio - aliasRatioHigh.ratio) * share;
}

interface Anchored {
  value: unknown;
  nodes: number;
  isOpen: boolean;
}

class YamlParser {
  readonly #scanner: YamlScanner;
  readonly #anchors = new Map<string, Anchored>();
  readonly #repeated: string[] = [];
  #nodes = 0;
  #aliased = 0;

  constructor(text: string, fault: ReaderFault | undefined) {
    this.#scanner = new YamlScanner(text, fault);
  }

  document(): YamlDocument {
    while (this.#is("document-end") || this.#is("directive")) this.#scanner.next();
    if (this.#is("document-start")) this.#scanner.next();
    const isEmpty = this.#is("stream-end") || this.#is("document-start") || this.#is("document-end");
    const value = isEmpty ? null : this.#node(true, false, false);
    if (this.#repeated.length === 0) return { value, errors: [] };
    return { value, errors: [`yaml: unmarshal errors:\n${this.#repeated.map((line) => `  ${line}`).join("\n")}`] };
  }

  #is(type: TokenType): boolean {
    return this.#scanner.peek().type === type;
  }

  /** Nodes of aliases count as often as they are named. */
  #count(nodes: number, isAlias: boolean): void {
    this.#nodes += nodes;
    if (isAlias) this.#aliased += nodes;
    if (this.#aliased <= aliasFreeNodes || this.#nodes <= smallDocumentNodes) return;
    if (this.#aliased / this.#nodes > allowedAliasRatio(this.#nodes)) {
      throw new YamlError("yaml: document contains excessive aliasing");
    }
  }

  /** `isIndentless`: a list as a value may stand at the column of its key. */
  #node(isBlock: boolean, isIndentless: boolean, isKey: boolean): unknown {
    this.#count(1, false);
    const first = this.#scanner.peek();
    if (first.type === "alias") return this.#alias(this.#scanner.next());
    let anchor: string | undefined;
    let tag: string | undefined;
    while (this.#is("anchor") || this.#is("tag")) {
      const { type, text } = this.#scanner.next();
      if (type === "anchor") anchor = text;
      else tag = text;
    }
    const hasProperties = anchor !== undefined || tag !== undefined;
    const content = () => this.#content(isBlock, isIndentless, isKey, tag, hasProperties, first.mark);
    if (anchor === undefined) return content();
    const anchored: Anchored = { value: null, nodes: this.#nodes, isOpen: true };
    this.#anchors.set(anchor, anchored);
    anchored.value = content();
    anchored.nodes = this.#nodes - anchored.nodes + 1;
    anchored.isOpen = false;
    return anchored.value;
  }

  #alias({ text }: Token): unknown {
    const anchored = this.#anchors.get(text);
    if (anchored === undefined) throw new YamlError(`yaml: unknown anchor '${text}' referenced`);
    if (anchored.isOpen) throw new YamlError(`yaml: anchor '${text}' value contains itself`);
    this.#count(anchored.nodes, true);
    return anchored.value;
  }

  #content(
    isBlock: boolean,
    isIndentless: boolean,
    isKey: boolean,
    tag: string | undefined,
    hasProperties: boolean,
    start: Mark,
  ): unknown {
    const { type, mark } = this.#scanner.peek();
    if (type === "scalar") return this.#scalar(this.#scanner.next(), tag, isKey);
    if (type === "flow-sequence-start") return this.#flowSequence();
    if (type === "flow-mapping-start") return this.#flowMapping();
    if (isIndentless && type === "block-entry") return this.#indentlessSequence();
    if (isBlock && type === "block-sequence-start") return this.#blockSequence();
    if (isBlock && type === "block-mapping-start") return this.#blockMapping();
    if (hasProperties) return null;
    throw parserFault("did not find expected node content", mark, start);
  }

  #scalar({ text, isPlain }: Token, tag: string | undefined, isKey: boolean): unknown {
    if (tag !== undefined && tag !== "!") return taggedValue(tag, text);
    if (!isPlain || tag === "!") return text;
    return isKey && text === "<<" ? mergeKey : plainValue(text);
  }

  #blockSequence(): unknown[] {
    const list: unknown[] = [];
    const start = this.#scanner.next().mark;
    while (this.#is("block-entry")) {
      this.#scanner.next();
      list.push(this.#is("block-entry") || this.#is("block-end") ? null : this.#node(true, false, false));
    }
    if (!this.#is("block-end")) {
      throw parserFault("did not find expected '-' indicator", this.#scanner.peek().mark, start);
    }
    this.#scanner.next();
    return list;
  }

  #indentlessSequence(): unknown[] {
    const list: unknown[] = [];
    while (this.#is("block-entry")) {
      this.#scanner.next();
      list.push(this.#is("block-entry") || this.#isBlockPartEnd() ? null : this.#node(true, false, false));
    }
    return list;
  }

  #isBlockPartEnd(): boolean {
    return this.#is("key") || this.#is("value") || this.#is("block-end");
  }

  #blockMapping(): Record<string, unknown> {
    const members = new Members(this.#repeated);
    const start = this.#scanner.next().mark;
    while (this.#is("key")) {
      const { mark } = this.#scanner.peek();
      const key = this.#blockPart("key");
      members.add(key, mark, this.#blockPart("value"));
    }
    if (!this.#is("block-end")) throw parserFault("did not find expected key", this.#scanner.peek().mark, start);
    this.#scanner.next();
    return members.map();
  }

  #blockPart(type: "key" | "value"): unknown {
    if (!this.#is(type)) return null;
    this.#scanner.next();
    return this.#isBlockPartEnd() ? null : this.#node(true, true, type === "key");
  }

  #flowSequence(): unknown[] {
    const list: unknown[] = [];
    const start = this.#scanner.next().mark;
    while (!this.#is("flow-sequence-end")) {
      if (list.length > 0 && this.#isFlowOver("flow-sequence-end", "]", start)) break;
      list.push(this.#is("key") ? this.#pair() : this.#node(false, false, false));
    }
    this.#scanner.next();
    return list;
  }

  /** Takes the comma; true if the end follows it. */
  #isFlowOver(end: TokenType, bracket: string, start: Mark): boolean {
    if (!this.#is("flow-entry")) {
      throw parserFault(`did not find expected ',' or '${bracket}'`, this.#scanner.peek().mark, start);
    }
    this.#scanner.next();
    return this.#is(end);
  }

  /** `[a: b]` is a list of one map. */
  #pair(): Record<string, unknown> {
    const members = new Members(this.#repeated);
    const { mark } = this.#scanner.peek();
    const key = this.#flowKey("flow-sequence-end");
    members.add(key, mark, this.#flowValue("flow-sequence-end"));
    return members.map();
  }

  #flowMapping(): Record<string, unknown> {
    const members = new Members(this.#repeated);
    const start = this.#scanner.next().mark;
    for (let isFirst = true; !this.#is("flow-mapping-end"); isFirst = false) {
      if (!isFirst && this.#isFlowOver("flow-mapping-end", "}", start)) break;
      const { mark } = this.#scanner.peek();
      const key = this.#flowKey("flow-mapping-end");
      members.add(key, mark, this.#flowValue("flow-mapping-end"));
    }
    this.#scanner.next();
    return members.map();
  }

  #flowKey(end: TokenType): unknown {
    if (!this.#is("key")) return this.#node(false, false, true);
    this.#scanner.next();
    const isEmpty = this.#is("value") || this.#is("flow-entry") || this.#is(end);
    return isEmpty ? null : this.#node(false, false, true);
  }

  #flowValue(end: TokenType): unknown {
    if (!this.#is("value")) return null;
    this.#scanner.next();
    return this.#is("flow-entry") || this.#is(end) ? null : this.#node(false, false, false);
  }
}
