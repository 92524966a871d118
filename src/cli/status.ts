/** `capstan status`: from source and revision through Kustomizations and objects down to pods, with health. */
import type { V1OwnerReference } from "#api/generated/types.ts";
import { Pod } from "#api/core/pod.ts";
import { ReplicaSet } from "#api/apps/replica-set.ts";
import type { KubernetesObject, UnknownObject } from "#api/object.ts";
import { isNotFound } from "#api/status-error.ts";
import { type Health, healthOf } from "#git/health.ts";
import { describeIdentity, identityOfEntry } from "#git/inventory.ts";
import type { Condition, GitRepository, Kustomization } from "#git/kinds.ts";
import type { Command } from "./command.ts";
import { listGitObjects, ready } from "./git-objects.ts";
import { yamlText } from "./output.ts";
import { type Session, openSession, sessionFlags } from "./session.ts";
import { safeText } from "./table-text.ts";

export interface StatusNode {
  name: string;
  state: "ready" | "progressing" | "failed" | "suspended";
  message: string;
  children: StatusNode[];
}

export const statusCommand: Command = {
  name: "status",
  group: "Git",
  summary: "Show what Git says and what the cluster makes of it, as a tree",
  description:
    "Shows each source with its revision, the Kustomizations that use it, their objects and pods, with health and what is waiting for what.\nExits with 1 if anything has failed.",
  usage: "capstan status [flags]",
  examples: ["capstan status", "capstan status --problems", "capstan status -o json"],
  flags: [
    ...sessionFlags,
    { name: "output", short: "o", type: "string", placeholder: "json|yaml", help: "Print the tree as data" },
    { name: "problems", type: "boolean", help: "Only what is not ready" },
  ],
  async run(invocation) {
    const { flags, io } = invocation;
    const session = openSession(invocation);
    try {
      const tree = await readTree(session);
      const shown = flags.boolean("problems") ? tree.flatMap(problems) : tree;
      if (flags.string("output") === "json") io.stdout(`${JSON.stringify(shown, null, 2)}\n`);
      else if (flags.string("output") === "yaml") io.stdout(yamlText(shown));
      else
        io.stdout(
          shown.length === 0
            ? tree.length === 0
              ? "The cluster follows no repository.\n"
              : "Everything is ready.\n"
            : shown.map((node) => drawNode(node, io.isTerminal)).join(""),
        );
      return tree.some(hasFailed) ? 1 : 0;
    } finally {
      session.close();
    }
  },
};

async function readTree(session: Session): Promise<StatusNode[]> {
  const { sources, kustomizations } = await listGitObjects(session);
  const pods = await listPods(session);
  return await Promise.all(
    sources.map(async (source) => {
      const users = kustomizations.filter(
        ({ metadata, spec }) =>
          spec.sourceRef.name === source.metadata.name &&
          (spec.sourceRef.namespace ?? metadata.namespace) === source.metadata.namespace,
      );
      return {
        name: `GitRepository/${source.metadata.namespace}/${source.metadata.name} ${source.status?.artifact?.revision ?? "no revision yet"}`,
        ...stateOf(source, source.spec.suspend),
        children: await Promise.all(
          users.map(async (kustomization) => await kustomizationNode(session, kustomization, pods)),
        ),
      };
    }),
  );
}

async function kustomizationNode(
  session: Session,
  kustomization: Kustomization,
  pods: PodsByOwner,
): Promise<StatusNode> {
  const entries = kustomization.status?.inventory?.entries ?? [];
  const objects = await Promise.all(
    entries.map(async (entry): Promise<StatusNode[]> => {
      const identity = identityOfEntry(entry);
      if (identity === undefined) return [];
      const apiVersion = identity.group === "" ? identity.version : `${identity.group}/${identity.version}`;
      const live = await readLive(session, apiVersion, identity.kind, identity);
      const health = healthOf(live, Date.now());
      return [
        {
          name: describeIdentity(identity),
          ...fromHealth(health),
          children: live === undefined ? [] : podNodes(live, pods),
        },
      ];
    }),
  );
  return {
    name: `Kustomization/${kustomization.metadata.namespace}/${kustomization.metadata.name} ${kustomization.status?.lastAppliedRevision ?? "never applied"}`,
    ...stateOf(kustomization, kustomization.spec.suspend),
    children: objects.flat(),
  };
}

async function readLive(
  session: Session,
  apiVersion: string,
  kind: string,
  key: { name: string; namespace: string },
): Promise<UnknownObject | undefined> {
  const ref = await session.discovery.resolve(apiVersion, kind);
  if (ref === undefined) return undefined;
  try {
    return await session.client.get(ref, ref.scope === "Cluster" ? { name: key.name } : key);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

type PodsByOwner = Map<string, UnknownObject[]>;

/** Pods under the uid of what owns them, through ReplicaSets. */
async function listPods({ client }: Session): Promise<PodsByOwner> {
  const [pods, replicaSets] = await Promise.all([client.list(Pod), client.list(ReplicaSet)]);
  const ownerOf = (object: KubernetesObject) =>
    (object.metadata.ownerReferences as V1OwnerReference[] | undefined)?.find(({ controller }) => controller === true)
      ?.uid;
  const deploymentOf = new Map(replicaSets.items.map((replicaSet) => [replicaSet.metadata.uid, ownerOf(replicaSet)]));
  const byOwner: PodsByOwner = new Map();
  for (const pod of pods.items) {
    const owner = ownerOf(pod);
    const top = (owner === undefined ? undefined : deploymentOf.get(owner)) ?? owner ?? pod.metadata.uid ?? "";
    const list = byOwner.get(top) ?? [];
    list.push({ ...pod, apiVersion: "v1", kind: "Pod" } as unknown as UnknownObject);
    byOwner.set(top, list);
  }
  return byOwner;
}

function podNodes(owner: UnknownObject, pods: PodsByOwner): StatusNode[] {
  if (owner.kind === "Pod") return [];
  return (pods.get(owner.metadata.uid ?? "") ?? []).map((pod) => ({
    name: `Pod/${pod.metadata.name}`,
    ...fromHealth(healthOf(pod, Date.now())),
    children: [],
  }));
}

function fromHealth({ status, message }: Health): Pick<StatusNode, "state" | "message"> {
  const states: Record<Health["status"], StatusNode["state"]> = {
    Current: "ready",
    InProgress: "progressing",
    Terminating: "progressing",
    Failed: "failed",
    NotFound: "failed",
  };
  return { state: states[status], message };
}

function stateOf(
  object: GitRepository | Kustomization,
  suspend: boolean | undefined,
): Pick<StatusNode, "state" | "message"> {
  const condition: Condition | undefined = ready(object.status?.conditions);
  if (suspend === true) return { state: "suspended", message: "suspended" };
  if (condition === undefined || condition.status === "Unknown")
    return { state: "progressing", message: condition?.message ?? "waiting for the first run" };
  if (condition.status === "True") return { state: "ready", message: "" };
  return {
    state: condition.reason === "DependencyNotReady" ? "progressing" : "failed",
    message: `${condition.reason}: ${condition.message}`,
  };
}

/** Only branches that lead to something that is not ready. */
function problems(node: StatusNode): StatusNode[] {
  const children = node.children.flatMap(problems);
  return node.state === "ready" && children.length === 0 ? [] : [{ ...node, children }];
}

const hasFailed = (node: StatusNode): boolean => node.state === "failed" || node.children.some(hasFailed);

const marks: Record<StatusNode["state"], { sign: string; colour: number }> = {
  ready: { sign: "✔", colour: 32 },
  progressing: { sign: "◌", colour: 33 },
  failed: { sign: "✗", colour: 31 },
  suspended: { sign: "‖", colour: 90 },
};

export function drawNode(node: StatusNode, colours: boolean, lead = "", isRoot = true, isLast = true): string {
  const { sign, colour } = marks[node.state];
  const mark = colours ? `\u001b[${colour}m${sign}\u001b[0m` : sign;
  const branch = isRoot ? "" : isLast ? "└─ " : "├─ ";
  const inner = isRoot ? "" : `${lead}${isLast ? "   " : "│  "}`;
  const [first = "", ...more] = safeText(node.message).split("\n");
  const lines = [
    `${lead}${branch}${mark} ${safeText(node.name)}${first === "" ? "" : `: ${first}`}`,
    ...more.map((line) => `${inner}     ${line}`),
  ];
  const children = node.children.map((child, at) =>
    drawNode(child, colours, inner, false, at === node.children.length - 1),
  );
  return `${lines.join("\n")}\n${children.join("")}`;
}
