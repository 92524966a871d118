/** `capstan rollback`: the revert commit of what was applied last, pushed to where the cluster takes its state from. */
import fs from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import git from "isomorphic-git";
import { createGitHttp } from "./git-http.ts";
import { Repository } from "./repository.ts";
import { restoreCommit, revertCommit } from "./revert.ts";
import { gitAuth, type SourceAccess } from "./source-access.ts";

export interface RollbackOptions extends SourceAccess {
  url: string;
  branch: string;
  author: { name: string; email: string };
  /** The commit to undo. */
  undo: string;
  /** Restore the content of this commit instead. */
  to?: string;
}

export interface RollbackResult {
  commit: string;
  message: string;
}

/** Rejects, with nothing written or pushed, on conflicts, on a dirty working tree, and when the push is refused. */
export async function rollBack(options: RollbackOptions): Promise<RollbackResult> {
  return options.url.startsWith("file://") ? await inPlace(options) : await byPush(options);
}

async function inPlace(options: RollbackOptions): Promise<RollbackResult> {
  const repository = new Repository({ url: options.url, directory: "", http: options.http });
  const gitdir = repository.localGitDirectory!;
  const ref = `refs/heads/${options.branch}`;
  const tip = await git.resolveRef({ fs, gitdir, ref });
  const checkout = await checkedOut(gitdir, ref);
  if (checkout !== undefined && !(await isClean(checkout, gitdir)))
    throw new Error(`the working tree at ${checkout} has changes: commit or stash them first`);
  const commit = await undo(options, gitdir, ref, tip);
  if (checkout !== undefined) await git.checkout({ fs, dir: checkout, gitdir, ref: options.branch, force: true });
  return await describe(gitdir, commit);
}

/** The working tree that shows this branch, if there is one. */
async function checkedOut(gitdir: string, ref: string): Promise<string | undefined> {
  if (!gitdir.endsWith("/.git")) return undefined;
  const current = await git.currentBranch({ fs, gitdir, fullname: true });
  return current === ref ? dirname(gitdir) : undefined;
}

async function isClean(dir: string, gitdir: string): Promise<boolean> {
  const matrix = await git.statusMatrix({ fs, dir, gitdir });
  return matrix.every(
    ([, head, work, stage]) => (head === 1 && work === 1 && stage === 1) || (head === 0 && stage === 0),
  );
}

async function byPush(options: RollbackOptions): Promise<RollbackResult> {
  const gitdir = await mkdtemp(join(tmpdir(), "capstan-rollback-"));
  const ref = `refs/heads/${options.branch}`;
  const http = createGitHttp(options.http);
  const auth = gitAuth(options.credentials);
  try {
    await git.init({ fs, gitdir, bare: true, defaultBranch: options.branch });
    await git.addRemote({ fs, gitdir, remote: "origin", url: options.url });
    const { fetchHead } = await git.fetch({
      fs,
      http,
      gitdir,
      url: options.url,
      remote: "origin",
      ref,
      remoteRef: ref,
      singleBranch: true,
      tags: false,
      ...auth,
    });
    if (fetchHead === null) throw new Error(`couldn't find remote ref "${ref}"`);
    await git.writeRef({ fs, gitdir, ref, value: fetchHead, force: true });
    const commit = await undo(options, gitdir, ref, fetchHead);
    const pushed = await git.push({ fs, http, gitdir, url: options.url, ref, remoteRef: ref, ...auth });
    if (!pushed.ok) throw new Error(`the push was refused: ${pushed.error ?? "no reason given"}`);
    return await describe(gitdir, commit);
  } finally {
    await rm(gitdir, { recursive: true, force: true });
  }
}

async function undo(
  { author, undo: commit, to }: RollbackOptions,
  gitdir: string,
  ref: string,
  tip: string,
): Promise<string> {
  const revert = { gitdir, ref, tip, author };
  if (to === undefined) return await revertCommit(revert, await git.expandOid({ fs, gitdir, oid: commit }));
  return await restoreCommit(revert, await resolveCommit(gitdir, to));
}

async function resolveCommit(gitdir: string, revision: string): Promise<string> {
  const hash = revision.replace(/^.*sha1:/, "");
  if (/^[0-9a-f]{4,40}$/.test(hash)) return await git.expandOid({ fs, gitdir, oid: hash });
  return await git.resolveRef({ fs, gitdir, ref: revision });
}

async function describe(gitdir: string, commit: string): Promise<RollbackResult> {
  const { commit: read } = await git.readCommit({ fs, gitdir, oid: commit });
  return { commit, message: read.message.split("\n")[0] ?? "" };
}
