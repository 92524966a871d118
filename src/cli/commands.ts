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
    name: "diff",
    group: "Git",
    summary: "Show what differs between Git and the cluster",
    load: async () => (await import("./diff.ts")).diffCommand,
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
  {
    name: "describe",
    group: "Objects",
    summary: "Show details of objects and of what belongs to them",
    load: async () => (await import("./describe.ts")).describeCommand,
  },
  {
    name: "create",
    group: "Objects",
    summary: "Create objects from files or from flags",
    load: async () => (await import("./write.ts")).createCommand,
  },
  {
    name: "apply",
    group: "Objects",
    summary: "Make the cluster have what files say (server-side apply)",
    load: async () => (await import("./write.ts")).applyCommand,
  },
  {
    name: "replace",
    group: "Objects",
    summary: "Replace objects by what files say",
    load: async () => (await import("./write.ts")).replaceCommand,
  },
  {
    name: "delete",
    group: "Objects",
    summary: "Delete objects by file, by name or by selector",
    load: async () => (await import("./delete.ts")).deleteCommand,
  },
  {
    name: "patch",
    group: "Objects",
    summary: "Change fields of an object by a patch",
    load: async () => (await import("./change.ts")).patchCommand,
  },
  {
    name: "label",
    group: "Objects",
    summary: "Set or remove labels of objects",
    load: async () => (await import("./change.ts")).labelCommand,
  },
  {
    name: "annotate",
    group: "Objects",
    summary: "Set or remove annotations of objects",
    load: async () => (await import("./change.ts")).annotateCommand,
  },
  {
    name: "scale",
    group: "Objects",
    summary: "Set how many replicas a workload has",
    load: async () => (await import("./change.ts")).scaleCommand,
  },
  {
    name: "logs",
    group: "Objects",
    summary: "Print the logs of a container in a pod",
    load: async () => (await import("./logs.ts")).logsCommand,
  },
  {
    name: "exec",
    group: "Objects",
    summary: "Run a command in a container",
    load: async () => (await import("./exec.ts")).execCommand,
  },
  {
    name: "attach",
    group: "Objects",
    summary: "Attach to a container's running process",
    load: async () => (await import("./exec.ts")).attachCommand,
  },
  {
    name: "wait",
    group: "Objects",
    summary: "Wait for a condition of objects",
    load: async () => (await import("./wait.ts")).waitCommand,
  },
  {
    name: "rollout status",
    group: "Objects",
    summary: "Follow a rollout until it is done",
    load: async () => (await import("./rollout.ts")).rolloutStatusCommand,
  },
  {
    name: "rollout history",
    group: "Objects",
    summary: "Show a rollout's revisions",
    load: async () => (await import("./rollout.ts")).rolloutHistoryCommand,
  },
  {
    name: "rollout undo",
    group: "Objects",
    summary: "Go back to a former revision",
    load: async () => (await import("./rollout.ts")).rolloutUndoCommand,
  },
  {
    name: "rollout restart",
    group: "Objects",
    summary: "Replace all pods by new ones",
    load: async () => (await import("./rollout.ts")).rolloutRestartCommand,
  },
  {
    name: "rollout pause",
    group: "Objects",
    summary: "Hold a rollout",
    load: async () => (await import("./rollout.ts")).rolloutPauseCommand,
  },
  {
    name: "rollout resume",
    group: "Objects",
    summary: "Go on with a paused rollout",
    load: async () => (await import("./rollout.ts")).rolloutResumeCommand,
  },
  {
    name: "port-forward",
    group: "Objects",
    summary: "Forward local ports to a pod",
    load: async () => (await import("./port-forward.ts")).portForwardCommand,
  },
  {
    name: "api-resources",
    group: "Other",
    summary: "List the kinds that the server serves",
    load: async () => (await import("./api-resources.ts")).apiResourcesCommand,
  },
  {
    name: "api-versions",
    group: "Other",
    summary: "List the group versions that the server serves",
    load: async () => (await import("./api-resources.ts")).apiVersionsCommand,
  },
];
