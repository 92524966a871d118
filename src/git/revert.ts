/**
 * Makes the commit that undoes another, without a working tree: on trees, file by file. A file that has changed again
 * since is a conflict, and nothing is written.
 */
import fs from "node:fs";
import git from "isomorphic-git";

export interface RevertOptions {
  gitdir: string;
  /** Full name of the branch, refs/heads/main. */
  ref: string;
  /** The branch's tip. */
  tip: string;
  author: { name: string; email: string };
}

export class RevertConflict extends Error {
  readonly files: readonly string[];
  constructor(commit: string, files: readonly string[]) {
    super(`${commit.slice(0, 12)} cannot be undone by itself, these files changed again since: ${files.join(", ")}`);
    this.files = files;
  }
}

interface FileEntry {
  mode: string;
  oid: string;
}
type Files = Map<string, FileEntry>;

/** Undoes one commit on top of the tip; resolves with the new commit. Throws RevertConflict. */
export async function revertCommit(options: RevertOptions, commit: string): Promise<string> {
  const { gitdir, tip } = options;
  const { commit: undone } = await git.readCommit({ fs, gitdir, oid: commit });
  const [parent] = undone.parent;
  if (parent === undefined) throw new Error(`${commit.slice(0, 12)} is the first commit: there is nothing before it`);
  const [before, after, now] = await Promise.all([
    listFiles(gitdir, parent),
    listFiles(gitdir, commit),
    listFiles(gitdir, tip),
  ]);
  const result = new Map(now);
  const conflicts: string[] = [];
  for (const path of changedPaths(before, after)) {
    if (!isSame(now.get(path), after.get(path))) {
      if (!isSame(now.get(path), before.get(path))) conflicts.push(path);
      continue;
    }
    const former = before.get(path);
    if (former === undefined) result.delete(path);
    else result.set(path, former);
  }
  if (conflicts.length > 0) throw new RevertConflict(commit, conflicts);
  const title = undone.message.split("\n")[0] ?? "";
  return await writeCommit(options, result, `Revert "${title}"\n\nThis reverts commit ${commit}.\n`);
}

/** A commit on top of the tip with the content of an older one. */
export async function restoreCommit(options: RevertOptions, commit: string): Promise<string> {
  const { commit: wanted } = await git.readCommit({ fs, gitdir: options.gitdir, oid: commit });
  const title = wanted.message.split("\n")[0] ?? "";
  const files = await listFiles(options.gitdir, commit);
  return await writeCommit(
    options,
    files,
    `Roll back to ${commit.slice(0, 12)} "${title}"\n\nThis restores the content of commit ${commit}.\n`,
  );
}

function changedPaths(before: Files, after: Files): string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].filter((path) => !isSame(before.get(path), after.get(path))).sort();
}

const isSame = (a: FileEntry | undefined, b: FileEntry | undefined) => a?.oid === b?.oid && a?.mode === b?.mode;

async function listFiles(gitdir: string, commit: string): Promise<Files> {
  const files: Files = new Map();
  const walk = async (oid: string, folder: string): Promise<void> => {
    const { tree } = await git.readTree({ fs, gitdir, oid });
    for (const { path, mode, type, oid: entry } of tree) {
      const full = folder === "" ? path : `${folder}/${path}`;
      if (type === "tree") await walk(entry, full);
      else files.set(full, { mode, oid: entry });
    }
  };
  await walk(commit, "");
  return files;
}

async function writeCommit(
  { gitdir, ref, tip, author }: RevertOptions,
  files: Files,
  message: string,
): Promise<string> {
  const tree = await writeTree(gitdir, files);
  return await git.commit({ fs, gitdir, ref, tree, parent: [tip], message, author });
}

async function writeTree(gitdir: string, files: Files): Promise<string> {
  const folders = new Map<string, Files>();
  const entries: { mode: string; path: string; oid: string; type: "blob" | "tree" | "commit" }[] = [];
  for (const [path, { mode, oid }] of files) {
    const cut = path.indexOf("/");
    if (cut < 0) entries.push({ mode, path, oid, type: mode === "160000" ? "commit" : "blob" });
    else {
      const folder = path.slice(0, cut);
      const inner = folders.get(folder) ?? new Map();
      inner.set(path.slice(cut + 1), { mode, oid });
      folders.set(folder, inner);
    }
  }
  for (const [path, inner] of folders)
    entries.push({ mode: "040000", path, oid: await writeTree(gitdir, inner), type: "tree" });
  return await git.writeTree({ fs, gitdir, tree: entries });
}
