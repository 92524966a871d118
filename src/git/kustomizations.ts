/**
 * Holds the cluster to what Kustomization objects say: render the commit, apply it in stages, prune what left it, wait for
 * health, tell the outcome. A newer commit ends a run that still waits for an older one.
 */
import type { Clock } from "#lib/clock.ts";
import { durationMs } from "#api/duration.ts";
import { KeyedLoop } from "#lib/keyed-loop.ts";
import type { Logger } from "#lib/log.ts";
import { sleep } from "#lib/sleep.ts";
import type { UnknownObject } from "#api/object.ts";
import { isNotFound } from "#api/status-error.ts";
import type { Cache } from "#client/cache.ts";
import type { Client } from "#client/client.ts";
import type { Discovery } from "#client/discovery.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import { type Outcome, applyAll, messageOf, pruneAll } from "./apply.ts";
import { isReady } from "./conditions.ts";
import { type Drift, DriftWatch } from "./drift.ts";
import { healthOf } from "./health.ts";
import { type ObjectIdentity, describeIdentity, identityKey, identityOf, identityOfEntry } from "./inventory.ts";
import { Kustomization, finalizer, requestedAtAnnotation } from "./kinds.ts";
import { KustomizationStatus } from "./kustomization-status.ts";
import { type Wished, contentOf, deletionOrder, findDuplicates, lastWriter, planInventory, withOwner } from "./plan.ts";
import { type RenderSource, type Rendered, unservedField } from "./render-source.ts";
import { RunFailure } from "./run-failure.ts";
import { type SourceState, type Sources, keyOf } from "./sources.ts";

export interface KustomizationsOptions {
  client: Client;
  cache: Cache<Kustomization>;
  discovery: Discovery;
  sources: Sources;
  render: RenderSource;
  clock: Clock;
  log: Logger;
  events: EventRecorder;
  signal: AbortSignal;
}

/** What a run learned, for the next one and for drift. */
interface Held {
  /** Content last applied, by identity. */
  known: Map<string, string>;
  wished: Map<string, Wished>;
}

const intervalMsDefault = 600_000;
const timeoutMsMin = 30_000;
const healthPollMs = 250;
/** How many errors a condition spells out; the rest is counted. */
const errorsShownMax = 20;

export class Kustomizations {
  readonly loop: KeyedLoop;
  readonly #options: KustomizationsOptions;
  readonly #status: KustomizationStatus;
  readonly #held = new Map<string, Held>();
  readonly #drift: DriftWatch;

  constructor(options: KustomizationsOptions) {
    this.#options = options;
    this.#status = new KustomizationStatus(options.client, options.clock, options.events);
    this.#drift = new DriftWatch({
      client: options.client,
      discovery: options.discovery,
      log: options.log,
      signal: options.signal,
      onDrift: async (drifts) => await this.#correct(drifts),
    });
    this.loop = new KeyedLoop({
      run: async (key, signal) => await this.#reconcile(key, signal),
      onError: (key, error, retryMs) =>
        options.log.debug("kustomization is tried again", { kustomization: key, retryMs, error }),
      backoff: { initialMs: 1_000, limitMs: 60_000 },
      signal: options.signal,
    });
    options.cache.onChange(({ object, old, type }) => {
      const key = keyOf(object);
      if (type === "modified" && !isWorthARun(object, old)) this.#pokeDependents(object, old);
      else this.loop.poke(key);
    });
  }

  /** A source has a new commit: whoever uses it has something newer to do. */
  onCommit(sourceKey: string): void {
    for (const kustomization of this.#options.cache.list()) {
      if (sourceKeyOf(kustomization) === sourceKey) this.loop.poke(keyOf(kustomization), { supersede: true });
    }
  }

  #pokeDependents(object: Kustomization, old: Kustomization | undefined): void {
    if (
      isReady(object) === (old !== undefined && isReady(old)) &&
      object.status?.lastAppliedRevision === old?.status?.lastAppliedRevision
    )
      return;
    const key = keyOf(object);
    for (const other of this.#options.cache.list()) {
      const namespace = other.metadata.namespace ?? "";
      const waits = (other.spec.dependsOn ?? []).some((one) => `${one.namespace ?? namespace}/${one.name}` === key);
      if (waits && !isReady(other)) this.loop.poke(keyOf(other));
    }
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<number | undefined> {
    const [namespace, name] = key.split("/") as [string, string];
    const kustomization = this.#options.cache.get({ namespace, name });
    if (kustomization === undefined) {
      this.#forget(key);
      return undefined;
    }
    if (kustomization.metadata.deletionTimestamp !== undefined) {
      await this.#finalize(kustomization, signal);
      return undefined;
    }
    if (kustomization.spec.suspend === true) return undefined;
    const intervalMs = durationMs(kustomization.spec.interval) ?? intervalMsDefault;
    try {
      await this.#run(key, kustomization, signal);
      return intervalMs;
    } catch (error) {
      if (!(error instanceof RunFailure)) throw error;
      await this.#status.failed(
        kustomization,
        error.reason,
        error.message,
        error.isTerminal,
        this.#sourceOf(kustomization)?.revision,
      );
      if (error.isTerminal) return undefined;
      return durationMs(kustomization.spec.retryInterval) ?? Math.min(intervalMs, 30_000);
    }
  }

  async #run(key: string, kustomization: Kustomization, signal: AbortSignal): Promise<void> {
    const { spec } = kustomization;
    const unserved = unservedField(kustomization);
    if (unserved !== undefined)
      throw new RunFailure("FeatureGateDisabled", `spec.${unserved} is not supported by Capstan yet`, true);
    const source = this.#requireSource(kustomization);
    this.#requireDependencies(kustomization, source.revision);
    await this.#keepFinalizer(kustomization);
    const startedAt = performance.now();
    const rendered = await this.#render(kustomization, source);
    const renderMs = performance.now() - startedAt;
    const wished = wishedOf(kustomization, rendered);
    const held = this.#hold(key, wished);
    if (kustomization.status?.lastAppliedRevision !== source.revision)
      void this.#status.progressing(kustomization, source.revision);

    const outcomes = await applyAll(wished, {
      client: this.#options.client,
      discovery: this.#options.discovery,
      force: spec.force === true,
      signal,
      known: held.known,
    });
    const applyMs = performance.now() - startedAt - renderMs;
    for (const { identity, live } of outcomes) if (live !== undefined) this.#drift.expect(key, identity, live);
    const failures = outcomes.filter(({ action }) => action === "failed");
    const errors = [
      ...rendered.errors.map(({ origin, message }) => `${origin}: ${message}`),
      ...failures.map(({ error }) => error ?? ""),
    ];
    const { entries, pruned } = await this.#prune(kustomization, wished, failures, rendered, errors, signal);
    await this.#drift.follow(key, wished);
    const done = {
      revision: source.revision,
      entries,
      changes: [...outcomes, ...pruned],
      timing: { fetchMs: source.fetchMs, renderMs, applyMs },
    };
    this.#logRun(key, done.revision, done.changes, done.timing);
    await this.#status.applied(
      kustomization,
      done,
      errors.length > 0
        ? { reason: rendered.errors.length > 0 ? "BuildFailed" : "ReconciliationFailed", message: listErrors(errors) }
        : undefined,
    );
    if (errors.length > 0)
      throw new RunFailure(rendered.errors.length > 0 ? "BuildFailed" : "ReconciliationFailed", listErrors(errors));
    await this.#waitForHealth(kustomization, wished, source.revision, signal);
    await this.#status.ready(kustomization, done);
  }

  #requireSource(kustomization: Kustomization): SourceState {
    const { sourceRef } = kustomization.spec;
    const key = sourceKeyOf(kustomization);
    if (sourceRef.kind !== "GitRepository")
      throw new RunFailure(
        "ArtifactFailed",
        `spec.sourceRef.kind: ${sourceRef.kind} is not supported by Capstan yet`,
        true,
      );
    const state = this.#options.sources.state(key);
    if (state === undefined)
      throw new RunFailure("ArtifactFailed", `Source '${sourceRef.kind}/${key}' not found or not fetched yet`);
    return state;
  }

  #sourceOf(kustomization: Kustomization): SourceState | undefined {
    return this.#options.sources.state(sourceKeyOf(kustomization));
  }

  #requireDependencies(kustomization: Kustomization, revision: string): void {
    const own = kustomization.metadata.namespace ?? "";
    for (const { name, namespace = own } of kustomization.spec.dependsOn ?? []) {
      const dependency = this.#options.cache.get({ namespace, name });
      if (dependency === undefined)
        throw new RunFailure("DependencyNotReady", `dependency '${namespace}/${name}' not found`);
      const sharesSource = sourceKeyOf(dependency) === sourceKeyOf(kustomization);
      if (!isReady(dependency))
        throw new RunFailure("DependencyNotReady", `dependency '${namespace}/${name}' is not ready`);
      if (sharesSource && dependency.status?.lastAppliedRevision !== revision)
        throw new RunFailure("DependencyNotReady", `dependency '${namespace}/${name}' revision is not up to date`);
    }
  }

  async #render(kustomization: Kustomization, source: SourceState): Promise<Rendered> {
    try {
      return await this.#options.render(kustomization, source);
    } catch (error) {
      if (error instanceof RunFailure) throw error;
      throw new RunFailure("BuildFailed", messageOf(error));
    }
  }

  async #prune(
    kustomization: Kustomization,
    wished: readonly Wished[],
    failures: readonly Outcome[],
    rendered: Rendered,
    errors: string[],
    signal: AbortSignal,
  ) {
    const before = kustomization.status?.inventory?.entries ?? [];
    const notApplied = new Set(failures.map(({ identity }) => identityKey(identity)));
    const plan = planInventory(
      before,
      wished.map(({ identity }) => identity),
      notApplied,
    );
    // A source that could not be read whole, or that has become empty, does not say what is to go.
    const isComplete = rendered.errors.length === 0;
    if (isComplete && wished.length === 0 && before.length > 0) {
      errors.push(
        `the source has no objects under ${JSON.stringify(kustomization.spec.path ?? "./")}: nothing is pruned, ${before.length} objects stay (delete the Kustomization to remove them)`,
      );
    }
    const mayPrune = kustomization.spec.prune && isComplete && wished.length > 0;
    const owner = ownerOf(kustomization);
    const pruned = mayPrune
      ? await pruneAll(plan.prune, { client: this.#options.client, discovery: this.#options.discovery, owner, signal })
      : [];
    const failedPrunes = pruned.filter(({ action }) => action === "failed");
    errors.push(...failedPrunes.map(({ error }) => error ?? ""));
    const kept = mayPrune ? failedPrunes.map(({ identity }) => identity) : plan.prune;
    const keptIds = new Set(kept.map(identityKey));
    const entries = [
      ...plan.entries,
      ...before.filter((entry) =>
        keptIds.has(
          identityKey(identityOfEntry(entry) ?? { namespace: "", name: "", group: "", version: "", kind: "" }),
        ),
      ),
    ];
    return { entries, pruned };
  }

  async #waitForHealth(
    kustomization: Kustomization,
    wished: readonly Wished[],
    revision: string,
    signal: AbortSignal,
  ): Promise<void> {
    const checks = healthTargets(kustomization, wished);
    if (checks.length === 0) return;
    const { timeout, interval } = kustomization.spec;
    const timeoutMs =
      durationMs(timeout) ?? Math.max(timeoutMsMin, (durationMs(interval) ?? intervalMsDefault) - 30_000);
    void this.#status.checkingHealth(kustomization, revision, timeoutMs);
    const deadline = performance.now() + timeoutMs;
    let waiting = checks;
    for (;;) {
      signal.throwIfAborted();
      const states = await Promise.all(
        waiting.map(async (identity) => ({
          identity,
          health: healthOf(await this.#read(identity), this.#options.clock.now()),
        })),
      );
      const failed = states.filter(({ health }) => health.status === "Failed");
      if (failed.length > 0)
        throw new RunFailure(
          "HealthCheckFailed",
          `health check failed: ${listErrors(failed.map(({ identity, health }) => `${describeIdentity(identity)}: ${health.message}`))}`,
        );
      const pending = states.filter(({ health }) => health.status !== "Current");
      if (pending.length === 0) return;
      if (performance.now() > deadline) {
        throw new RunFailure(
          "HealthCheckFailed",
          `timeout waiting for: ${listErrors(pending.map(({ identity, health }) => `${describeIdentity(identity)} (${health.status}: ${health.message})`))}`,
        );
      }
      waiting = pending.map(({ identity }) => identity);
      await sleep(healthPollMs, signal);
    }
  }

  async #read(identity: ObjectIdentity): Promise<UnknownObject | undefined> {
    const apiVersion = identity.group === "" ? identity.version : `${identity.group}/${identity.version}`;
    const ref = await this.#options.discovery.resolve(apiVersion, identity.kind);
    if (ref === undefined) return undefined;
    try {
      return await this.#options.client.get(ref, ref.scope === "Cluster" ? { name: identity.name } : identity);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** Somebody changed or deleted what Git says: puts it back and tells who it was. */
  async #correct(drifts: readonly Drift[]): Promise<void> {
    for (const { owner, identity, live } of drifts) {
      const held = this.#held.get(owner);
      const wished = held?.wished.get(identityKey(identity));
      const [namespace, name] = owner.split("/") as [string, string];
      const kustomization = this.#options.cache.get({ namespace, name });
      if (held === undefined || wished === undefined || kustomization === undefined) continue;
      if (kustomization.spec.suspend === true || kustomization.metadata.deletionTimestamp !== undefined) continue;
      const [outcome] = await applyAll([wished], {
        client: this.#options.client,
        discovery: this.#options.discovery,
        force: kustomization.spec.force === true,
        signal: this.#options.signal,
        known: held.known,
      });
      if (outcome?.live !== undefined) this.#drift.expect(owner, identity, outcome.live);
      if (outcome === undefined || outcome.action === "skipped") continue;
      const changed = live === undefined || outcome.live === undefined || contentOf(live) !== contentOf(outcome.live);
      if (!changed) {
        this.#drift.forgive(identity); // a field that Git does not speak of
        continue;
      }
      const who =
        live === undefined
          ? "deleted"
          : `changed by ${lastWriter(live, "kustomize-controller") ?? "an unknown manager"}`;
      if (outcome.action === "failed")
        this.#options.log.warn("drift could not be corrected", { kustomization: owner, error: outcome.error });
      else {
        this.#options.log.info("drift corrected", { kustomization: owner, object: describeIdentity(identity), who });
        this.#options.events.record({
          about: kustomization,
          type: "Normal",
          reason: "DriftCorrected",
          message: `${describeIdentity(identity)} was ${who}; restored to revision ${kustomization.status?.lastAppliedRevision ?? "unknown"}`,
        });
      }
    }
  }

  async #finalize(kustomization: Kustomization, signal: AbortSignal): Promise<void> {
    const finalizers = kustomization.metadata.finalizers ?? [];
    if (!finalizers.includes(finalizer)) return;
    const key = keyOf(kustomization);
    this.#drift.forget(key);
    const { prune, deletionPolicy = "MirrorPrune", suspend } = kustomization.spec;
    const deletes = suspend !== true && (deletionPolicy === "MirrorPrune" ? prune : deletionPolicy !== "Orphan");
    if (deletes) {
      const identities = deletionOrder(
        (kustomization.status?.inventory?.entries ?? []).flatMap((entry) => identityOfEntry(entry) ?? []),
      );
      const outcomes = await pruneAll(identities, {
        client: this.#options.client,
        discovery: this.#options.discovery,
        owner: ownerOf(kustomization),
        signal,
      });
      const failed = outcomes.filter(({ action }) => action === "failed");
      if (failed.length > 0) throw new RunFailure("PruneFailed", listErrors(failed.map(({ error }) => error ?? "")));
      if (deletionPolicy === "WaitForTermination") await this.#waitForTermination(outcomes, signal);
    }
    await this.#options.client.patch(Kustomization, kustomization.metadata, "merge", {
      metadata: { finalizers: finalizers.filter((name) => name !== finalizer) },
    });
    this.#forget(key);
  }

  async #waitForTermination(outcomes: readonly Outcome[], signal: AbortSignal): Promise<void> {
    for (const { identity, action } of outcomes) {
      while (action === "deleted" && !signal.aborted && (await this.#read(identity)) !== undefined)
        await sleep(healthPollMs, signal);
    }
  }

  async #keepFinalizer(kustomization: Kustomization): Promise<void> {
    const finalizers = kustomization.metadata.finalizers ?? [];
    if (finalizers.includes(finalizer)) return;
    await this.#options.client.patch(Kustomization, kustomization.metadata, "merge", {
      metadata: { finalizers: [...finalizers, finalizer] },
    });
  }

  #hold(key: string, wished: readonly Wished[]): Held {
    const held = this.#held.get(key) ?? { known: new Map<string, string>(), wished: new Map<string, Wished>() };
    held.wished = new Map(wished.map((one) => [identityKey(one.identity), one]));
    this.#held.set(key, held);
    return held;
  }

  #forget(key: string): void {
    this.#held.delete(key);
    this.#drift.forget(key);
    this.loop.forget(key);
  }

  #logRun(
    key: string,
    revision: string,
    changes: readonly Outcome[],
    timing: { fetchMs: number; renderMs: number; applyMs: number },
  ): void {
    const count = (action: string) => changes.filter((one) => one.action === action).length;
    const counted = {
      created: count("created"),
      configured: count("configured"),
      unchanged: count("unchanged"),
      deleted: count("deleted"),
      failed: count("failed"),
    };
    const rounded = Object.fromEntries(Object.entries(timing).map(([name, value]) => [name, Math.round(value)]));
    this.#options.log.info("applied", { kustomization: key, revision, ...counted, ...rounded });
  }
}

export const sourceKeyOf = ({ metadata, spec }: Kustomization): string =>
  `${spec.sourceRef.namespace ?? metadata.namespace}/${spec.sourceRef.name}`;
const ownerOf = ({ metadata }: Kustomization) => ({ name: metadata.name ?? "", namespace: metadata.namespace ?? "" });

function wishedOf(kustomization: Kustomization, rendered: Rendered): Wished[] {
  const wished = rendered.objects.map(({ object, origin }) => {
    const owned = withOwner(object, ownerOf(kustomization));
    return { object: owned, identity: identityOf(owned), origin };
  });
  const duplicates = [...findDuplicates(wished).values()];
  if (duplicates.length > 0) {
    throw new RunFailure(
      "BuildFailed",
      listErrors(
        duplicates.map(
          (all) =>
            `${describeIdentity(all[0]!.identity)} is defined more than once: ${all.map(({ origin }) => origin).join(", ")}`,
        ),
      ),
    );
  }
  return wished;
}

function healthTargets(kustomization: Kustomization, wished: readonly Wished[]): ObjectIdentity[] {
  if (kustomization.spec.wait === true) return wished.map(({ identity }) => identity);
  return (kustomization.spec.healthChecks ?? []).map(({ apiVersion = "v1", kind, name, namespace }) =>
    identityOf({
      apiVersion,
      kind,
      metadata: { name, namespace: namespace ?? kustomization.metadata.namespace ?? "" },
    }),
  );
}

function isWorthARun(object: Kustomization, old: Kustomization | undefined): boolean {
  const asked = (one: Kustomization | undefined) => one?.metadata.annotations?.[requestedAtAnnotation];
  return (
    object.metadata.generation !== old?.metadata.generation ||
    asked(object) !== asked(old) ||
    object.metadata.deletionTimestamp !== old?.metadata.deletionTimestamp
  );
}

function listErrors(errors: readonly string[]): string {
  const shown = errors.slice(0, errorsShownMax).join("\n");
  return errors.length > errorsShownMax ? `${shown}\n… and ${errors.length - errorsShownMax} more` : shown;
}
