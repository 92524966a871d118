/** `capstan cordon` and `uncordon`: whether new pods may come to a node. */
import { Node } from "#api/core/node.ts";
import { type Command, UsageError } from "./command.ts";
import { sessionFlags, withSession } from "./session.ts";
import { dryRunFlag, dryRunMode } from "./targets.ts";

function cordoning(name: "cordon" | "uncordon", summary: string): Command {
  const unschedulable = name === "cordon";
  return {
    name,
    group: "Objects",
    summary,
    usage: `capstan ${name} NODE... [flags]`,
    examples: [`capstan ${name} worker-1`],
    flags: [...sessionFlags, dryRunFlag],
    async run(invocation) {
      const { args, flags, io } = invocation;
      if (args.length === 0)
        throw new UsageError(`error: USAGE: ${name} NODE [flags]\nSee 'capstan ${name} -h' for help and examples`);
      const mode = dryRunMode(flags);
      return await withSession(invocation, async ({ client }) => {
        for (const one of args) {
          const key = { name: one.replace(/^nodes?\//, "") };
          const node = await client.get(Node, key);
          const isSame = (node.spec?.unschedulable === true) === unschedulable;
          if (!isSame && !mode.client)
            await client.patch(
              Node,
              key,
              "strategic",
              { spec: { unschedulable: unschedulable || null } },
              { dryRun: mode.server },
            );
          io.stdout(`node/${key.name} ${isSame ? "already " : ""}${name}ed${mode.suffix}\n`);
        }
        return 0;
      });
    },
  };
}

export const cordonCommand = cordoning("cordon", "Let no further pods onto a node");
export const uncordonCommand = cordoning("uncordon", "Let pods onto a node again");
