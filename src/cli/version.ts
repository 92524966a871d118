/** `capstan version`: of this binary, of the renderer's model, and of the server, which need not be the same binary. */
import { kubernetesVersion } from "#api/version.ts";
import { kustomizeVersion } from "#git/render/kustomize.ts";
import { type Command, UsageError } from "./command.ts";
import { yamlText } from "./output.ts";
import { sessionFlags, withSession } from "./session.ts";

export const versionCommand: Command = {
  name: "version",
  group: "Other",
  summary: "Show the versions of client and server",
  usage: "capstan version [flags]",
  examples: ["capstan version", "capstan version --client", "capstan version -o json"],
  flags: [
    ...sessionFlags,
    { name: "client", type: "boolean", help: "Only this binary's" },
    { name: "output", short: "o", type: "string", placeholder: "json|yaml", help: "Output format" },
  ],
  async run(invocation) {
    const { args, flags, io } = invocation;
    const output = flags.string("output");
    if (args.length > 0) throw new UsageError(`extra arguments: [${args.join(" ")}]`);
    if (!["", "json", "yaml"].includes(output)) throw new UsageError("--output must be 'yaml' or 'json'");
    const serverVersion = flags.boolean("client")
      ? undefined
      : await withSession(
          invocation,
          async ({ client }) => (await client.call({ method: "GET", path: "/version" })) as { gitVersion?: string },
        );
    const versions = {
      clientVersion: { gitVersion: kubernetesVersion },
      kustomizeVersion,
      ...(serverVersion === undefined ? {} : { serverVersion }),
    };
    if (output === "json") io.stdout(`${JSON.stringify(versions, null, 2)}\n`);
    else if (output === "yaml") io.stdout(yamlText(versions));
    else {
      io.stdout(`Client Version: ${kubernetesVersion}\nKustomize Version: ${kustomizeVersion}\n`);
      if (serverVersion !== undefined) io.stdout(`Server Version: ${serverVersion.gitVersion ?? "unknown"}\n`);
    }
    return 0;
  },
};
