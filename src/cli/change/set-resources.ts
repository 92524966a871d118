/** `capstan set resources`: requests and limits of containers. */
import { QuantityError, parseQuantity } from "#api/quantity.ts";
import { type Command, UsageError } from "#cli/command.ts";
import { nothingNamed, namesFiles } from "#cli/resource-arguments.ts";
import { changeFlags } from "./all-targets.ts";
import { containersPatch, podSpecOf, selectedContainers } from "./pod-specs.ts";
import { setField } from "./set-field.ts";

export const setResourcesCommand: Command = {
  name: "set resources",
  group: "Objects",
  summary: "Change requests and limits of a workload's containers",
  usage: "capstan set resources (-f FILENAME | TYPE NAME) [--limits=RESOURCE=AMOUNT,...] [--requests=...] [flags]",
  examples: ["capstan set resources deployment/web --limits=cpu=200m,memory=512Mi --requests=cpu=100m"],
  flags: [
    ...changeFlags,
    { name: "containers", short: "c", type: "string", default: "*", placeholder: "PATTERN", help: "Which containers" },
    { name: "limits", type: "string", placeholder: "RESOURCE=AMOUNT,...", help: "At most so much" },
    { name: "requests", type: "string", placeholder: "RESOURCE=AMOUNT,...", help: "At least so much" },
  ],
  async run(invocation) {
    const { args, flags } = invocation;
    if (args.length === 0 && !namesFiles(flags)) throw new UsageError(nothingNamed);
    if (!flags.given("limits") && !flags.given("requests"))
      throw new UsageError("you must specify an update to requests or limits (in the form of --requests/--limits)");
    const resources = Object.fromEntries(
      ["limits", "requests"]
        .filter((name) => flags.given(name))
        .map((name) => [name, readAmounts(flags.string(name))] as const),
    );
    const pattern = flags.string("containers");
    return await setField(invocation, args, "resource requirements", (live, target) => {
      const spec = podSpecOf(live, target);
      const names = new Set(selectedContainers(spec, pattern).map(({ name }) => name));
      if (names.size === 0) throw new UsageError(`unable to find container named ${pattern}`);
      return containersPatch(live, spec, ({ name }) => (names.has(name) ? { resources } : undefined));
    });
  },
};

function readAmounts(text: string): Record<string, string> {
  const pairs = text.split(",").map((pair) => {
    const [resource = "", amount, ...more] = pair.split("=");
    if (amount === undefined || more.length > 0)
      throw new UsageError(`Invalid argument syntax ${pair}, expected <resource>=<value>`);
    try {
      parseQuantity(amount);
    } catch (error) {
      throw error instanceof QuantityError ? new UsageError(error.message) : error;
    }
    return [resource, amount] as const;
  });
  return Object.fromEntries(pairs);
}
