/** What `capstan set …` commands share: each target gets a patch, or is passed over in silence. */
import type { UnknownObject } from "#api/object.ts";
import type { Invocation } from "#cli/command.ts";
import type { Session } from "#cli/session.ts";
import { type Target, dryRunMode } from "#cli/targets.ts";
import { changeAll } from "./all-targets.ts";

/** `patchOf` may throw UsageError; undefined means that nothing is to change. */
export async function setField(
  invocation: Invocation,
  targetArgs: readonly string[],
  what: string,
  patchOf: (live: UnknownObject, target: Target, session: Session) => object | undefined | Promise<object | undefined>,
  type: "strategic" | "merge" = "strategic",
): Promise<number> {
  const { server, client, suffix } = dryRunMode(invocation.flags);
  return await changeAll(invocation, targetArgs, async (session, target) => {
    const { resource, key } = target;
    const live: UnknownObject = await session.client.get(resource, key);
    const patch = await patchOf({ ...live, kind: resource.kind }, target, session);
    if (patch === undefined) return undefined;
    const options = { dryRun: server || client, fieldManager: "capstan-set" };
    const object: UnknownObject = await session.client.patch(resource, key, type, patch, options);
    return { object, word: `${what} updated${suffix}` };
  });
}
