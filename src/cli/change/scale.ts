/** `capstan scale`: how many replicas a workload has. */
import type { UnknownObject } from "#api/object.ts";
import { type Command, UsageError } from "#cli/command.ts";
import { dryRunMode } from "#cli/targets.ts";
import { changeAll, changeFlags } from "./all-targets.ts";

export const scaleCommand: Command = {
  name: "scale",
  group: "Objects",
  summary: "Set how many replicas a workload has",
  usage: "capstan scale [--current-replicas=COUNT] --replicas=COUNT (-f FILENAME | TYPE NAME) [flags]",
  examples: [
    "capstan scale deployment web --replicas=3",
    "capstan scale --current-replicas=2 --replicas=3 deployment/web",
  ],
  flags: [
    ...changeFlags,
    { name: "replicas", type: "integer", placeholder: "COUNT", help: "The new number of replicas" },
    {
      name: "current-replicas",
      type: "integer",
      default: -1,
      placeholder: "COUNT",
      help: "Only if there are this many now",
    },
  ],
  async run(invocation) {
    const { args, flags } = invocation;
    if (!flags.given("replicas")) throw new UsageError('required flag(s) "replicas" not set');
    if (flags.integer("replicas") < 0)
      throw new UsageError("The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0");
    return await changeAll(invocation, args, async ({ client }, { resource, key }) => {
      const wanted = flags.integer("current-replicas");
      if (wanted >= 0) {
        const scale = (await client.get(resource, key, { subresource: "scale" })) as {
          spec?: { replicas?: number };
        } & UnknownObject;
        const now = scale.spec?.replicas ?? 0;
        if (now !== wanted) throw new UsageError(`Expected replicas to be ${wanted}, was ${now}`);
      }
      const object = await client.patch(
        resource,
        key,
        "merge",
        { spec: { replicas: flags.integer("replicas") } },
        { subresource: "scale", dryRun: dryRunMode(flags).server || dryRunMode(flags).client },
      );
      return { object, word: `scaled${dryRunMode(flags).suffix}` };
    });
  },
};
