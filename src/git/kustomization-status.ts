/** What a Kustomization's status and events say about its runs, in Flux's words. */
import { type Clock, formatTime } from "#lib/clock.ts";
import type { Client } from "#client/client.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import type { Outcome } from "./apply.ts";
import { type NewCondition, conditionOf, withConditions } from "./conditions.ts";
import { describeIdentity } from "./inventory.ts";
import { type HistoryEntry, type InventoryEntry, Kustomization, requestedAtAnnotation } from "./kinds.ts";
import { createHash } from "node:crypto";

export interface Run {
  revision: string;
  entries: InventoryEntry[];
  changes: readonly Outcome[];
  timing: { fetchMs: number; renderMs: number; applyMs: number };
}

type Status = NonNullable<Kustomization["status"]>;

/** How many past states status.history keeps. */
const historyLengthMax = 5;
const statusManager = "gotk-kustomize-controller";

export class KustomizationStatus {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #events: EventRecorder;
  /** Conditions as last written here: the cache may not have seen them yet. */
  readonly #written = new Map<string, { generation: number; status: Status }>();

  constructor(client: Client, clock: Clock, events: EventRecorder) {
    this.#client = client;
    this.#clock = clock;
    this.#events = events;
  }

  async progressing(kustomization: Kustomization, revision: string): Promise<void> {
    const message = `Fetching manifests for revision ${revision}`;
    await this.#quietly(kustomization, { lastAttemptedRevision: revision }, [
      { type: "Reconciling", status: "True", reason: "Progressing", message },
      { type: "Ready", status: "Unknown", reason: "Progressing", message },
    ]);
  }

  async checkingHealth(kustomization: Kustomization, revision: string, timeoutMs: number): Promise<void> {
    const message = `Running health checks for revision ${revision} with a timeout of ${Math.round(timeoutMs / 1000)}s`;
    await this.#quietly(kustomization, {}, [
      { type: "Reconciling", status: "True", reason: "Progressing", message },
      { type: "Ready", status: "Unknown", reason: "Progressing", message },
      { type: "Healthy", status: "Unknown", reason: "Progressing", message },
    ]);
  }

  /** Objects are applied: the inventory is written before anything waits for their health. */
  async applied(
    kustomization: Kustomization,
    { revision, entries, changes }: Run,
    failure: { reason: string; message: string } | undefined,
  ): Promise<void> {
    const lines = changes
      .filter(({ action }) => ["created", "configured", "deleted"].includes(action))
      .map(({ identity, action }) => `${describeIdentity(identity)} ${action}`);
    const changed =
      revision !== kustomization.status?.lastAppliedRevision || lines.some((line) => !line.endsWith("configured"));
    if (lines.length > 0 && changed)
      this.#events.record({
        about: kustomization,
        type: "Normal",
        reason: "Progressing",
        message: cutLines(lines),
        annotations: revisionAnnotation(revision),
      });
    await this.#write(
      kustomization,
      { inventory: { entries }, lastAttemptedRevision: revision },
      failure === undefined ? [] : [{ type: "Ready", status: "False", ...failure }],
      [],
    );
  }

  async ready(kustomization: Kustomization, { revision, entries, timing }: Run): Promise<void> {
    const message = `Applied revision: ${revision}`;
    const checks = kustomization.spec.wait === true || (kustomization.spec.healthChecks ?? []).length > 0;
    const healthy: NewCondition[] = checks
      ? [
          {
            type: "Healthy",
            status: "True",
            reason: "Succeeded",
            message: `Health check passed in ${Math.round(timing.applyMs)}ms`,
          },
        ]
      : [];
    const before = conditionOf(kustomization.status?.conditions, "Ready");
    await this.#write(
      kustomization,
      {
        inventory: { entries },
        lastAttemptedRevision: revision,
        lastAppliedRevision: revision,
        history: nextHistory(kustomization, revision, entries, timing, this.#clock.now()),
      },
      [{ type: "Ready", status: "True", reason: "ReconciliationSucceeded", message }, ...healthy],
      ["Reconciling", "Stalled", ...(checks ? [] : ["Healthy"])],
    );
    if (before?.status === "True" && kustomization.status?.lastAppliedRevision === revision) return;
    this.#events.record({
      about: kustomization,
      type: "Normal",
      reason: "ReconciliationSucceeded",
      message: `Reconciliation finished in ${Math.round(timing.renderMs + timing.applyMs)}ms: fetch ${Math.round(timing.fetchMs)}ms, render ${Math.round(timing.renderMs)}ms, apply ${Math.round(timing.applyMs)}ms`,
      annotations: revisionAnnotation(revision),
    });
  }

  async failed(
    kustomization: Kustomization,
    reason: string,
    message: string,
    isTerminal: boolean,
    revision: string | undefined,
  ): Promise<void> {
    const before = conditionOf(kustomization.status?.conditions, "Ready");
    if (before?.status !== "False" || before.message !== message)
      this.#events.record({
        about: kustomization,
        type: "Warning",
        reason,
        message,
        ...(revision === undefined ? {} : { annotations: revisionAnnotation(revision) }),
      });
    const extra: NewCondition[] = isTerminal
      ? [{ type: "Stalled", status: "True", reason, message }]
      : [
          {
            type: "Reconciling",
            status: "True",
            reason: "ProgressingWithRetry",
            message: "the last run failed; it is tried again",
          },
        ];
    const healthy: NewCondition[] =
      reason === "HealthCheckFailed" ? [{ type: "Healthy", status: "False", reason, message }] : [];
    await this.#write(
      kustomization,
      revision === undefined ? {} : { lastAttemptedRevision: revision },
      [{ type: "Ready", status: "False", reason, message }, ...extra, ...healthy],
      isTerminal ? ["Reconciling"] : ["Stalled"],
    );
  }

  async #quietly(kustomization: Kustomization, fields: Partial<Status>, set: readonly NewCondition[]): Promise<void> {
    await this.#write(kustomization, fields, set, []).catch(() => {}); // what follows writes again
  }

  async #write(
    kustomization: Kustomization,
    fields: Partial<Status>,
    set: readonly NewCondition[],
    remove: readonly string[],
  ): Promise<void> {
    const uid = kustomization.metadata.uid ?? "";
    const generation = kustomization.metadata.generation ?? 1;
    const before = this.#written.get(uid)?.status ?? kustomization.status;
    const requestedAt = kustomization.metadata.annotations?.[requestedAtAnnotation];
    const status: Status = {
      ...fields,
      observedGeneration: generation,
      conditions: withConditions(before?.conditions, set, { remove, generation, nowMs: this.#clock.now() }),
      ...(requestedAt === undefined ? {} : { lastHandledReconcileAt: requestedAt }),
    };
    if (
      before !== undefined &&
      Object.entries(status).every(
        ([key, value]) => JSON.stringify(value) === JSON.stringify(before[key as keyof Status]),
      )
    )
      return;
    this.#written.set(uid, { generation, status: { ...before, ...status } });
    await this.#client.patch(
      Kustomization,
      kustomization.metadata,
      "merge",
      { status },
      { subresource: "status", fieldManager: statusManager },
    );
  }

  forget(uid: string): void {
    this.#written.delete(uid);
  }
}

const revisionAnnotation = (revision: string) => ({ "kustomize.toolkit.fluxcd.io/revision": revision });

function nextHistory(
  kustomization: Kustomization,
  revision: string,
  entries: readonly InventoryEntry[],
  timing: Run["timing"],
  nowMs: number,
): HistoryEntry[] {
  const digest = `sha256:${createHash("sha256")
    .update(JSON.stringify([revision, entries]))
    .digest("hex")}`;
  const history = kustomization.status?.history ?? [];
  const known = history.find((entry) => entry.digest === digest);
  const now = formatTime(nowMs);
  const entry: HistoryEntry = {
    digest,
    firstReconciled: known?.firstReconciled ?? now,
    lastReconciled: now,
    lastReconciledDuration: `${Math.round(timing.renderMs + timing.applyMs)}ms`,
    lastReconciledStatus: "ReconciliationSucceeded",
    totalReconciliations: (known?.totalReconciliations ?? 0) + 1,
    metadata: { revision },
  };
  return [entry, ...history.filter((one) => one.digest !== digest)].slice(0, historyLengthMax);
}

/** Events have a message limit of 1 KiB. */
function cutLines(lines: readonly string[]): string {
  let text = "";
  for (const [at, line] of lines.entries()) {
    if (text.length + line.length > 950) return `${text}… and ${lines.length - at} more`;
    text += `${line}\n`;
  }
  return text.trimEnd();
}
