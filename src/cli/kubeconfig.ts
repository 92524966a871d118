/** `capstan kubeconfig` and `capstan token`: what a server wrote at its first start, for the one who may read its files. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Command, UsageError } from "./command.ts";
import { serverKubeconfig } from "./session.ts";

function readSecretFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT")
      throw new UsageError(
        `${file} does not exist: has 'capstan server' been started here? Give --data-dir or --kubeconfig if it keeps its files elsewhere`,
      );
    throw new UsageError(`cannot read ${file}: ${(error as Error).message}`);
  }
}

export const kubeconfigCommand: Command = {
  name: "kubeconfig",
  group: "Cluster",
  summary: "Print the administrator's kubeconfig",
  description:
    "Prints the kubeconfig of the cluster's administrator, with the server's address replaced if --server is given.",
  usage: "capstan kubeconfig [flags]",
  examples: ["capstan kubeconfig > ~/.kube/config", "capstan kubeconfig --server https://cluster.example.com:6443"],
  flags: [
    {
      name: "kubeconfig",
      type: "string",
      default: serverKubeconfig,
      placeholder: "FILE",
      help: "The file that the server wrote",
    },
    {
      name: "server",
      short: "s",
      type: "string",
      placeholder: "URL",
      help: "Address to put in, as clients elsewhere see it",
    },
  ],
  run({ flags, io }) {
    const text = readSecretFile(flags.string("kubeconfig"));
    io.stdout(
      flags.given("server")
        ? text.replace(/^(\s*server:\s*).*$/m, (_, key: string) => key + flags.string("server"))
        : text,
    );
    return Promise.resolve(0);
  },
};

export const tokenCommand: Command = {
  name: "token",
  group: "Cluster",
  summary: "Print the token with which nodes join",
  usage: "capstan token [flags]",
  examples: ["capstan agent --server https://first:6443 --token $(capstan token)"],
  flags: [
    {
      name: "data-dir",
      short: "d",
      type: "string",
      default: "/var/lib/capstan",
      placeholder: "DIR",
      help: "The server's data directory",
    },
  ],
  run({ flags, io }) {
    io.stdout(`${readSecretFile(join(flags.string("data-dir"), "server/token")).trim()}\n`);
    return Promise.resolve(0);
  },
};
