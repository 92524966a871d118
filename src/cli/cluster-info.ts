/** `capstan cluster-info`: where the control plane is, if it answers. */
import type { Command } from "./command.ts";
import { sessionFlags, withSession } from "./session.ts";

export const clusterInfoCommand: Command = {
  name: "cluster-info",
  group: "Other",
  summary: "Show where the control plane is",
  usage: "capstan cluster-info [flags]",
  examples: ["capstan cluster-info"],
  flags: sessionFlags,
  async run(invocation) {
    return await withSession(invocation, async ({ client, kubeconfig }) => {
      await client.call({ method: "GET", path: "/version" });
      invocation.io.stdout(
        `Kubernetes control plane is running at ${kubeconfig.connection.server}\n\nTo further debug and diagnose cluster problems, use 'capstan cluster-info dump'.\n`,
      );
      return 0;
    });
  },
};
