/**
 * What is wrong with the tokens of an expression, told as cel-go tells it: each fault by the first token that cannot stand
 * where it does, and by what could; then the reader goes on behind it, by the rules of ANTLR's DefaultErrorStrategy.
 */
import { type Part, type State, celGrammar, tokenOrder } from "./grammar.ts";
import { lookAhead, predicted } from "./prediction.ts";

export interface SyntaxToken {
  /** As the grammar names it: "(", "IDENTIFIER", "<EOF>". */
  type: string;
  text: string;
  offset: number;
}

export interface SyntaxFault {
  offset: number;
  text: string;
}

/** Upstream's limit. */
const recoveriesMax = 30;
/** Rules within rules: some 150 brackets. */
const nestingMax = 1500;

export function syntaxFaults(source: string, tokens: readonly SyntaxToken[]): SyntaxFault[] {
  const reader = new Reader(source, tokens);
  try {
    reader.rule("start", undefined);
  } catch (error) {
    if (!(error instanceof GaveUp)) throw error;
  }
  return reader.faults;
}

class GaveUp extends Error {}

/** A rule cannot go on. */
class Failed extends Error {
  readonly text: string;
  readonly offset: number;
  constructor(text: string, offset: number) {
    super(text);
    this.text = text;
    this.offset = offset;
  }
}

class Reader {
  readonly faults: SyntaxFault[] = [];
  readonly #source: string;
  readonly #tokens: readonly SyntaxToken[];
  readonly #grammar = celGrammar();
  /** The places behind the rules that are being read, innermost last. */
  readonly #stack: State[] = [];
  #at = 0;
  #isRecovering = false;
  #recoveries = 0;
  #lastError: { at: number; states: Set<number> } = { at: -1, states: new Set() };
  #state: State;

  constructor(source: string, tokens: readonly SyntaxToken[]) {
    this.#source = source;
    this.#tokens = tokens;
    this.#state = this.#grammar.rules.get("start")!.start;
  }

  rule(name: string, follow: State | undefined): void {
    if (this.#stack.length > nestingMax) {
      this.faults.push({ offset: this.#token().offset, text: "expression recursion limit exceeded: 250" });
      throw new GaveUp();
    }
    if (follow !== undefined) this.#stack.push(follow);
    const { part, start } = this.#grammar.rules.get(name)!;
    this.#state = start;
    try {
      this.#read(part);
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
      this.#report(error.offset, error.text);
      this.#recover();
    }
    if (follow !== undefined) this.#stack.pop();
  }

  #token(ahead = 0): SyntaxToken {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)]!;
  }

  #consume(): void {
    if (this.#at < this.#tokens.length - 1) this.#at += 1;
  }

  #read(part: Part): void {
    switch (part.kind) {
      case "token":
        return this.#match(part.types, part.state);
      case "rule":
        return this.rule(part.name, part.follow);
      case "sequence":
        for (const one of part.parts) this.#read(one);
        return undefined;
      case "choice":
        this.#sync(part.state);
        return this.#read(part.parts[this.#predict(part.state)]!);
      case "optional":
        this.#sync(part.state);
        if (this.#goesIn(part.state)) this.#read(part.part);
        return undefined;
      case "repeat":
        if (!part.atLeastOnce) this.#sync(part.state);
        if (!part.atLeastOnce && !this.#goesIn(part.state)) return undefined;
        do {
          this.#read(part.part);
          this.#syncBack(part.state);
        } while (this.#goesIn(part.state));
        return undefined;
      default:
        return part satisfies never;
    }
  }

  /** Whether what may be there is. */
  #goesIn(state: State): boolean {
    const inside = lookAhead(this.#grammar, state.edges[0]!.to, undefined);
    return inside.has(this.#token().type) && this.#predict(state) === 0;
  }

  /** Which way to go on from a place. */
  #predict(state: State): number {
    this.#state = state;
    const outcome = predicted(this.#grammar, state, (ahead) => this.#token(ahead).type);
    if (!("failedAt" in outcome)) return outcome.way;
    const offending = this.#token(outcome.failedAt);
    const end = offending.type === "<EOF>" ? offending.offset : offending.offset + offending.text.length;
    const seen = this.#token().type === "<EOF>" ? "<EOF>" : this.#source.slice(this.#token().offset, end);
    throw new Failed(`no viable alternative at input ${quoted(seen.trimEnd())}`, offending.offset);
  }

  #match(types: readonly string[], state: State): void {
    this.#state = state;
    if (types.includes(this.#token().type)) {
      this.#isRecovering = false;
      this.#lastError = { at: -1, states: new Set() };
      this.#consume();
      return;
    }
    if (this.#dropped(state)) {
      this.#consume();
      return;
    }
    const { to } = state.edges[0]!;
    if (lookAhead(this.#grammar, to, this.#stack).has(this.#token().type)) {
      this.#report(this.#token().offset, `missing ${shown(this.#expected(state))} at ${this.#current()}`);
      return;
    }
    throw this.#mismatch(state);
  }

  #mismatch(state: State): Failed {
    return new Failed(
      `mismatched input ${this.#current()} expecting ${shown(this.#expected(state))}`,
      this.#token().offset,
    );
  }

  #current(): string {
    return quoted(this.#token().text);
  }

  #expected(state: State): ReadonlySet<string> {
    return lookAhead(this.#grammar, state, this.#stack);
  }

  /** A token too many, if the next one may stand here. */
  #dropped(state: State): boolean {
    if (!this.#expected(state).has(this.#token(1).type)) return false;
    this.#unwanted(state);
    this.#consume();
    this.#isRecovering = false;
    return true;
  }

  #unwanted(state: State): void {
    this.#report(this.#token().offset, `extraneous input ${this.#current()} expecting ${shown(this.#expected(state))}`);
  }

  /** Before a choice: whether any way starts with the token at hand. */
  #sync(state: State): void {
    this.#state = state;
    if (this.#isRecovering) return;
    const next = lookAhead(this.#grammar, state, undefined);
    if (next.has("") || next.has(this.#token().type)) return;
    if (!this.#dropped(state)) throw this.#mismatch(state);
  }

  /** Before another time, or what comes behind: goes on to a token that may. */
  #syncBack(state: State): void {
    this.#state = state;
    if (this.#isRecovering) return;
    const next = lookAhead(this.#grammar, state, undefined);
    if (next.has("") || next.has(this.#token().type)) return;
    this.#unwanted(state);
    this.#skipTo(new Set([...this.#expected(state), ...this.#follow()]));
  }

  /** Faults that follow from one that was told are not told. */
  #report(offset: number, text: string): void {
    if (this.#isRecovering) return;
    this.#isRecovering = true;
    this.faults.push({ offset, text: `Syntax error: ${asBefore(text)}` });
  }

  /** Goes on to a token that may stand behind one of the rules that are being read. */
  #recover(): void {
    this.#recoveries += 1;
    if (this.#recoveries > recoveriesMax) {
      this.faults.push({
        offset: this.#token().offset,
        text: `error recovery attempt limit exceeded: ${recoveriesMax}`,
      });
      throw new GaveUp();
    }
    const { at, states } = this.#lastError;
    if (at === this.#at && states.has(this.#state.id)) this.#consume();
    if (this.#lastError.at !== this.#at) this.#lastError = { at: this.#at, states: new Set() };
    this.#lastError.states.add(this.#state.id);
    this.#skipTo(this.#follow());
  }

  /** What may stand behind any of the rules that are being read. */
  #follow(): Set<string> {
    return new Set(this.#stack.flatMap((place) => [...lookAhead(this.#grammar, place, undefined)]));
  }

  #skipTo(types: ReadonlySet<string>): void {
    while (!types.has(this.#token().type) && this.#token().type !== "<EOF>") this.#consume();
  }
}

/** Upstream keeps what older versions said of words that cannot be names. */
function asBefore(text: string): string {
  return text.replace(
    /no viable alternative at input '.(true|false|null)'/,
    "mismatched input '$1' expecting IDENTIFIER",
  );
}

const quoted = (text: string): string =>
  `'${text.replaceAll("\n", "\\n").replaceAll("\r", "\\r").replaceAll("\t", "\\t")}'`;

function shown(types: ReadonlySet<string>): string {
  const texts = tokenOrder
    .filter((type) => types.has(type))
    .map((type) => (/^[A-Z_]+$|^<EOF>$/.test(type) ? type : `'${type}'`));
  return texts.length === 1 ? texts[0]! : `{${texts.join(", ")}}`;
}
