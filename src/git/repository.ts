/**
 * A Git repository as a source: asks which commit a reference means, fetches that commit (shallow, only what is new), and
 * gives its tree. A remote one is kept as a bare repository in the data directory; a local one (file://) is read in place
 * and never written.
 */
import fs, { existsSync, readFileSync, statSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join, resolve as resolvePath } from "node:path";
import { fileURLToPath } from "node:url";
import git, { Errors, type ServerRef } from "isomorphic-git";
import semver from "semver";
import { createGitHttp } from "./git-http.ts";
import { gitAuth, type SourceAccess } from "./source-access.ts";

/** What to follow; precedence commit > name > semver > tag > branch, as Flux has it. */
export interface GitReference {
  branch?: string;
  tag?: string;
  semver?: string;
  name?: string;
  commit?: string;
}

export interface RepositoryOptions extends SourceAccess {
  url: string;
  /** Where a remote repository is kept. */
  directory: string;
}

/** A commit and how Flux writes it: `main@sha1:…`, or `sha1:…` for a commit that was asked for by hash. */
export interface Revision {
  commit: string;
  revision: string;
  /** The full ref to fetch it by, where one is known. */
  ref: string | undefined;
}

export interface CommitFacts {
  commit: string;
  tree: string;
  message: string;
  author: string;
  timeMs: number;
  parents: readonly string[];
}

/** Why a source could not be read; `reason` is Flux's condition reason. */
export class GitError extends Error {
  readonly reason: GitErrorReason;
  constructor(reason: GitErrorReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "GitError";
    this.reason = reason;
  }
}
export type GitErrorReason = "AuthenticationFailed" | "GitOperationFailed" | "URLInvalid" | "EmptyGitRepository";

export class Repository {
  readonly url: string;
  /** The folder of a local repository that a change shows in; undefined for a remote one. */
  readonly localGitDirectory: string | undefined;
  readonly #gitdir: string;
  readonly #options: RepositoryOptions;
  /** isomorphic-git keeps parsed pack indexes here. */
  #cache: object = {};

  constructor(options: RepositoryOptions) {
    this.url = options.url;
    this.#options = options;
    this.localGitDirectory = options.url.startsWith("file://") ? localGitDirectory(options.url) : undefined;
    this.#gitdir = this.localGitDirectory ?? options.directory;
  }

  /** Which commit the reference means now. Talks to the remote, downloads nothing. Rejects with GitError. */
  async resolve(reference: GitReference): Promise<Revision> {
    if (reference.commit !== undefined && reference.commit !== "") {
      const named = reference.branch ?? reference.tag ?? reference.name;
      return {
        commit: reference.commit,
        revision: `${named === undefined ? "" : `${named}@`}sha1:${reference.commit}`,
        ref: reference.branch === undefined ? undefined : `refs/heads/${reference.branch}`,
      };
    }
    const refs = await this.#refs();
    if (refs.length === 0) throw new GitError("EmptyGitRepository", `repository ${shown(this.url)} has no commits`);
    const { ref, label } = choose(reference, refs);
    const found = refs.find((candidate) => candidate.ref === ref);
    if (found === undefined)
      throw new GitError("GitOperationFailed", `couldn't find remote ref "${ref}" in ${shown(this.url)}`);
    const commit = found.peeled ?? found.oid;
    return { commit, revision: `${label}@sha1:${commit}`, ref };
  }

  /** Makes sure that the commit's objects are here. */
  async fetch({ commit, ref }: Revision): Promise<void> {
    if (this.localGitDirectory !== undefined || (await this.#has(commit))) return;
    await this.#prepare();
    this.#cache = {};
    await this.#guard(() => this.#download(ref ?? commit, 1));
    if (await this.#has(commit)) return;
    // A commit behind the tip of its branch: a shallow fetch of the tip does not bring it.
    await this.#guard(() => this.#download(ref ?? commit, undefined));
    if (!(await this.#has(commit)))
      throw new GitError("GitOperationFailed", `commit ${commit} is not in ${shown(this.url)}`);
  }

  async commit(commit: string): Promise<CommitFacts> {
    return await this.#guard(async () => {
      const { commit: read } = await git.readCommit({ fs, gitdir: this.#gitdir, oid: commit, cache: this.#cache });
      const { tree, message, author, committer, parent } = read;
      return {
        commit,
        tree,
        message,
        author: `${author.name} <${author.email}>`,
        timeMs: committer.timestamp * 1000,
        parents: parent,
      };
    });
  }

  /** The entries of one tree object. */
  async readTree(
    oid: string,
  ): Promise<readonly { path: string; mode: string; type: "blob" | "tree" | "commit"; oid: string }[]> {
    return await this.#guard(async () => {
      const { tree } = await git.readTree({ fs, gitdir: this.#gitdir, oid, cache: this.#cache });
      return tree.map(({ path, mode, type, oid: entry }) => ({ path, mode, type, oid: entry }));
    });
  }

  async readBlob(oid: string): Promise<Buffer> {
    return await this.#guard(async () => {
      const { blob } = await git.readBlob({ fs, gitdir: this.#gitdir, oid, cache: this.#cache });
      return Buffer.from(blob.buffer, blob.byteOffset, blob.length);
    });
  }

  /** Forgets a remote repository's copy. */
  async remove(): Promise<void> {
    if (this.localGitDirectory === undefined) await rm(this.#gitdir, { recursive: true, force: true });
  }

  async #refs(): Promise<ServerRef[]> {
    if (this.localGitDirectory === undefined) return await this.#guard(() => this.#remoteRefs());
    return await this.#guard(async () => {
      this.#cache = {};
      const names = await git.listRefs({ fs, gitdir: this.#gitdir, filepath: "refs" });
      return await Promise.all(names.map(async (name) => await this.#localRef(`refs/${name}`)));
    });
  }

  async #localRef(ref: string): Promise<ServerRef> {
    const oid = await git.resolveRef({ fs, gitdir: this.#gitdir, ref });
    const { type } = await git
      .readObject({ fs, gitdir: this.#gitdir, oid, format: "deflated", cache: this.#cache })
      .catch(() => ({ type: "" }));
    if (type !== "tag" && !ref.startsWith("refs/tags/")) return { ref, oid };
    const peeled = await this.#peel(oid);
    return peeled === oid ? { ref, oid } : { ref, oid, peeled };
  }

  async #peel(oid: string): Promise<string> {
    try {
      const { tag } = await git.readTag({ fs, gitdir: this.#gitdir, oid, cache: this.#cache });
      return await this.#peel(tag.object);
    } catch {
      return oid; // not a tag object: a commit
    }
  }

  async #remoteRefs(): Promise<ServerRef[]> {
    const { url } = this.#options;
    const refs = await git.listServerRefs({
      http: this.#http(),
      url,
      ...gitAuth(this.#options.credentials),
      protocolVersion: 2,
      peelTags: true,
      prefix: "refs/",
    });
    return refs;
  }

  async #download(ref: string, depth: number | undefined): Promise<void> {
    await git.fetch({
      fs,
      http: this.#http(),
      gitdir: this.#gitdir,
      url: this.#options.url,
      remote: "origin",
      ref,
      remoteRef: ref,
      singleBranch: true,
      tags: false,
      cache: this.#cache,
      ...(depth === undefined ? {} : { depth }),
      ...gitAuth(this.#options.credentials),
    });
  }

  async #prepare(): Promise<void> {
    if (existsSync(join(this.#gitdir, "HEAD"))) return;
    await mkdir(this.#gitdir, { recursive: true, mode: 0o700 });
    await git.init({ fs, gitdir: this.#gitdir, bare: true, defaultBranch: "main" });
    await git.addRemote({
      fs,
      gitdir: this.#gitdir,
      remote: "origin",
      url: withoutUser(this.#options.url),
      force: true,
    });
  }

  async #has(commit: string): Promise<boolean> {
    try {
      const { commit: read } = await git.readCommit({ fs, gitdir: this.#gitdir, oid: commit, cache: this.#cache });
      await git.readTree({ fs, gitdir: this.#gitdir, oid: read.tree, cache: this.#cache });
      return true;
    } catch {
      return false;
    }
  }

  #http() {
    return createGitHttp(this.#options.http);
  }

  async #guard<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      throw asGitError(error, this.url);
    }
  }
}

/** Which ref a reference means, and how a revision names it. */
function choose(reference: GitReference, refs: readonly ServerRef[]): { ref: string; label: string } {
  const { name, semver: range, tag, branch } = reference;
  if (name !== undefined && name !== "") return { ref: name, label: name };
  if (range !== undefined && range !== "") {
    const tags = refs
      .filter(({ ref }) => ref.startsWith("refs/tags/"))
      .map(({ ref }) => ref.slice("refs/tags/".length));
    const best = highestTag(tags, range);
    if (best === undefined) throw new GitError("GitOperationFailed", `no match found for semver: ${range}`);
    return { ref: `refs/tags/${best}`, label: best };
  }
  if (tag !== undefined && tag !== "") return { ref: `refs/tags/${tag}`, label: tag };
  const chosen = branch === undefined || branch === "" ? "master" : branch;
  return { ref: `refs/heads/${chosen}`, label: chosen };
}

/** The tag with the highest version that satisfies the range; tags that are no versions do not count. */
export function highestTag(tags: readonly string[], range: string): string | undefined {
  const versions = tags.flatMap((tag) => {
    const version = semver.parse(tag) ?? semver.coerce(tag, { includePrerelease: true });
    return version === null || !/^v?\d/.test(tag) ? [] : [{ tag, version }];
  });
  const fitting = versions.filter(({ version }) => semver.satisfies(version, range));
  fitting.sort((a, b) => semver.compare(b.version, a.version));
  return fitting[0]?.tag;
}

/** The Git directory of a file:// URL: a bare repository, a checkout, or a checkout whose .git is a pointer. */
function localGitDirectory(url: string): string {
  const path = fileURLToPath(url);
  const inner = join(path, ".git");
  if (existsSync(inner)) {
    if (statSync(inner).isDirectory()) return inner;
    const pointer = readFileSync(inner, "utf8").match(/^gitdir: (.+)$/m)?.[1];
    if (pointer !== undefined) return resolvePath(path, pointer.trim());
  }
  if (existsSync(join(path, "HEAD"))) return path;
  throw new GitError("GitOperationFailed", `${path} is not a Git repository`);
}

function asGitError(error: unknown, url: string): GitError {
  if (error instanceof GitError) return error;
  const cause = { cause: error };
  if (error instanceof Errors.HttpError) {
    const { statusCode } = error.data;
    if (statusCode === 401 || statusCode === 403)
      return new GitError("AuthenticationFailed", `failed to authenticate to ${shown(url)}: HTTP ${statusCode}`, cause);
    return new GitError(
      "GitOperationFailed",
      `${shown(url)} answered HTTP ${statusCode} ${error.data.statusMessage}`,
      cause,
    );
  }
  if (error instanceof Errors.UserCanceledError)
    return new GitError("AuthenticationFailed", `failed to authenticate to ${shown(url)}: wrong credentials`, cause);
  if (error instanceof Errors.UrlParseError || error instanceof Errors.UnknownTransportError)
    return new GitError("URLInvalid", `${shown(url)}: ${error.message}`, cause);
  const message = error instanceof Error ? error.message : String(error);
  return new GitError("GitOperationFailed", `${shown(url)}: ${message}`, cause);
}

function withoutUser(url: string): string {
  try {
    const parsed = new URL(url);
    parsed.username = "";
    parsed.password = "";
    return parsed.href;
  } catch {
    return url;
  }
}

/** A URL as it may be shown: without credentials. */
const shown = (url: string) => withoutUser(url);
