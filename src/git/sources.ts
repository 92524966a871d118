/**
 * Follows GitRepository objects: asks the remote, fetches what is new, keeps the tree of the current commit for those who
 * render it, and writes conditions. A source that fails keeps its last good commit: nothing is lost with a remote.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Clock } from "#lib/clock.ts";
import { durationMs } from "#api/duration.ts";
import { formatTime } from "#lib/clock.ts";
import { KeyedLoop } from "#lib/keyed-loop.ts";
import type { Logger } from "#lib/log.ts";
import type { V1Secret } from "#api/generated/types.ts";
import type { Cache } from "#client/cache.ts";
import type { Client } from "#client/client.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import type { ResourceRef } from "#client/resource-path.ts";
import { ObjectMemory, type TreeNode, readCommitTree } from "./commit-tree.ts";
import { type NewCondition, conditionOf, withConditions } from "./conditions.ts";
import { type Artifact, GitRepository, finalizer, requestedAtAnnotation } from "./kinds.ts";
import { type CommitFacts, GitError, Repository, type Revision } from "./repository.ts";
import { sourceAccess } from "./source-access.ts";
import { watchLocal } from "./watch-local.ts";

export interface SourcesOptions {
  client: Client;
  cache: Cache<GitRepository>;
  /** The Secret kind, from the list of kinds. */
  secret: ResourceRef<V1Secret>;
  directory: string;
  clock: Clock;
  log: Logger;
  events: EventRecorder;
  signal: AbortSignal;
  /** A source has a new commit, or its old one in a new form. */
  onCommit(key: string): void;
}

/** The commit that a source is at, ready to be rendered. */
export interface SourceState {
  revision: string;
  commit: CommitFacts;
  tree: TreeNode & { type: "directory" };
  memory: ObjectMemory;
  /** When the commit was first seen; the start of its time line. */
  seenAtMs: number;
  fetchMs: number;
}

/** The state of a commit that was read just now, outside of the loop. */
export function sourceState(read: Pick<SourceState, "revision" | "commit" | "tree" | "memory">): SourceState {
  return { ...read, seenAtMs: 0, fetchMs: 0 };
}

interface Held {
  repository: Repository;
  /** What the repository object was made from; another text means another repository. */
  madeFrom: string;
  memory: ObjectMemory;
  state: SourceState | undefined;
  unwatch: (() => void) | undefined;
}

const intervalMsDefault = 60_000;
/** After a failure the remote is asked again this soon, doubling up to the interval. */
const retry = { initialMs: 2_000, limitMs: 300_000 };

/** Fields of Flux's API that are accepted and not served; a condition says so. */
const unserved = ["verify", "include", "proxySecretRef", "recurseSubmodules"] as const;

export class Sources {
  readonly loop: KeyedLoop;
  readonly #options: SourcesOptions;
  readonly #held = new Map<string, Held>();

  constructor(options: SourcesOptions) {
    this.#options = options;
    this.loop = new KeyedLoop({
      run: async (key) => await this.#reconcile(key),
      onError: (key, error, retryMs) => options.log.warn("source failed", { source: key, retryMs, error }),
      backoff: retry,
      signal: options.signal,
    });
    options.cache.onChange(({ object, old, type }) => {
      if (type === "modified" && !isWorthARun(object, old)) return;
      this.loop.poke(keyOf(object));
    });
    options.signal.addEventListener("abort", () => this.#held.forEach(({ unwatch }) => unwatch?.()), { once: true });
  }

  state(key: string): SourceState | undefined {
    return this.#held.get(key)?.state;
  }

  /** Asks a remote at once (webhook, `capstan sync`); all of them without a key. */
  trigger(key?: string): void {
    for (const repository of this.#options.cache.list()) {
      if (key === undefined || key === keyOf(repository)) this.loop.poke(keyOf(repository));
    }
  }

  async #reconcile(key: string): Promise<number | undefined> {
    const [namespace, name] = key.split("/") as [string, string];
    const repository = this.#options.cache.get({ namespace, name });
    if (repository === undefined) {
      await this.#forget(key);
      return undefined;
    }
    if (repository.metadata.deletionTimestamp !== undefined) {
      await this.#forget(key);
      await this.#releaseFinalizer(repository);
      return undefined;
    }
    if (repository.spec.suspend === true) return undefined;
    const intervalMs = durationMs(repository.spec.interval) ?? intervalMsDefault;
    try {
      await this.#refresh(key, repository);
      return intervalMs;
    } catch (error) {
      const reason = error instanceof GitError ? error.reason : "GitOperationFailed";
      const message = error instanceof Error ? error.message : String(error);
      await this.#writeFailure(repository, reason, message);
      throw error;
    }
  }

  async #refresh(key: string, repository: GitRepository): Promise<void> {
    this.#refuseUnserved(repository);
    const startedAt = performance.now();
    const held = await this.#hold(key, repository);
    const found = await held.repository.resolve(repository.spec.ref ?? {}).catch(async (error: unknown) => {
      await this.#restore(key, held, repository);
      throw error;
    });
    const isNew = held.state?.revision !== found.revision;
    if (isNew) await this.#take(key, held, repository, found, startedAt);
    await this.#writeSuccess(repository, held.state!, isNew);
  }

  async #take(key: string, held: Held, repository: GitRepository, found: Revision, startedAt: number): Promise<void> {
    await held.repository.fetch(found);
    const commit = await held.repository.commit(found.commit);
    const tree = await readCommitTree(held.memory, commit.tree, repository.spec.ignore);
    const seenAtMs = this.#options.clock.now();
    held.state = {
      revision: found.revision,
      commit,
      tree,
      memory: held.memory,
      seenAtMs,
      fetchMs: performance.now() - startedAt,
    };
    this.#options.log.info("new commit", {
      source: key,
      revision: found.revision,
      fetchMs: Math.round(held.state.fetchMs),
    });
    this.#options.onCommit(key);
  }

  /** After a restart without a remote: the last commit is still on disk. */
  async #restore(key: string, held: Held, repository: GitRepository): Promise<void> {
    const revision = repository.status?.artifact?.revision;
    const commit = revision?.match(/sha1:([0-9a-f]{40})$/)?.[1];
    if (held.state !== undefined || revision === undefined || commit === undefined) return;
    try {
      const facts = await held.repository.commit(commit);
      const tree = await readCommitTree(held.memory, facts.tree, repository.spec.ignore);
      held.state = {
        revision,
        commit: facts,
        tree,
        memory: held.memory,
        seenAtMs: this.#options.clock.now(),
        fetchMs: 0,
      };
      this.#options.onCommit(key);
    } catch {
      // The copy on disk does not have it: there is nothing to go back to.
    }
  }

  #refuseUnserved(repository: GitRepository): void {
    const field = unserved.find((name) => repository.spec[name] !== undefined && repository.spec[name] !== false);
    if (field !== undefined) throw new GitError("GitOperationFailed", `spec.${field} is not supported by Capstan yet`);
    if (repository.spec.url.startsWith("ssh://"))
      throw new GitError("URLInvalid", "spec.url: ssh is not supported by Capstan yet; use https with a token");
    if (!["", "generic"].includes(repository.spec.provider ?? ""))
      throw new GitError(
        "GitOperationFailed",
        `spec.provider: ${repository.spec.provider} is not supported by Capstan yet`,
      );
  }

  async #hold(key: string, repository: GitRepository): Promise<Held> {
    const secret = await this.#secret(repository);
    const { url, timeout, ignore } = repository.spec;
    const madeFrom = JSON.stringify([url, timeout, ignore, secret]);
    const held = this.#held.get(key);
    if (held?.madeFrom === madeFrom) return held;
    held?.unwatch?.();
    const directory = join(this.#options.directory, `${repository.metadata.uid}.git`);
    const opened = new Repository({
      url,
      directory,
      ...sourceAccess(secret, timeout),
    });
    const unwatch =
      opened.localGitDirectory === undefined
        ? undefined
        : watchLocal(opened.localGitDirectory, () => this.loop.poke(key));
    const made: Held = { repository: opened, madeFrom, memory: new ObjectMemory(opened), state: undefined, unwatch };
    this.#held.set(key, made);
    return made;
  }

  async #secret(repository: GitRepository): Promise<Record<string, string> | undefined> {
    const name = repository.spec.secretRef?.name;
    if (name === undefined) return undefined;
    try {
      const secret = await this.#options.client.get(this.#options.secret, {
        namespace: repository.metadata.namespace,
        name,
      });
      return Object.fromEntries(
        Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, "base64").toString("utf8")]),
      );
    } catch (error) {
      throw new GitError(
        "AuthenticationFailed",
        `spec.secretRef: failed to get secret '${repository.metadata.namespace}/${name}': ${(error as Error).message}`,
      );
    }
  }

  async #forget(key: string): Promise<void> {
    const held = this.#held.get(key);
    held?.unwatch?.();
    this.#held.delete(key);
    this.loop.forget(key);
    await held?.repository.remove();
  }

  async #releaseFinalizer(repository: GitRepository): Promise<void> {
    const finalizers = (repository.metadata.finalizers ?? []).filter((name) => name !== finalizer);
    if (finalizers.length === (repository.metadata.finalizers ?? []).length) return;
    await this.#options.client.patch(GitRepository, repository.metadata, "merge", { metadata: { finalizers } });
  }

  async #writeSuccess(repository: GitRepository, state: SourceState, isNew: boolean): Promise<void> {
    const message = `stored artifact for revision '${state.revision}'`;
    const written =
      repository.status?.artifact?.revision === state.revision
        ? repository.status.artifact
        : artifactOf(repository, state, this.#options.clock.now());
    await this.#writeStatus(
      repository,
      { artifact: written },
      [
        { type: "Ready", status: "True", reason: "Succeeded", message },
        { type: "ArtifactInStorage", status: "True", reason: "Succeeded", message },
      ],
      ["Reconciling", "Stalled", "FetchFailed", "ArtifactOutdated"],
    );
    const title = state.commit.message.split("\n")[0] ?? "";
    if (isNew && repository.status?.artifact?.revision !== state.revision) {
      this.#options.events.record({
        about: repository,
        type: "Normal",
        reason: "NewArtifact",
        message: `stored artifact for commit '${title}'`,
        annotations: { "source.toolkit.fluxcd.io/revision": state.revision },
      });
    }
  }

  async #writeFailure(repository: GitRepository, reason: string, message: string): Promise<void> {
    const before = conditionOf(repository.status?.conditions, "Ready");
    if (before?.status !== "False" || before.message !== message) {
      this.#options.events.record({ about: repository, type: "Warning", reason, message });
    }
    await this.#writeStatus(
      repository,
      {},
      [
        { type: "Ready", status: "False", reason, message },
        { type: "FetchFailed", status: "True", reason, message },
        {
          type: "Reconciling",
          status: "True",
          reason: "ProgressingWithRetry",
          message: "reconciliation in progress: the last try failed",
        },
      ],
      [],
    );
  }

  async #writeStatus(
    repository: GitRepository,
    fields: Partial<NonNullable<GitRepository["status"]>>,
    set: readonly NewCondition[],
    remove: readonly string[],
  ): Promise<void> {
    const generation = repository.metadata.generation ?? 1;
    const requestedAt = repository.metadata.annotations?.[requestedAtAnnotation];
    const status: NonNullable<GitRepository["status"]> = {
      ...fields,
      observedGeneration: generation,
      conditions: withConditions(repository.status?.conditions, set, {
        remove,
        generation,
        nowMs: this.#options.clock.now(),
      }),
      ...(requestedAt === undefined ? {} : { lastHandledReconcileAt: requestedAt }),
    };
    if (isWithin(status, repository.status)) return;
    await this.#options.client.patch(
      GitRepository,
      repository.metadata,
      "merge",
      { status },
      { subresource: "status", fieldManager: "source-controller" },
    );
  }
}

export const keyOf = ({ metadata }: { metadata: { namespace?: string; name?: string } }): string =>
  `${metadata.namespace}/${metadata.name}`;

/** Status writes of our own are no reason to ask the remote again. */
function isWorthARun(object: GitRepository, old: GitRepository | undefined): boolean {
  const asked = (one: GitRepository | undefined) => one?.metadata.annotations?.[requestedAtAnnotation];
  return (
    object.metadata.generation !== old?.metadata.generation ||
    asked(object) !== asked(old) ||
    object.metadata.deletionTimestamp !== old?.metadata.deletionTimestamp
  );
}

function artifactOf(repository: GitRepository, { revision, commit, tree }: SourceState, nowMs: number): Artifact {
  const { namespace, name } = repository.metadata;
  return {
    digest: `sha256:${createHash("sha256").update(tree.oid).digest("hex")}`,
    lastUpdateTime: formatTime(nowMs),
    path: `gitrepository/${namespace}/${name}/${commit.commit}`,
    revision,
    url: repository.spec.url.replace(/\/\/[^/@]*@/, "//"),
  };
}

/** Whether writing `next` would change nothing. */
function isWithin(next: object, now: object | undefined): boolean {
  return (
    now !== undefined &&
    Object.entries(next).every(
      ([key, value]) => JSON.stringify(value) === JSON.stringify((now as Record<string, unknown>)[key]),
    )
  );
}
