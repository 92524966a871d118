/**
 * CEL's grammar as data: rules of tokens, and the states between the tokens. Only what is wrong with a text is told from it
 * (syntax-faults.ts); what is right is read by hand (syntax.ts). Upstream: google/cel-go parser/gen/CEL.g4.
 */

/** Tokens in upstream's order, as its messages list them. */
export const tokenOrder = [
  ..."<EOF> == != in < <= >= > && || [ ] { } ( ) . , - ! ? : + * / % true false null".split(" "),
  ..."NUM_FLOAT NUM_INT NUM_UINT STRING BYTES IDENTIFIER ESC_IDENTIFIER".split(" "),
];

export type Part =
  | { kind: "token"; types: readonly string[]; state: State }
  | { kind: "rule"; name: string; follow: State }
  | { kind: "sequence"; parts: readonly Part[] }
  | { kind: "choice"; parts: readonly Part[]; state: State }
  | { kind: "optional"; part: Part; state: State }
  | { kind: "repeat"; part: Part; atLeastOnce: boolean; state: State };

/** A place between two tokens. */
export interface State {
  readonly id: number;
  /** Where a rule ends; the places behind it are those behind its calls. */
  readonly ends?: string;
  readonly edges: Edge[];
}
export interface Edge {
  to: State;
  /** Taken with a token of these; else without one. */
  types?: readonly string[];
  /** Taken through a rule. */
  rule?: string;
}

type Draft =
  | string
  | readonly Draft[]
  | { any: readonly Draft[] }
  | { maybe: Draft }
  | { star: Draft }
  | { plus: Draft };

const any = (...drafts: Draft[]): Draft => ({ any: drafts });
const maybe = (...drafts: Draft[]): Draft => ({ maybe: drafts });
const star = (...drafts: Draft[]): Draft => ({ star: drafts });

/** "@name" is a rule; several tokens with bars between are one place for any of them. */
const drafts: Readonly<Record<string, Draft>> = {
  start: ["@expr", "<EOF>"],
  expr: ["@conditionalOr", maybe("?", "@conditionalOr", ":", "@expr")],
  conditionalOr: ["@conditionalAnd", star("||", "@conditionalAnd")],
  conditionalAnd: ["@relation", star("&&", "@relation")],
  relation: ["@calc", star("< <= >= > == != in", "@calc")],
  calc: ["@unary", star("+ - * / %", "@unary")],
  unary: any("@member", [{ plus: "!" }, "@member"], [{ plus: "-" }, "@member"]),
  member: [
    "@primary",
    star(
      any(
        [".", maybe("?"), "@escapeIdent"],
        [".", "IDENTIFIER", "(", maybe("@exprList"), ")"],
        ["[", maybe("?"), "@expr", "]"],
      ),
    ),
  ],
  primary: any(
    [maybe("."), "IDENTIFIER"],
    [maybe("."), "IDENTIFIER", "(", maybe("@exprList"), ")"],
    ["(", "@expr", ")"],
    ["[", maybe("@listInit"), maybe(","), "]"],
    ["{", maybe("@mapInitializerList"), maybe(","), "}"],
    [maybe("."), "IDENTIFIER", star(".", "IDENTIFIER"), "{", maybe("@fieldInitializerList"), maybe(","), "}"],
    "@literal",
  ),
  exprList: ["@expr", star(",", "@expr")],
  listInit: ["@optExpr", star(",", "@optExpr")],
  fieldInitializerList: ["@optField", ":", "@expr", star(",", "@optField", ":", "@expr")],
  optField: [maybe("?"), "@escapeIdent"],
  mapInitializerList: ["@optExpr", ":", "@expr", star(",", "@optExpr", ":", "@expr")],
  escapeIdent: any("IDENTIFIER", "ESC_IDENTIFIER"),
  optExpr: [maybe("?"), "@expr"],
  literal: any(
    [maybe("-"), "NUM_INT"],
    "NUM_UINT",
    [maybe("-"), "NUM_FLOAT"],
    "STRING",
    "BYTES",
    "true",
    "false",
    "null",
  ),
};

export interface Grammar {
  rules: ReadonlyMap<string, { part: Part; start: State }>;
  /** The places behind the calls of a rule. */
  follows: ReadonlyMap<string, readonly State[]>;
  /** What was found to come next, for lookAhead. */
  ahead: Map<State, ReadonlySet<string>>;
  /** Which way few tokens went at a choice: by its number and their types. */
  outcomes: Map<string, Prediction>;
}

/** The way, or the token at which there is none. */
export type Prediction = { way: number } | { failedAt: number };

let known: Grammar | undefined;

/** Made when it is first needed: most texts are right. */
export const celGrammar = (): Grammar => (known ??= new Builder().grammar());

interface Built {
  part: Part;
  start: State;
}

/** From the end of a rule to its start: a part needs the state behind it. */
class Builder {
  #count = 0;
  readonly #follows = new Map<string, State[]>();

  grammar(): Grammar {
    const rules = new Map<string, Built>();
    for (const [name, draft] of Object.entries(drafts))
      rules.set(name, this.#part(draft, { ...this.#state(), ends: name }));
    return { rules, follows: this.#follows, ahead: new Map(), outcomes: new Map() };
  }

  #state(...edges: Edge[]): State {
    this.#count += 1;
    return { id: this.#count, edges };
  }

  #part(draft: Draft, next: State): Built {
    if (typeof draft === "string")
      return draft.startsWith("@") ? this.#rule(draft.slice(1), next) : this.#token(draft, next);
    if ("any" in draft) return this.#choice(draft.any, next);
    if ("maybe" in draft) return this.#optional(draft.maybe, next);
    if ("star" in draft) return this.#repeat(draft.star, false, next);
    if ("plus" in draft) return this.#repeat(draft.plus, true, next);
    const parts: Part[] = [];
    let start = next;
    for (const one of draft.toReversed()) {
      const built = this.#part(one, start);
      parts.unshift(built.part);
      start = built.start;
    }
    return { part: { kind: "sequence", parts }, start };
  }

  #token(text: string, next: State): Built {
    const types = text.split(" ");
    const state = this.#state({ to: next, types });
    return { part: { kind: "token", types, state }, start: state };
  }

  #rule(name: string, next: State): Built {
    const follows = this.#follows.get(name);
    if (follows === undefined) this.#follows.set(name, [next]);
    else follows.push(next);
    return { part: { kind: "rule", name, follow: next }, start: this.#state({ to: next, rule: name }) };
  }

  #choice(branches: readonly Draft[], next: State): Built {
    const built = branches.map((branch) => this.#part(branch, next));
    const state = this.#state(...built.map(({ start }) => ({ to: start })));
    return { part: { kind: "choice", parts: built.map(({ part }) => part), state }, start: state };
  }

  #optional(draft: Draft, next: State): Built {
    const { part, start } = this.#part(draft, next);
    const state = this.#state({ to: start }, { to: next });
    return { part: { kind: "optional", part, state }, start: state };
  }

  #repeat(draft: Draft, atLeastOnce: boolean, next: State): Built {
    const state = this.#state();
    const { part, start } = this.#part(draft, state);
    state.edges.push({ to: start }, { to: next });
    return { part: { kind: "repeat", part, atLeastOnce, state }, start: atLeastOnce ? start : state };
  }
}
