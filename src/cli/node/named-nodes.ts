/** Which nodes a command is about: by name, or by a label selector. */
import { Node } from "#api/core/node.ts";
import type { Invocation } from "#cli/command.ts";
import type { Session } from "#cli/session.ts";

/** Names may come as "node/a" or "a". All are read before anything is done, so that a wrong one stops it all. */
export async function namedNodes({ client }: Session, { args, flags }: Invocation): Promise<string[]> {
  if (flags.given("selector"))
    return (await client.list(Node, { labelSelector: flags.string("selector") })).items.map(
      ({ metadata }) => metadata.name ?? "",
    );
  const names = args.map((one) => one.replace(/^nodes?\//, ""));
  await Promise.all(names.map(async (name) => await client.get(Node, { name })));
  return names;
}
