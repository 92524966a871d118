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

/** Rows that may wait for SQLite while more requests do. */
const flushRowsMax = 2000;
/** Applied bytes after which SQLite is checkpointed beside the writer. */
const checkpointBytesMax = 16 * 1024 * 1024;
/** Applied bytes after which the writer itself checkpoints, because the checkpointer does not keep up. */
const walBytesMax = 128 * 1024 * 1024;
const garbageRowsPerStep = 500;
const retryMs = 1000;
const changesPerReply = 1000;
const loadBytesPerMessage = 256 * 1024;

const options = workerData as WorkerOptions;
assert(parentPort !== null, "worker.ts runs as a worker");
if (options.role === "store") runStore(parentPort, options);
else runCheckpointer(parentPort, options);

function runCheckpointer(port: MessagePort, { directory, nativeBinding }: WorkerOptions): void {
  const database = openDatabase(directory, nativeBinding);
  database.pragma("synchronous = FULL");
  port.on("message", (appliedIndex: number) => {
    try {
      // The long part runs beside the writer; the writer waits only while the rest is moved.
      checkpoint(database, "PASSIVE");
      port.postMessage({ appliedIndex, isDone: checkpoint(database, "RESTART") });
    } catch {
      port.postMessage({ appliedIndex, isDone: false });
    }
  });
}

function runStore(port: MessagePort, { directory, nativeBinding, entry, isSource }: WorkerOptions): void {
  const send = (response: Response, transfer: ArrayBuffer[] = []) => port.postMessage(response, transfer);
  nodeDisk.makeDirectory(directory);
  const lock = lockDirectory(directory, nativeBinding);
  const database = openDatabase(directory, nativeBinding);
  const machine = new StateMachine(database);
  const log = new Log(nodeDisk, join(directory, "log"));
  const engine = new Engine(nodeDisk, directory, log, machine);
  /** Started when first needed: many stores never write that much. */
  let checkpointer: Worker | undefined;
  let uncheckpointedBytes = 0;
  let isCheckpointing = false;
  let isCollecting = false;
  let isClosed = false;

  function startCheckpointer(): Worker {
    const data: WorkerOptions = { role: "checkpointer", directory, nativeBinding, entry, isSource };
    const worker = new Worker(isSource ? entry : new URL(entry), { eval: isSource, workerData: data });
    worker.on("message", ({ appliedIndex, isDone }: { appliedIndex: number; isDone: boolean }) => {
      isCheckpointing = false;
      if (isDone && !isClosed) log.removeThrough(appliedIndex);
      else uncheckpointedBytes += checkpointBytesMax;
    });
    return worker;
  }

  /** After a group: SQLite takes its rows while the main thread handles the answers. */
  function flush(): void {
    const bytes = machine.pendingBytes;
    try {
      machine.flush();
    } catch {
      // The rows wait in memory, and the engine refuses writes when they are too many.
      setTimeout(flush, retryMs).unref();
      return;
    }
    uncheckpointedBytes += bytes;
    if (uncheckpointedBytes > walBytesMax && !isCheckpointing) checkpointHere();
    else if (uncheckpointedBytes > checkpointBytesMax && !isCheckpointing) {
      isCheckpointing = true;
      uncheckpointedBytes = 0;
      checkpointer ??= startCheckpointer();
      checkpointer.postMessage(machine.appliedIndex);
    }
  }

  function checkpointHere(): void {
    database.pragma("synchronous = FULL");
    const isDone = checkpoint(database, "TRUNCATE");
    database.pragma("synchronous = NORMAL");
    if (!isDone) return;
    uncheckpointedBytes = 0;
    log.removeThrough(machine.appliedIndex);
  }

  function collectGarbage(): void {
    if (isClosed) return;
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
    if (machine.pendingRows > flushRowsMax) flush();
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

  sendValues(machine, send);
  send({ type: "opened", revision: machine.revision, compactedRevision: machine.compactedRevision });
  startCollecting();
  port.on("message", (first: Request) => {
    for (let next: Request | undefined = first; next !== undefined && !isClosed; next = receive(port)) drain(next);
    if (!isClosed) flush();
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

function sendValues(machine: StateMachine, send: (response: Response, transfer: ArrayBuffer[]) => void): void {
  let values: StoredValue[] = [];
  let size = 0;
  const sendPart = () => {
    const bytes = encodeValues(values);
    send({ type: "values", bytes }, [bytes.buffer as ArrayBuffer]);
    values = [];
    size = 0;
  };
  for (const value of machine.currentValues()) {
    values.push(value);
    size += value.value.byteLength;
    if (size > loadBytesPerMessage) sendPart();
  }
  if (values.length > 0) sendPart();
}
