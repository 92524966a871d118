/** Which tokens may come next in a grammar, and which way tokens go where there are several. Upstream: ANTLR's ATN simulator. */
import type { Grammar, Prediction, State } from "./grammar.ts";

/**
 * The types of tokens that may come next. Behind the end of the rule stand the places of the stack; without a stack, "" stands
 * for whatever comes behind the rule.
 */
export function lookAhead(grammar: Grammar, from: State, stack: readonly State[] | undefined): ReadonlySet<string> {
  if (stack !== undefined) return foundAhead(grammar, from, stack);
  const known = grammar.ahead.get(from) ?? foundAhead(grammar, from, undefined);
  grammar.ahead.set(from, known);
  return known;
}

function foundAhead(grammar: Grammar, from: State, stack: readonly State[] | undefined): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (state: State, seen: Set<State>): boolean => {
    if (state.ends !== undefined) return true;
    if (seen.has(state)) return false;
    seen.add(state);
    let reachesEnd = false;
    for (const { to, types, rule } of state.edges) {
      if (types !== undefined) types.forEach((type) => found.add(type));
      else if (rule === undefined) reachesEnd = visit(to, seen) || reachesEnd;
      else if (visit(grammar.rules.get(rule)!.start, new Set())) reachesEnd = visit(to, seen) || reachesEnd;
    }
    return reachesEnd;
  };
  let reachesEnd = visit(from, new Set());
  if (stack === undefined) return reachesEnd ? found.add("") : found;
  for (let at = stack.length - 1; reachesEnd && at >= 0; at -= 1) reachesEnd = visit(stack[at]!, new Set());
  return reachesEnd ? found.add("<EOF>") : found;
}

interface Thread {
  way: number;
  state: State;
  /** The places behind the rules entered since the choice. */
  stack: Stack | undefined;
  /** The rule of the choice has ended. */
  isOutside: boolean;
}
interface Stack {
  top: State;
  rest: Stack | undefined;
  key: string;
}

/** Of choices that few tokens decide, so many outcomes are kept. */
const keptTokensMax = 3;
const keptMax = 10_000;

/** Which way the tokens at hand go. `typeAt` gives the types of tokens, and `<EOF>` behind the last. */
export function predicted(grammar: Grammar, choice: State, typeAt: (index: number) => string): Prediction {
  const { outcomes } = grammar;
  let key = String(choice.id);
  for (let at = 0; at < keptTokensMax; at += 1) {
    key += ` ${typeAt(at)}`;
    const known = outcomes.get(key);
    if (known !== undefined) return known;
  }
  const { seen, ...outcome } = followed(grammar, choice, typeAt);
  if (seen > keptTokensMax) return outcome;
  if (outcomes.size >= keptMax) outcomes.clear();
  const types = Array.from({ length: seen }, (_, index) => typeAt(index));
  outcomes.set([choice.id, ...types].join(" "), outcome);
  return outcome;
}

/** Follows all ways at once, until one is left or none. Of ways that are the same, the first. */
function followed(
  grammar: Grammar,
  choice: State,
  typeAt: (index: number) => string,
): Prediction & { /** How many tokens decided. */ seen: number } {
  let threads = closure(
    grammar,
    choice.edges.map(({ to }, way) => ({ way, state: to, stack: undefined, isOutside: false })),
  );
  for (let at = 0; ; at += 1) {
    const type = typeAt(at);
    const moved = threads.flatMap((thread) =>
      thread.state.edges
        .filter((edge) => edge.types?.includes(type) === true)
        .map(({ to }) => ({ ...thread, state: to })),
    );
    if (moved.length === 0) {
      const ended = threads.filter(({ isOutside, state, stack }) => isOutside || (state.ends !== undefined && !stack));
      const seen = at + 1;
      return ended.length === 0 ? { failedAt: at, seen } : { way: Math.min(...ended.map(({ way }) => way)), seen };
    }
    const ways = new Set(moved.map(({ way }) => way));
    if (ways.size === 1 || type === "<EOF>") return { way: Math.min(...ways), seen: at + 1 };
    threads = closure(grammar, moved);
    if (areSame(threads, ways)) return { way: Math.min(...ways), seen: at + 1 };
  }
}

const placeOf = ({ state, stack }: Thread): string => `${state.id}:${stack?.key ?? ""}`;

function areSame(threads: readonly Thread[], ways: ReadonlySet<number>): boolean {
  const places = new Map<string, Set<number>>();
  for (const thread of threads) {
    const known = places.get(placeOf(thread));
    if (known === undefined) places.set(placeOf(thread), new Set([thread.way]));
    else known.add(thread.way);
  }
  return [...places.values()].every(({ size }) => size === ways.size);
}

/** All places that are reached without a token. */
function closure(grammar: Grammar, from: readonly Thread[]): Thread[] {
  const found = new Map<string, Thread>();
  const pending = [...from];
  for (let thread = pending.pop(); thread !== undefined; thread = pending.pop()) {
    const key = `${thread.way}:${placeOf(thread)}:${thread.isOutside}`;
    if (found.has(key)) continue;
    found.set(key, thread);
    pending.push(...stepsOf(grammar, thread));
  }
  return [...found.values()];
}

function stepsOf(grammar: Grammar, thread: Thread): Thread[] {
  const { state, stack } = thread;
  if (state.ends !== undefined) {
    if (stack !== undefined) return [{ ...thread, state: stack.top, stack: stack.rest }];
    return (grammar.follows.get(state.ends) ?? []).map((place) => ({ ...thread, state: place, isOutside: true }));
  }
  return state.edges.flatMap(({ to, types, rule }): Thread[] => {
    if (types !== undefined) return [];
    if (rule === undefined) return [{ ...thread, state: to }];
    const pushed = { top: to, rest: stack, key: `${to.id}.${stack?.key ?? ""}` };
    return [{ ...thread, state: grammar.rules.get(rule)!.start, stack: pushed }];
  });
}
