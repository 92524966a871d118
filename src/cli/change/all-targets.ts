/** What commands that change live objects share: flags, one target after another, and what is printed. */
import type { UnknownObject } from "#api/object.ts";
import { type Flag, type Invocation } from "#cli/command.ts";
import { createPrinter, outputHelp, writeFormats } from "#cli/output.ts";
import { type Session, openSession, sessionFlags } from "#cli/session.ts";
import {
  type Target,
  dryRunFlag,
  fileFlags,
  kustomizeFlag,
  findTargets,
  selectorFlags,
  targetName,
  withKind,
} from "#cli/targets.ts";

export const changeFlags: readonly Flag[] = [
  ...sessionFlags,
  ...fileFlags,
  kustomizeFlag,
  ...selectorFlags,
  dryRunFlag,
  { name: "output", short: "o", type: "string", help: outputHelp },
];

export interface Changed {
  object: UnknownObject;
  /** undefined: nothing is said. */
  word: string | undefined;
  /** "scale.autoscaling/web" where the answer is no object of the target's kind. */
  name?: string;
}

/** Does `change` to every target and prints what became of it; undefined: nothing was done, nothing is said. */
export async function changeAll(
  invocation: Invocation,
  targetArgs: readonly string[],
  change: (session: Session, target: Target) => Promise<Changed | undefined>,
): Promise<number> {
  const { flags, io } = invocation;
  const session = openSession(invocation);
  try {
    const printer = createPrinter(flags.string("output"), { allowed: writeFormats });
    for (const target of await findTargets(session, { ...invocation, args: [...targetArgs] })) {
      const changed = await change(session, target);
      if (changed === undefined) continue;
      const { object, word, name = targetName(target) } = changed;
      if (flags.string("output") === "name") io.stdout(`${targetName(target)}\n`);
      else if (printer !== undefined) io.stdout(printer(withKind(object, target.resource)));
      else if (word !== undefined) io.stdout(`${name} ${word}\n`);
    }
    return 0;
  } finally {
    session.close();
  }
}
