/** `capstan version`: of this binary, of the renderer's model, and of the server, which need not be the same binary. */
import type { Command } from "./command.ts";
import { yamlText } from "./output.ts";
import { sessionFlags, withSession } from "./session.ts";

export const versionCommand: Command = {
  name: "version",
  group: "Other",
  summary: "Show the version of the server",
  usage: "capstan version [flags]",
  examples: ["capstan version", "capstan version -o json"],
  flags: [
    ...sessionFlags,
    { name: "output", short: "o", type: "string", placeholder: "json|yaml", help: "Output format" },
  ],
  run: async (invocation) =>
    await withSession(invocation, async ({ client }) => {
      const serverVersion = (await client.call({ method: "GET", path: "/version" })) as { gitVersion?: string };
      const output = invocation.flags.string("output");
      if (output === "json") invocation.io.stdout(`${JSON.stringify({ serverVersion }, null, 2)}\n`);
      else if (output === "yaml") invocation.io.stdout(yamlText({ serverVersion }));
      else invocation.io.stdout(`Server Version: ${serverVersion.gitVersion ?? "unknown"}\n`);
      return 0;
    }),
};
