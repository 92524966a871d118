/** `capstan diff`: desired (Git) against live, or what merging another revision would change. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigMap } from "#api/core/config-map.ts";
import { Secret } from "#api/core/secret.ts";
import { ObjectMemory, readCommitTree } from "#git/commit-tree.ts";
import { type ObjectDiff, diffRendered } from "#git/diff.ts";
import { describeIdentity } from "#git/inventory.ts";
import type { GitRepository, Kustomization } from "#git/kinds.ts";
import { createRenderSource } from "#git/render-source.ts";
import { type GitReference, Repository } from "#git/repository.ts";
import { sourceAccess } from "#git/source-access.ts";
import { sourceState } from "#git/sources.ts";
import type { Command } from "./command.ts";
import { chosenKustomization, kustomizationFlag, sourceOf, sourceSecret } from "./git-objects.ts";
import { diffFiles } from "./file-diff.ts";
import { statusText } from "./refusal.ts";
import { fileFlags } from "./targets.ts";
import { type Session, openSession, sessionFlags } from "./session.ts";
import { StatusError } from "#api/status-error.ts";

export const diffCommand: Command = {
  name: "diff",
  group: "Git",
  summary: "Show what differs between Git and the cluster",
  description:
    "Renders the newest commit, asks the server what applying it would store, and compares that with what is live, field by field.\nExits with 0 if nothing differs, 1 if something does, 2 if it could not be found out.",
  usage: "capstan diff [--revision REV | -f FILENAME] [flags]",
  examples: [
    "capstan diff",
    "capstan diff --revision feature-branch",
    "capstan diff -f web.yaml",
    "capstan diff --kustomization flux-system/apps -o json",
  ],
  flags: [
    ...sessionFlags,
    kustomizationFlag,
    ...fileFlags,
    {
      name: "revision",
      type: "string",
      placeholder: "REV",
      help: "Compare this branch, tag or commit instead of the one that the cluster follows",
    },
    { name: "output", short: "o", type: "string", placeholder: "json", help: "Print the differences as data" },
  ],
  async run(invocation) {
    const { flags, io } = invocation;
    const session = openSession(invocation);
    try {
      if (flags.given("filename")) return await diffFiles(session, invocation);
      const kustomization = await chosenKustomization(session, flags);
      const source = await sourceOf(session, kustomization);
      const diffs = await diffAgainst(session, kustomization, source, flags.string("revision"), io.signal);
      if (flags.string("output") === "json") io.stdout(`${JSON.stringify(diffs, null, 2)}\n`);
      else for (const one of diffs) io.stdout(show(one, io.isTerminal));
      if (diffs.some(({ change }) => change === "error")) return 2;
      return diffs.length > 0 ? 1 : 0;
    } catch (error) {
      io.stderr(error instanceof StatusError ? statusText(error) : `error: ${(error as Error).message}\n`);
      return 2;
    } finally {
      session.close();
    }
  },
};

async function diffAgainst(
  session: Session,
  kustomization: Kustomization,
  source: GitRepository,
  revision: string,
  signal: AbortSignal,
): Promise<ObjectDiff[]> {
  const directory = await mkdtemp(join(tmpdir(), "capstan-diff-"));
  try {
    const secret = await sourceSecret(session, source);
    const repository = new Repository({
      url: source.spec.url,
      directory,
      ...sourceAccess(secret, source.spec.timeout),
    });
    const found = await resolve(repository, revision, source.spec.ref ?? {});
    await repository.fetch(found);
    const memory = new ObjectMemory(repository);
    const commit = await repository.commit(found.commit);
    const tree = await readCommitTree(memory, commit.tree, source.spec.ignore);
    const render = createRenderSource(session.client, { secret: Secret, configMap: ConfigMap });
    const rendered = await render(kustomization, sourceState({ revision: found.revision, commit, tree, memory }));
    return await diffRendered({
      client: session.client,
      discovery: session.discovery,
      kustomization,
      rendered,
      signal,
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A revision is a commit, a branch or a tag, in this order. */
async function resolve(repository: Repository, revision: string, followed: GitReference) {
  if (revision === "") return await repository.resolve(followed);
  if (/^[0-9a-f]{40}$/.test(revision))
    return await repository.resolve({
      commit: revision,
      ...(followed.branch === undefined ? {} : { branch: followed.branch }),
    });
  return await repository.resolve({ branch: revision }).catch(async () => await repository.resolve({ tag: revision }));
}

const titles: Record<ObjectDiff["change"], string> = {
  create: "is created",
  change: "changes",
  delete: "is deleted",
  error: "cannot be applied",
};

function show({ identity, change, text }: ObjectDiff, colours: boolean): string {
  const paint = (code: number, line: string) => (colours ? `\u001b[${code}m${line}\u001b[0m` : line);
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => {
      if (change === "error") return paint(31, line);
      if (line.startsWith("+++") || line.startsWith("---")) return paint(1, line);
      if (line.startsWith("@@")) return paint(36, line);
      return line.startsWith("+") ? paint(32, line) : line.startsWith("-") ? paint(31, line) : line;
    });
  return `${paint(1, `# ${describeIdentity(identity)} ${titles[change]}`)}\n${lines.join("\n")}\n`;
}
