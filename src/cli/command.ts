/**
 * What a command is: a name, its flags, its help and what it does. Flags are read the way kubectl reads them: anywhere
 * among the arguments, `--flag=value` or `--flag value`, `-n value`, `-nvalue`, booleans also as `--wait=false`, and
 * `--` ends them.
 */
import { parseDuration } from "#api/duration.ts";

export interface Flag {
  name: string;
  short?: string;
  /** "strings" may be given more than once and keeps every value as it came; a duration is written as Go writes it. */
  type: "string" | "boolean" | "integer" | "duration" | "strings";
  default?: string | boolean | number;
  /** The value of a flag that is given bare, e.g. `--dry-run`; without it a string flag needs a value. */
  bareValue?: string;
  /** What stands for the value in help texts. */
  placeholder?: string;
  help: string;
}

export interface Io {
  stdout(text: string): void;
  stderr(text: string): void;
  stdin: NodeJS.ReadableStream;
  /** Whether stdout is a terminal: colours and progress. */
  isTerminal: boolean;
  env: Readonly<Record<string, string | undefined>>;
  signal: AbortSignal;
}

export interface Invocation {
  args: string[];
  /** What follows `--`, also part of `args`; undefined if there was no `--`. */
  afterDashes: string[] | undefined;
  flags: FlagValues;
  io: Io;
}

export interface Command {
  /** One word, or two for a subcommand: "rollout status". */
  name: string;
  aliases?: readonly string[];
  group: "Cluster" | "Git" | "Objects" | "Other";
  summary: string;
  usage: string;
  description?: string;
  examples: readonly string[];
  flags: readonly Flag[];
  /** Resolves with the exit code. UsageError and StatusError are printed by the caller. */
  run(invocation: Invocation): Promise<number>;
}

/** A fault of the caller: printed as `error: …`, exit code 1. */
export class UsageError extends Error {}

/** A flag that is unknown, lacks its value or has a wrong one: the message is followed by a hint at --help. */
export class FlagError extends UsageError {}

/** A fault of the caller, followed by where help is. */
export const hinted = (message: string, command: string): UsageError =>
  new UsageError(`${message}\nSee 'capstan ${command} -h' for help and examples`);

/** A fault that is printed as it is, without "error: " before it. */
export class PlainError extends UsageError {}

export class FlagValues {
  readonly #values: ReadonlyMap<string, string | boolean | number | string[]>;
  readonly #given: ReadonlySet<string>;
  constructor(values: ReadonlyMap<string, string | boolean | number | string[]>, given: ReadonlySet<string>) {
    this.#values = values;
    this.#given = given;
  }
  string(name: string): string {
    const value = this.#values.get(name);
    return typeof value === "string" ? value : "";
  }
  boolean(name: string): boolean {
    return this.#values.get(name) === true;
  }
  integer(name: string): number {
    const value = this.#values.get(name);
    return typeof value === "number" ? value : 0;
  }
  /** 0 where neither the caller nor a default says one. */
  durationMs(name: string): number {
    return this.integer(name);
  }
  strings(name: string): string[] {
    const value = this.#values.get(name);
    return Array.isArray(value) ? value : [];
  }
  /** Whether the caller gave the flag, as opposed to its default. */
  given(name: string): boolean {
    return this.#given.has(name);
  }
}

export interface ParsedArguments {
  args: string[];
  afterDashes: string[] | undefined;
  flags: FlagValues;
}

const booleans: Readonly<Record<string, boolean>> = {
  true: true,
  "1": true,
  t: true,
  T: true,
  TRUE: true,
  True: true,
  false: false,
  "0": false,
  f: false,
  F: false,
  FALSE: false,
  False: false,
};

/** Throws UsageError for an unknown flag, a missing or a malformed value. */
export function parseArguments(argv: readonly string[], flags: readonly Flag[]): ParsedArguments {
  const values = new Map<string, string | boolean | number | string[]>();
  const given = new Set<string>();
  for (const flag of flags) {
    if (flag.type === "strings") values.set(flag.name, []);
    else if (flag.type === "duration") values.set(flag.name, read(flag, String(flag.default ?? "0"), undefined));
    else if (flag.default !== undefined) values.set(flag.name, flag.default);
  }
  const args: string[] = [];
  let afterDashes: string[] | undefined;
  const set = (flag: Flag, text: string) => {
    const former = given.has(flag.name) ? values.get(flag.name) : undefined;
    values.set(flag.name, read(flag, text, former));
    given.add(flag.name);
  };
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index]!;
    if (word === "--") {
      afterDashes = argv.slice(index + 1);
      args.push(...afterDashes);
      break;
    }
    if (word.startsWith("--")) {
      const cut = word.indexOf("=");
      const name = cut < 0 ? word.slice(2) : word.slice(2, cut);
      const flag = flags.find((candidate) => candidate.name === name);
      if (flag === undefined) throw new FlagError(`unknown flag: --${name}`);
      if (cut >= 0) set(flag, word.slice(cut + 1));
      else if (flag.type === "boolean") set(flag, "true");
      else if (flag.bareValue !== undefined) set(flag, flag.bareValue);
      else {
        index += 1;
        if (index >= argv.length) throw new FlagError(`flag needs an argument: --${name}`);
        set(flag, argv[index]!);
      }
    } else if (word.startsWith("-") && word !== "-") index += readShort(word, argv[index + 1], flags, set);
    else args.push(word);
  }
  return { args, afterDashes, flags: new FlagValues(values, given) };
}

/** Reads `-it`, `-n value`, `-nvalue`, `-n=value`; returns how many further words it used. */
function readShort(
  word: string,
  next: string | undefined,
  flags: readonly Flag[],
  set: (flag: Flag, text: string) => void,
): number {
  for (let at = 1; at < word.length; at += 1) {
    const letter = word[at]!;
    const flag = flags.find((candidate) => candidate.short === letter);
    if (flag === undefined) throw new FlagError(`unknown shorthand flag: '${letter}' in ${word}`);
    const rest = word.slice(at + 1);
    if (rest.startsWith("=")) {
      set(flag, rest.slice(1));
      return 0;
    }
    if (flag.type === "boolean") set(flag, "true");
    else if (rest !== "") {
      set(flag, rest);
      return 0;
    } else if (flag.bareValue !== undefined) set(flag, flag.bareValue);
    else if (next === undefined) throw new FlagError(`flag needs an argument: '${letter}' in ${word}`);
    else {
      set(flag, next);
      return 1;
    }
  }
  return 0;
}

function read(flag: Flag, text: string, former: unknown): string | boolean | number | string[] {
  switch (flag.type) {
    case "string":
      return text;
    case "strings":
      return [...(Array.isArray(former) ? (former as string[]) : []), text];
    case "boolean": {
      const value = booleans[text];
      if (value === undefined) throw invalidValue(flag, text, `strconv.ParseBool: parsing ${JSON.stringify(text)}`);
      return value;
    }
    case "integer": {
      if (!/^[+-]?\d+$/.test(text)) throw invalidValue(flag, text, `strconv.ParseInt: parsing ${JSON.stringify(text)}`);
      return Number(text);
    }
    case "duration": {
      const nanos = parseDuration(text);
      if (typeof nanos === "string") throw invalidArgument(flag, text, nanos);
      return Number(nanos) / 1e6;
    }
  }
}

/** "-n, --namespace": how messages call a flag. */
const flagName = ({ name, short }: Flag): string => (short === undefined ? `--${name}` : `-${short}, --${name}`);

export const invalidValue = (flag: Flag, text: string, why: string): FlagError =>
  invalidArgument(flag, text, `${why}: invalid syntax`);

function invalidArgument(flag: Flag, text: string, why: string): FlagError {
  return new FlagError(`invalid argument ${JSON.stringify(text)} for ${JSON.stringify(flagName(flag))} flag: ${why}`);
}

/** The text of `capstan COMMAND --help`. */
export function helpText(command: Command): string {
  const lines = [
    command.description ?? `${command.summary}.`,
    "",
    "Examples:",
    ...command.examples.map((line) => `  ${line}`),
    "",
    "Options:",
  ];
  for (const flag of [...command.flags].sort((a, b) => (a.name < b.name ? -1 : 1))) lines.push(...flagHelp(flag));
  return `${lines.join("\n")}\n\nUsage:\n  ${command.usage}\n`;
}

function flagHelp(flag: Flag): string[] {
  const short = flag.short === undefined ? "    " : `-${flag.short}, `;
  const value = flag.type === "boolean" ? "" : ` ${flag.placeholder ?? flag.type.toUpperCase().replace(/S$/, "")}`;
  const standard =
    flag.default === undefined || flag.default === "" || flag.default === false ? "" : ` (default ${flag.default})`;
  return [`  ${short}--${flag.name}${value}`, `        ${flag.help}${standard}`];
}
