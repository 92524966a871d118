/** Finds the command that the arguments name, runs it and prints what went wrong the way kubectl does. */
import { StatusError } from "#api/status-error.ts";
import { type Command, FlagError, type Io, PlainError, UsageError, helpText, parseArguments } from "./command.ts";
import { type CommandEntry, groups } from "./commands.ts";
import { sessionFlags } from "./session.ts";
import { connectionText, statusText } from "./refusal.ts";

/** Resolves with the exit code. */
export async function runCommand(argv: readonly string[], entries: readonly CommandEntry[], io: Io): Promise<number> {
  const { before, words } = withoutFlagsBefore(argv);
  const [first] = words;
  if (first === undefined || first === "help" || first === "--help" || first === "-h") {
    const topic = first === "help" ? words.slice(1) : [];
    if (topic.length > 0) return await runCommand([...topic, "--help"], entries, io);
    io.stdout(overview(entries));
    return 0;
  }
  const found = findEntry(words, entries);
  const family = familyOf(words, entries);
  if (family !== undefined && family.split(" ").length > (found?.length ?? 0)) {
    io.stderr(familyText(family, words, entries));
    return 1;
  }
  if (found === undefined) {
    io.stderr(`error: unknown command "${first}" for "capstan"\nRun 'capstan --help' for the list of commands.\n`);
    return 1;
  }
  const command = await found.entry.load();
  const rest = [...before, ...words.slice(found.length)];
  try {
    if (wantsHelp(rest)) {
      io.stdout(helpText(command));
      return 0;
    }
    return await command.run({ ...parseArguments(rest, command.flags), io });
  } catch (error) {
    return fail(error, command, io);
  }
}

/** Flags of the way to a cluster may stand before the command: "-n kube-system get pods". */
function withoutFlagsBefore(argv: readonly string[]): { before: string[]; words: readonly string[] } {
  const before: string[] = [];
  let at = 0;
  for (;;) {
    const word = argv[at] ?? "";
    const flag = sessionFlags.find(
      ({ name, short = "" }) =>
        word === `--${name}` || word.startsWith(`--${name}=`) || (short !== "" && word.startsWith(`-${short}`)),
    );
    if (flag === undefined) return { before, words: argv.slice(at) };
    const isBare = word === `--${flag.name}` || word === `-${flag.short}`;
    const length = isBare && flag.type !== "boolean" ? 2 : 1;
    before.push(...argv.slice(at, at + length));
    at += length;
  }
}

/** The entry with the longest name that the arguments begin with. */
function findEntry(
  argv: readonly string[],
  entries: readonly CommandEntry[],
): { entry: CommandEntry; length: number } | undefined {
  const matches = entries.flatMap((entry) =>
    [entry.name, ...(entry.aliases ?? [])]
      .map((name) => name.split(" "))
      .filter((words) => words.every((word, at) => argv[at] === word))
      .map((words) => ({ entry, words })),
  );
  const best = matches.sort((a, b) => b.words.length - a.words.length)[0];
  return best === undefined ? undefined : { entry: best.entry, length: best.words.length };
}

/** The words that arguments begin with, where they only begin the names of commands: "rollout", "create secret". */
function familyOf(argv: readonly string[], entries: readonly CommandEntry[]): string | undefined {
  const prefixes = [2, 1].map((count) => argv.slice(0, count).join(" "));
  return prefixes.find((prefix) => entries.some(({ name }) => name.startsWith(`${prefix} `)));
}

function familyText(family: string, argv: readonly string[], entries: readonly CommandEntry[]): string {
  const next = argv[family.split(" ").length];
  if (next !== undefined && !next.startsWith("-"))
    return `error: unknown command ${JSON.stringify(next)}\nSee 'capstan ${family} -h' for help and examples\n`;
  const members = entries.filter(({ name }) => name.startsWith(`${family} `));
  const width = Math.max(...members.map(({ name }) => name.length - family.length)) + 2;
  const lines = members.map(({ name, summary }) => `  ${name.slice(family.length + 1).padEnd(width)}${summary}`);
  return `Available Commands:\n${lines.join("\n")}\n\nUsage:\n  capstan ${family} SUBCOMMAND [options]\n`;
}

function wantsHelp(rest: readonly string[]): boolean {
  const dashes = rest.indexOf("--");
  return (dashes < 0 ? rest : rest.slice(0, dashes)).some((word) => word === "--help" || word === "-h");
}

function fail(error: unknown, command: Command, io: Io): number {
  if (io.signal.aborted) return 130;
  if (error instanceof UsageError) {
    io.stderr(`${error instanceof PlainError ? "" : "error: "}${error.message}\n`);
    if (error instanceof FlagError) io.stderr(`See 'capstan ${command.name} --help' for usage.\n`);
    return 1;
  }
  if (error instanceof StatusError) {
    io.stderr(statusText(error));
    return 1;
  }
  io.stderr(`error: ${connectionText(error)}\n`);
  if (error instanceof AggregateError) for (const one of error.errors) io.stderr(`  ${connectionText(one)}\n`);
  return 1;
}

function overview(entries: readonly CommandEntry[]): string {
  const lines = [
    "Capstan: a Kubernetes-compatible cluster in one binary, whose desired state is a Git repository.",
    "",
  ];
  const width = Math.max(...entries.map(({ name }) => name.length)) + 2;
  for (const group of groups) {
    const members = entries.filter((entry) => entry.group === group);
    if (members.length === 0) continue;
    lines.push(`${group}:`, ...members.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`), "");
  }
  lines.push("Use 'capstan COMMAND --help' for flags and examples of a command.", "");
  return lines.join("\n");
}
