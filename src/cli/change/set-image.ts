/** `capstan set image`: new images for containers of pods and of workloads. */
import { type Command, UsageError } from "#cli/command.ts";
import { nothingNamed, namesFiles } from "#cli/resource-arguments.ts";
import { changeFlags } from "./all-targets.ts";
import { containersPatch, podSpecOf, selectedContainers } from "./pod-specs.ts";
import { setField } from "./set-field.ts";

export const setImageCommand: Command = {
  name: "set image",
  group: "Objects",
  summary: "Change the images of a workload's containers",
  usage: "capstan set image (-f FILENAME | TYPE NAME) CONTAINER=IMAGE ... [flags]",
  examples: ["capstan set image deployment/web main=nginx:1.28", "capstan set image deployment/web '*=nginx:1.28'"],
  flags: changeFlags,
  async run(invocation) {
    const isImage = (word: string) => /^[^=/]+=/.test(word);
    const targets = invocation.args.filter((word) => !isImage(word));
    const images = new Map(invocation.args.filter(isImage).map((word) => word.split(/=(.*)/s, 2) as [string, string]));
    if (targets.length === 0 && !namesFiles(invocation.flags)) throw new UsageError(nothingNamed);
    if (images.size === 0) throw new UsageError("at least one image update is required");
    return await setField(invocation, targets, "image", (live, target) => {
      const spec = podSpecOf(live, target);
      for (const name of images.keys())
        if (name !== "*" && !selectedContainers(spec, "*").some((one) => one.name === name))
          throw new UsageError(`unable to find container named ${JSON.stringify(name)}`);
      return containersPatch(live, spec, ({ name, image }) => {
        const wished = images.get(name) ?? images.get("*");
        return wished === undefined || wished === image ? undefined : { image: wished };
      });
    });
  },
};
