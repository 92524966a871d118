/** What `capstan rollout …` commands share: flags and targets. A type without names means all of it. */
import { type Command, type Flag, type Invocation, UsageError } from "#cli/command.ts";
import { namesFiles } from "#cli/resource-arguments.ts";
import { type Session, sessionFlags, withSession } from "#cli/session.ts";
import { type Target, fileFlags, kustomizeFlag, findTargets } from "#cli/targets.ts";

export type Act = (session: Session, target: Target, invocation: Invocation) => Promise<number>;

export interface RolloutOptions {
  word: string;
  summary: string;
  examples: readonly string[];
  flags?: readonly Flag[];
  /** What is done to each target, by kind, and what is said of a kind that is not there. */
  kinds: Readonly<Record<string, Act>>;
  unsupported(target: Target): string;
}

export function rolloutCommand({ word, summary, examples, flags = [], kinds, unsupported }: RolloutOptions): Command {
  return {
    name: `rollout ${word}`,
    group: "Objects",
    summary,
    usage: `capstan rollout ${word} (TYPE NAME | TYPE/NAME | -f FILENAME) [flags]`,
    examples,
    flags: [
      ...sessionFlags,
      ...fileFlags,
      kustomizeFlag,
      { name: "selector", short: "l", type: "string", placeholder: "QUERY", help: "Label selector" },
      ...flags,
    ],
    async run(invocation) {
      if (invocation.args.length === 0 && !namesFiles(invocation.flags))
        throw new UsageError("required resource not specified");
      return await withSession(invocation, async (session) => {
        const targets = await findTargets(session, invocation, { isAllByDefault: true });
        if (targets.length === 0) invocation.io.stderr(`No resources found in ${session.namespace} namespace.\n`);
        let exitCode = 0;
        for (const target of targets) {
          const act = kinds[target.resource.kind];
          if (act === undefined) {
            // What is not there is said before what cannot be done.
            await session.client.get(target.resource, target.key);
            throw new UsageError(unsupported(target));
          }
          exitCode = Math.max(exitCode, await act(session, target, invocation));
        }
        return exitCode;
      });
    },
  };
}
