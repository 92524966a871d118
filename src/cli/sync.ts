/** `capstan sync`: asks the server to look at Git now, and follows what happens. */
import { sleep } from "#lib/sleep.ts";
import { GitRepository, Kustomization, requestedAtAnnotation } from "#git/kinds.ts";
import { type Command, type Io, UsageError } from "./command.ts";
import { chosenKustomization, kustomizationFlag, ready, sourceOf } from "./git-objects.ts";
import { type Session, openSession, sessionFlags } from "./session.ts";

const pollMs = 100;

export const syncCommand: Command = {
  name: "sync",
  group: "Git",
  summary: "Bring the newest commit into the cluster now",
  description:
    "Asks the server to fetch, render and apply now, and waits until that is done. Exits with 1 if it failed, with 2 if it took too long.",
  usage: "capstan sync [flags]",
  examples: ["capstan sync", "capstan sync --kustomization flux-system/apps --timeout 300"],
  flags: [
    ...sessionFlags,
    kustomizationFlag,
    { name: "timeout", type: "integer", default: 120, placeholder: "SECONDS", help: "How long to wait" },
  ],
  async run(invocation) {
    const session = openSession(invocation);
    try {
      return await sync(
        session,
        await chosenKustomization(session, invocation.flags),
        invocation.flags.integer("timeout") * 1000,
        invocation.io,
      );
    } finally {
      session.close();
    }
  },
};

/** Resolves with the exit code. */
export async function sync(session: Session, kustomization: Kustomization, timeoutMs: number, io: Io): Promise<number> {
  const token = new Date().toISOString();
  const deadline = performance.now() + timeoutMs;
  const source = await sourceOf(session, kustomization);
  if (source.spec.suspend === true || kustomization.spec.suspend === true)
    throw new UsageError(
      `${source.spec.suspend === true ? "the GitRepository" : "the Kustomization"} is suspended: set spec.suspend to false first`,
    );
  const ask = { metadata: { annotations: { [requestedAtAnnotation]: token } } };
  await session.client.patch(GitRepository, source.metadata, "merge", ask);
  const fetched = await until(deadline, io, async () => {
    const now = await session.client.get(GitRepository, source.metadata);
    return now.status?.lastHandledReconcileAt === token ? now : undefined;
  });
  if (fetched === undefined) return late(io, "the source was not looked at");
  const sourceReady = ready(fetched.status?.conditions);
  if (sourceReady?.status !== "True") {
    io.stderr(`✗ GitRepository ${fetched.metadata.name}: ${sourceReady?.reason}: ${sourceReady?.message}\n`);
    return 1;
  }
  io.stdout(`✔ fetched ${fetched.status?.artifact?.revision}\n`);
  await session.client.patch(Kustomization, kustomization.metadata, "merge", ask);
  let shown = "";
  const applied = await until(deadline, io, async () => {
    const now = await session.client.get(Kustomization, kustomization.metadata);
    const condition = ready(now.status?.conditions);
    if (condition?.status === "Unknown" && condition.message !== shown) {
      shown = condition.message;
      io.stdout(`◌ ${shown}\n`);
    }
    const isDone =
      now.status?.lastHandledReconcileAt === token &&
      condition?.status !== "Unknown" &&
      now.status.lastAttemptedRevision === fetched.status?.artifact?.revision;
    return isDone ? now : undefined;
  });
  if (applied === undefined) return late(io, shown === "" ? "the Kustomization did not finish" : shown);
  const condition = ready(applied.status?.conditions);
  if (condition?.status !== "True") {
    io.stderr(`✗ Kustomization ${applied.metadata.name}: ${condition?.reason}: ${condition?.message}\n`);
    return 1;
  }
  io.stdout(
    `✔ applied ${applied.status?.lastAppliedRevision} (${applied.status?.inventory?.entries.length ?? 0} objects)\n`,
  );
  return 0;
}

async function until<T>(deadline: number, io: Io, look: () => Promise<T | undefined>): Promise<T | undefined> {
  while (performance.now() < deadline && !io.signal.aborted) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(pollMs, io.signal);
  }
  return undefined;
}

function late(io: Io, what: string): number {
  io.stderr(`✗ timed out: ${what}\n`);
  return 2;
}
