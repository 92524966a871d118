/** What all `capstan create KIND NAME` commands share: flags, the name, the request, what is printed. */
import type { UnknownObject } from "#api/object.ts";
import { StatusError } from "#api/status-error.ts";
import { type Command, type Flag, type Invocation, UsageError } from "#cli/command.ts";
import { createPrinter, outputHelp, writeFormats } from "#cli/output.ts";
import { type Session, sessionFlags, withSession } from "#cli/session.ts";
import { dryRunFlag, dryRunMode, fileTarget, targetName, withKind } from "#cli/targets.ts";

export interface CreateOptions {
  /** "configmap": after "create", and in messages. */
  word: string;
  /** The whole name where it does not begin with "create". */
  command?: string;
  summary: string;
  examples: readonly string[];
  flags?: readonly Flag[];
  required?: readonly string[];
  build(invocation: Invocation, name: string, session: Session): UnknownObject | Promise<UnknownObject>;
}

export function createSubcommand({
  word,
  command,
  summary,
  examples,
  flags: own = [],
  required = [],
  build,
}: CreateOptions): Command {
  const name = command ?? `create ${word}`;
  return {
    name,
    group: "Objects",
    summary,
    usage: `capstan ${name} NAME [flags]`,
    examples,
    flags: [
      // A binding's --user is no user of the kubeconfig.
      ...sessionFlags.filter((flag) => !own.some((one) => one.name === flag.name)),
      dryRunFlag,
      { name: "output", short: "o", type: "string", help: outputHelp },
      {
        name: "field-manager",
        type: "string",
        default: "capstan-create",
        placeholder: "NAME",
        help: "Who owns the fields",
      },
      ...own,
    ],
    async run(invocation) {
      const { flags } = invocation;
      const missing = required.filter((one) => !flags.given(one));
      if (missing.length > 0)
        throw new UsageError(`required flag(s) ${missing.map((one) => `"${one}"`).join(", ")} not set`);
      const count = invocation.args.length - (invocation.afterDashes?.length ?? 0);
      if (count !== 1)
        throw new UsageError(
          `exactly one NAME is required, got ${count}\nSee 'capstan ${name} -h' for help and examples`,
        );
      return await withSession(
        invocation,
        async (session) => await create(session, invocation, { word, command, build }),
      );
    },
  };
}

async function create(
  session: Session,
  invocation: Invocation,
  { word, command, build }: { word: string; command: string | undefined; build: CreateOptions["build"] },
): Promise<number> {
  const { args, flags, io } = invocation;
  const printer = createPrinter(flags.string("output"), { allowed: writeFormats });
  const object = await build(invocation, args[0]!, session);
  const mode = dryRunMode(flags);
  const target = await fileTarget(session, object);
  const isPlaced = target.key.namespace !== undefined && flags.given("namespace");
  const shown = isPlaced ? { ...object, metadata: { ...object.metadata, namespace: target.key.namespace! } } : object;
  const written = mode.client
    ? shown
    : await session.client
        .create(target.resource, target.object!, { dryRun: mode.server, fieldManager: flags.string("field-manager") })
        .catch((error: unknown) => {
          if (command !== undefined || !(error instanceof StatusError)) throw error;
          throw new UsageError(`failed to create ${word.split(" ")[0]}: ${error.message}`);
        });
  io.stdout(
    printer === undefined
      ? `${targetName(target)} created${mode.suffix}\n`
      : printer(withKind(written as UnknownObject, target.resource)),
  );
  return 0;
}

/** The values of a flag that may be repeated or hold several between commas. */
export const commaValues = (values: readonly string[]): string[] =>
  values.flatMap((one) => one.split(",")).filter((one) => one !== "");
