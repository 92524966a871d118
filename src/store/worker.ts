/**
 * The store's thread: takes what the main thread sent, in order, and everything that waits at once. The second role is
 * the checkpointer, which moves SQLite's write-ahead log into its file beside the writer.
 */
import { join } from "node:path";
import { type MessagePort, parentPort, receiveMessageOnPort, Worker, workerData } from "node:worker_threads";
import { assert } from "#lib/assert.ts";
import { splitBatch } from "./codec.ts";
import { checkpoint, lockDirectory, openDatabase } from "./database.ts";
import { nodeDisk } from "./disk.ts";
import { type Decision, Engine } from "./engine.ts";
import { rowRevision } from "./key-index.ts";
import { Log } from "./log.ts";
import { Loader } from "./loader.ts";
import { type Row, StateMachine } from "./state-machine.ts";
import type { StoredValue } from "./store.ts";
import { emptyValue } from "./transaction.ts";
import {
  type Change,
  encodeChanges,
  encodeValues,
  faultOf,
  type ReplyResult,
  type Request,
  type Response,
  type WorkerOptions,
} from "./wire.ts";

/** SQLite takes rows when so many wait, or when there was nothing to do for a while: a transaction for a few costs as much. */
const flushRowsMin = 64;
const flushDelayMs = 20;
/** About as much goes to SQLite between two groups: writes that come meanwhile wait for no more. */
const flushRowsPerStep = 256;
const flushBytesPerStep = 256 * 1024;
/** A step is at least this part of what waits, so that SQLite keeps up with any group. */
const flushShare = 1 / 8;
/** Rows wait while SQLite is checkpointed, until they have so many bytes. */
const pausedBytesMax = 32 * 1024 * 1024;
/** Applied bytes after which SQLite is checkpointed beside the writer. */
const checkpointBytesMax = 16 * 1024 * 1024;
/** Applied bytes after which the writer itself checkpoints, because the checkpointer does not keep up. */
const walBytesMax = 128 * 1024 * 1024;
const garbageRowsPerStep = 100;
const retryMs = 1000;
const changesPerReply = 1000;

const options = workerData as WorkerOptions;
assert(parentPort !== null, "worker.ts runs as a worker");
if (options.role === "store") runStore(parentPort, options);
else runCheckpointer(parentPort, options);

function runCheckpointer(port: MessagePort, { directory, nativeBinding }: WorkerOptions): void {
  const database = openDatabase(directory, nativeBinding);
  database.pragma("synchronous = FULL");
  port.on("message", (flushedIndex: number) => {
    try {
      // Never waits for the writer nor lets it wait. The writer pauses meanwhile, so all is moved, and the next
      // transaction starts the write-ahead log from its beginning.
      port.postMessage({ flushedIndex, isDone: checkpoint(database, "PASSIVE") });
    } catch {
      port.postMessage({ flushedIndex, isDone: false });
    }
  });
}

function runStore(port: MessagePort, { directory, nativeBinding, entry, isSource }: WorkerOptions): void {
  const send = (response: Response, transfer: ArrayBuffer[] = []) => port.postMessage(response, transfer);
  nodeDisk.makeDirectory(directory);
  const lock = lockDirectory(directory, nativeBinding);
  const database = openDatabase(directory, nativeBinding);
  const loader = new Loader((bytes) => send({ type: "values", bytes }, [bytes.buffer as ArrayBuffer]));
  const machine = new StateMachine(database, (row) => loader.add(row));
  const restoredRevision = machine.revision;
  const log = new Log(nodeDisk, join(directory, "log"));
  const engine = new Engine(nodeDisk, directory, log, machine);
  /** Started when first needed: many stores never write that much. */
  let checkpointer: Worker | undefined;
  let uncheckpointedBytes = 0;
  let isCheckpointing = false;
  let isFlushPlanned = false;
  let isCollecting = false;
  let isClosed = false;

  function startCheckpointer(): Worker {
    const data: WorkerOptions = { role: "checkpointer", directory, nativeBinding, entry, isSource };
    const worker = new Worker(isSource ? entry : new URL(entry), { eval: isSource, workerData: data });
    worker.on("message", ({ flushedIndex, isDone }: { flushedIndex: number; isDone: boolean }) => {
      isCheckpointing = false;
      if (isClosed) return;
      if (isDone) log.removeThrough(flushedIndex);
      else uncheckpointedBytes += checkpointBytesMax;
      planFlush();
    });
    return worker;
  }

  /** SQLite takes a part of the rows that wait. The others, and those of a failed step, are taken later. */
  function flushStep(): void {
    if (isCheckpointing && machine.pendingBytes < pausedBytesMax) return;
    const before = machine.pendingBytes;
    try {
      machine.flush(
        Math.max(flushRowsPerStep, machine.pendingRows * flushShare),
        Math.max(flushBytesPerStep, machine.pendingBytes * flushShare),
      );
    } catch {
      // The rows wait in memory, and the engine refuses writes when they are too many.
      return;
    }
    uncheckpointedBytes += before - machine.pendingBytes;
    if (uncheckpointedBytes > walBytesMax && !isCheckpointing) checkpointHere();
    else if (uncheckpointedBytes > checkpointBytesMax && !isCheckpointing) {
      isCheckpointing = true;
      uncheckpointedBytes = 0;
      checkpointer ??= startCheckpointer();
      checkpointer.postMessage(machine.flushedIndex);
    }
  }

  /** What waits goes to SQLite step by step while nothing else is to do. */
  function planFlush(delayMs = flushDelayMs): void {
    if (isFlushPlanned || machine.flushedIndex === machine.appliedIndex) return;
    isFlushPlanned = true;
    setTimeout(() => {
      isFlushPlanned = false;
      if (isClosed) return;
      const before = machine.flushedIndex;
      flushStep();
      if (!isCheckpointing) planFlush(machine.flushedIndex === before ? retryMs : 0);
    }, delayMs).unref();
  }

  function checkpointHere(): void {
    database.pragma("synchronous = FULL");
    const isDone = checkpoint(database, "TRUNCATE");
    database.pragma("synchronous = NORMAL");
    if (!isDone) return;
    uncheckpointedBytes = 0;
    log.removeThrough(machine.flushedIndex);
  }

  function collectGarbage(): void {
    if (isClosed) return;
    if (isCheckpointing) return void setTimeout(collectGarbage, flushDelayMs).unref();
    try {
      isCollecting = machine.removeGarbage(garbageRowsPerStep);
      if (isCollecting) setImmediate(collectGarbage);
    } catch {
      setTimeout(collectGarbage, retryMs).unref();
    }
  }

  function startCollecting(): void {
    if (isCollecting) return;
    isCollecting = true;
    setImmediate(collectGarbage);
  }

  function answerWrites(batches: readonly Uint8Array[]): void {
    if (batches.length === 0) return;
    const transactions = batches.flatMap((batch) =>
      splitBatch(Buffer.from(batch.buffer, batch.byteOffset, batch.byteLength)),
    );
    const decisions = engine.propose(transactions);
    const numbers = new Float64Array(decisions.length * 2);
    let refusal: string | undefined;
    decisions.forEach((decision, at) => {
      numbers[at * 2] = codeOf(decision);
      if (decision.kind === "refused") refusal = decision.error.message;
      else numbers[at * 2 + 1] = decision.revision;
    });
    send({ type: "decisions", numbers, refusal }, [numbers.buffer]);
    if (machine.pendingRows >= flushRowsMin) flushStep();
    planFlush();
  }

  function answer(request: Exclude<Request, { type: "writes" | "close" }>): void {
    try {
      send({ type: "reply", id: request.id, result: resultOf(request) });
    } catch (error) {
      send({ type: "reply", id: request.id, fault: faultOf(error) });
    }
  }

  function resultOf(request: Exclude<Request, { type: "writes" | "close" }>): ReplyResult {
    switch (request.type) {
      case "get": {
        const found = machine.read(request.key, request.revision);
        return { bytes: encodeValues(found === undefined ? [] : [found]) };
      }
      case "range": {
        const found = machine.range(request.prefix, request.after, request.revision, request.limit);
        return { bytes: encodeValues(found.values), number: found.remaining };
      }
      case "changes":
        return { bytes: encodeChanges(machine.changesAfter(request.afterRevision, changesPerReply).map(changeOf)) };
      case "compact":
        engine.compact(request.revision);
        startCollecting();
        return { number: machine.compactedRevision };
      case "hash": {
        const { appliedIndex, revision, hash } = machine.contentHash();
        return { text: JSON.stringify({ appliedIndex, revision, hash }) };
      }
    }
  }

  async function close(): Promise<void> {
    isClosed = true;
    await checkpointer?.terminate();
    machine.flush();
    checkpointHere();
    database.close();
    log.close();
    lock.close();
    port.close();
  }

  function drain(first: Request): void {
    let batches: Uint8Array[] = [];
    for (let next: Request | undefined = first; next !== undefined; next = receive(port)) {
      if (next.type === "writes") {
        batches.push(next.batch);
        continue;
      }
      answerWrites(batches);
      batches = [];
      if (next.type === "close") return void close();
      answer(next);
    }
    answerWrites(batches);
  }

  // What the log had and SQLite had not replaces what was sent before.
  for (const row of machine.rowsAfter(restoredRevision)) loader.add(row);
  loader.finish();
  send({ type: "opened", revision: machine.revision, compactedRevision: machine.compactedRevision });
  startCollecting();
  port.on("message", (first: Request) => {
    if (!isClosed) drain(first);
  });
}

function receive(port: MessagePort): Request | undefined {
  return (receiveMessageOnPort(port) as { message: Request } | undefined)?.message;
}

function codeOf(decision: Decision): number {
  if (decision.kind === "done") return -1;
  return decision.kind === "failed" ? decision.place : -2;
}

function changeOf({ row, previous }: { row: Row; previous: StoredValue | undefined }): Change {
  const { id, key, value, createRevision, version } = row;
  return {
    now: { key, value: value ?? emptyValue, createRevision, modRevision: rowRevision(id), version },
    before: previous,
  };
}
