/** `capstan drain`: cordons nodes and evicts their pods. Upstream: kubectl/pkg/drain. */
import { Pod } from "#api/core/pod.ts";
import { durationText } from "#api/duration.ts";
import { DaemonSet } from "#api/apps/daemon-set.ts";
import { StatusError, isNotFound } from "#api/status-error.ts";
import type { V1Pod } from "#api/generated/types.ts";
import { sleep } from "#lib/sleep.ts";
import { type Command, type Flag, type Invocation, hinted } from "#cli/command.ts";
import { untilGone } from "#cli/gone.ts";
import { type Session, sessionFlags, withSession } from "#cli/session.ts";
import { dryRunFlag, dryRunMode, selectorFlags } from "#cli/targets.ts";
import { setSchedulable } from "./cordon.ts";
import { namedNodes } from "./named-nodes.ts";

/** After a disruption budget refused. */
const retryMs = 5_000;

const flags: readonly Flag[] = [
  ...sessionFlags,
  ...selectorFlags,
  dryRunFlag,
  { name: "force", type: "boolean", help: "Also pods that no controller would replace" },
  { name: "ignore-daemonsets", type: "boolean", help: "Leave pods of DaemonSets where they are" },
  { name: "delete-emptydir-data", type: "boolean", help: "Also pods whose emptyDir volumes are lost with them" },
  { name: "disable-eviction", type: "boolean", help: "Delete instead of evicting: budgets do not count" },
  { name: "grace-period", type: "integer", default: -1, placeholder: "SECONDS", help: "Time that pods get to end" },
  { name: "pod-selector", type: "string", placeholder: "QUERY", help: "Only pods with these labels" },
  { name: "timeout", type: "duration", default: "0s", help: "How long to wait; 0 is for ever" },
];

export const drainCommand: Command = {
  name: "drain",
  group: "Objects",
  summary: "Empty a node before work on it",
  usage: "capstan drain NODE... [flags]",
  examples: [
    "capstan drain worker-1 --ignore-daemonsets",
    "capstan drain worker-1 --ignore-daemonsets --delete-emptydir-data --force",
  ],
  flags,
  async run(invocation) {
    if (invocation.args.length === 0 && !invocation.flags.given("selector"))
      throw hinted("USAGE: drain NODE [flags]", "drain");
    return await withSession(invocation, async (session) => await drainAll(session, invocation));
  },
};

/** Goes on with the next node when one fails, and says at the end which are left. */
async function drainAll(session: Session, invocation: Invocation): Promise<number> {
  const { flags: given, io } = invocation;
  const nodes = await namedNodes(session, invocation);
  for (const node of nodes) await setSchedulable(session, node, false, invocation);
  const pending: string[] = [];
  const failures: string[] = [];
  for (const { metadata } of nodes) {
    const { name = "" } = metadata;
    const faults = await drainNode(session, name, invocation);
    if (faults.length === 0) io.stdout(`node/${name} drained${dryRunMode(given).suffix}\n`);
    else {
      io.stderr(`error: unable to drain node "${name}" due to error: ${joined(faults)}, continuing command...\n`);
      pending.push(name);
      failures.push(...faults);
    }
  }
  if (pending.length === 0) return 0;
  io.stderr(`There are pending nodes to be drained:\n${pending.map((name) => ` ${name}\n`).join("")}`);
  io.stderr(`${failures.join("\n")}\n`);
  return 1;
}

const joined = (texts: readonly string[]) => (texts.length === 1 ? texts[0]! : `[${texts.join(", ")}]`);

/** What becomes of a pod: it goes, it stays with a word about it, or it forbids the drain. */
type Verdict = { does: "go"; warning?: string } | { does: "stay"; warning?: string } | { does: "forbid"; why: string };

async function drainNode(session: Session, name: string, invocation: Invocation): Promise<string[]> {
  const { flags: given, io } = invocation;
  const { items } = await session.client.list(Pod, {
    fieldSelector: `spec.nodeName=${name}`,
    ...(given.given("pod-selector") ? { labelSelector: given.string("pod-selector") } : {}),
  });
  const judged = await Promise.all(items.map(async (pod) => ({ pod, verdict: await judge(session, pod, invocation) })));
  const forbidden = grouped(judged, ({ verdict }) => (verdict.does === "forbid" ? verdict.why : undefined));
  if (forbidden.length > 0) return forbidden.map((text) => `cannot delete ${text}`);
  const warnings = grouped(judged, ({ verdict }) => (verdict.does === "forbid" ? undefined : verdict.warning));
  if (warnings.length > 0) io.stderr(`Warning: ${warnings.join("; ")}\n`);
  const going = judged.flatMap(({ pod, verdict }) => (verdict.does === "go" ? [pod] : []));
  const limit = given.durationMs("timeout");
  const deadline = limit === 0 ? Infinity : performance.now() + limit;
  const faults = await Promise.all(going.map(async (pod) => await remove(session, pod, invocation, deadline)));
  const failed = going.filter((_, at) => faults[at] !== undefined);
  const texts = faults.filter((one) => one !== undefined);
  if (failed.length > 0) {
    io.stderr(`There are pending pods in node "${name}" when an error occurred: ${joined(texts)}\n`);
    io.stderr(failed.map(({ metadata }) => `pod/${metadata.name}\n`).join(""));
  }
  return texts;
}

/** "why: ns/a, ns/b" for each reason. */
function grouped<T extends { pod: V1Pod }>(all: readonly T[], reason: (one: T) => string | undefined): string[] {
  const groups = new Map<string, string[]>();
  for (const one of all) {
    const text = reason(one);
    if (text === undefined) continue;
    const { namespace, name } = one.pod.metadata;
    groups.set(text, [...(groups.get(text) ?? []), `${namespace}/${name}`]);
  }
  return [...groups].map(([text, pods]) => `${text}: ${pods.join(", ")}`);
}

async function judge({ client }: Session, pod: V1Pod, { flags: given }: Invocation): Promise<Verdict> {
  const isOver = pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
  const controller = pod.metadata.ownerReferences?.find((owner) => owner.controller === true);
  if (controller?.kind === "DaemonSet" && !isOver) {
    const key = { name: controller.name, namespace: pod.metadata.namespace };
    const isThere = await client.get(DaemonSet, key).then(
      () => true,
      (error: unknown) => {
        if (isNotFound(error)) return false;
        throw error;
      },
    );
    if (isThere && !given.boolean("ignore-daemonsets"))
      return { does: "forbid", why: "DaemonSet-managed Pods (use --ignore-daemonsets to ignore)" };
    if (isThere) return { does: "stay", warning: "ignoring DaemonSet-managed Pods" };
    if (!given.boolean("force")) return { does: "forbid", why: `daemonsets.apps "${controller.name}" not found` };
  }
  if (pod.metadata.annotations?.["kubernetes.io/config.mirror"] !== undefined) return { does: "stay" };
  if (isOver) return { does: "go" };
  const hasLocalData = pod.spec?.volumes?.some(({ emptyDir }) => emptyDir !== undefined) === true;
  if (hasLocalData && !given.boolean("delete-emptydir-data"))
    return { does: "forbid", why: "Pods with local storage (use --delete-emptydir-data to override)" };
  if (controller !== undefined) return { does: "go" };
  return given.boolean("force")
    ? { does: "go", warning: "deleting Pods that declare no controller" }
    : { does: "forbid", why: "cannot delete Pods that declare no controller (use --force to override)" };
}

/** Resolves once the pod is gone, or with why it is not. */
async function remove(
  session: Session,
  pod: V1Pod,
  { flags: given, io }: Invocation,
  deadline: number,
): Promise<string | undefined> {
  const mode = dryRunMode(given);
  const { name = "", namespace = "", uid } = pod.metadata;
  const isEviction = !given.boolean("disable-eviction");
  io.stdout(`${isEviction ? "evicting" : "deleting"} pod ${namespace}/${name}${mode.suffix}\n`);
  if (mode.client) return undefined;
  const grace = given.integer("grace-period");
  const deleteOptions = grace >= 0 ? { gracePeriodSeconds: grace } : {};
  for (;;) {
    try {
      if (isEviction) {
        const body = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace }, deleteOptions };
        await session.client.createSubresource(Pod, { name, namespace }, "eviction", body, { dryRun: mode.server });
      } else await session.client.delete(Pod, { name, namespace }, { ...deleteOptions, dryRun: mode.server });
      break;
    } catch (error) {
      if (isNotFound(error)) break;
      if (!(error instanceof StatusError) || error.status.code !== 429)
        return `error when evicting pods/"${name}" -n "${namespace}": ${(error as Error).message}`;
      io.stderr(
        `error when evicting pods/"${name}" -n "${namespace}" (will retry after ${retryMs / 1000}s): ${error.message}\n`,
      );
      await sleep(Math.min(retryMs, deadline - performance.now()), io.signal);
      if (performance.now() >= deadline || io.signal.aborted)
        return `error when evicting pods/"${name}" -n "${namespace}": global timeout reached: ${durationText(given.durationMs("timeout"))}`;
    }
  }
  if (mode.server) return undefined;
  if (!(await untilGone(session, Pod, { name, namespace }, { uid, deadline, signal: io.signal })))
    return `error when waiting for pod "${name}" in namespace "${namespace}" to terminate: context deadline exceeded`;
  io.stdout(`pod/${name} ${isEviction ? "evicted" : "deleted"}\n`);
  return undefined;
}
