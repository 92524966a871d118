/** All commands on one screen. Each is loaded when it is called, so that the start of one does not pay for the others. */
import type { Command } from "./command.ts";

export interface CommandEntry {
  name: string;
  group: Command["group"];
  summary: string;
  load(): Promise<Command>;
}

export const groups: readonly Command["group"][] = ["Cluster", "Git", "Objects", "Other"];

export const commands: readonly CommandEntry[] = [
  {
    name: "kubeconfig",
    group: "Cluster",
    summary: "Print the administrator's kubeconfig",
    load: async () => (await import("./kubeconfig.ts")).kubeconfigCommand,
  },
  {
    name: "token",
    group: "Cluster",
    summary: "Print the token with which nodes join",
    load: async () => (await import("./kubeconfig.ts")).tokenCommand,
  },
  {
    name: "status",
    group: "Git",
    summary: "Show what Git says and what the cluster makes of it, as a tree",
    load: async () => (await import("./status.ts")).statusCommand,
  },
  {
    name: "sync",
    group: "Git",
    summary: "Bring the newest commit into the cluster now",
    load: async () => (await import("./sync.ts")).syncCommand,
  },
  {
    name: "rollback",
    group: "Git",
    summary: "Undo the last applied commit in Git, and follow it",
    load: async () => (await import("./rollback.ts")).rollbackCommand,
  },
  {
    name: "kustomize",
    group: "Git",
    summary: "Render a folder as kubectl kustomize does",
    load: async () => (await import("./kustomize.ts")).kustomizeEntry,
  },
  {
    name: "get",
    group: "Objects",
    summary: "Display one or many resources",
    load: async () => (await import("./get.ts")).getCommand,
  },
];
