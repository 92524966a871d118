/** `capstan cordon` and `uncordon`: whether new pods may come to a node. */
import { Node } from "#api/core/node.ts";
import type { V1Node } from "#api/generated/types.ts";
import { type Command, type Invocation, hinted } from "#cli/command.ts";
import { type Session, sessionFlags, withSession } from "#cli/session.ts";
import { dryRunFlag, dryRunMode, selectorFlags } from "#cli/targets.ts";
import { namedNodes } from "./named-nodes.ts";

function cordoning(name: "cordon" | "uncordon", summary: string): Command {
  return {
    name,
    group: "Objects",
    summary,
    usage: `capstan ${name} NODE... [flags]`,
    examples: [`capstan ${name} worker-1`],
    flags: [...sessionFlags, ...selectorFlags, dryRunFlag],
    async run(invocation) {
      if (invocation.args.length === 0 && !invocation.flags.given("selector"))
        throw hinted(`USAGE: ${name} NODE [flags]`, name);
      return await withSession(invocation, async (session) => {
        for (const node of await namedNodes(session, invocation))
          await setSchedulable(session, node, name === "uncordon", invocation);
        return 0;
      });
    },
  };
}

/** Lets pods onto the node, or no longer, and says so. */
export async function setSchedulable(
  { client }: Session,
  { metadata: { name = "" }, spec }: V1Node,
  isSchedulable: boolean,
  { flags, io }: Invocation,
): Promise<void> {
  const mode = dryRunMode(flags);
  const isSame = (spec?.unschedulable === true) === !isSchedulable;
  const patch = { spec: { unschedulable: isSchedulable ? null : true } };
  if (!isSame && !mode.client) await client.patch(Node, { name }, "strategic", patch, { dryRun: mode.server });
  io.stdout(`node/${name} ${isSame ? "already " : ""}${isSchedulable ? "uncordoned" : "cordoned"}${mode.suffix}\n`);
}

export const cordonCommand = cordoning("cordon", "Let no further pods onto a node");
export const uncordonCommand = cordoning("uncordon", "Let pods onto a node again");
