/** Which nodes a command is about: by name, or by a label selector. */
import { Node } from "#api/core/node.ts";
import type { V1Node } from "#api/generated/types.ts";
import type { Invocation } from "#cli/command.ts";
import type { Session } from "#cli/session.ts";

/** Names may come as "node/a" or "a". All are read before anything is done, so that a wrong one stops it all. */
export async function namedNodes({ client }: Session, { args, flags }: Invocation): Promise<V1Node[]> {
  if (flags.given("selector")) return (await client.list(Node, { labelSelector: flags.string("selector") })).items;
  const names = args.map((one) => one.replace(/^nodes?\//, ""));
  return await Promise.all(names.map(async (name) => await client.get(Node, { name })));
}
