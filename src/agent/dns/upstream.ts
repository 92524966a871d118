/**
 * Asks the node's own resolvers what is not the cluster's: over UDP, over TCP where the asker came by TCP; one question
 * at a time for all who ask the same, so that a resolver that asks us back cannot make a storm; answers are kept shortly.
 */
import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect, isIP } from "node:net";
import type { Clock } from "#lib/clock.ts";
import { rcodes, readReplyFacts, type ReplyFacts } from "./message.ts";

export interface Resolver {
  readonly address: string;
  readonly port: number;
}

export type Transport = "udp" | "tcp";

export interface UpstreamOptions {
  /** Read before each question: the node's resolv.conf may change. */
  readonly resolvers: () => readonly Resolver[];
  readonly clock: Clock;
}

interface Kept {
  readonly message: Buffer;
  readonly facts: ReplyFacts;
  readonly storedMs: number;
  readonly endMs: number;
}

/** Askers try again themselves after five seconds as a rule: by then they should have been told that nobody answers. */
const totalMs = 4_000;
const tryMs = 2_000;
/** How often all resolvers are asked in turn. */
const roundsMax = 2;
/** A resolver that did not answer is asked after the others for this long, and not waited for much: it may be out of reach. */
const avoidMs = 10_000;
const silentTryMs = 400;
const questionsMax = 1_000;
const keptMax = 10_000;
const keptSecondsMax = 30;
const replyBytesMax = 65_535;

export class Upstream {
  readonly #options: UpstreamOptions;
  readonly #asked = new Map<string, Promise<Buffer | undefined>>();
  readonly #kept = new Map<string, Kept>();
  readonly #silentAt = new Map<string, number>();
  readonly #stopped = new AbortController();

  constructor(options: UpstreamOptions) {
    this.#options = options;
  }

  /** The reply to a question, with the question's own id; undefined if nobody answers. `key` tells equal questions. */
  async ask(query: Buffer, key: string, transport: Transport): Promise<Buffer | undefined> {
    const id = query.readUInt16BE(0);
    const kept = this.#recall(key);
    if (kept !== undefined) return withId(kept, id);
    const question = `${transport} ${key}`;
    let reply = this.#asked.get(question);
    if (reply === undefined) {
      if (this.#asked.size >= questionsMax) return undefined;
      reply = this.#askAll(query, key, transport).finally(() => void this.#asked.delete(question));
      this.#asked.set(question, reply);
    }
    const message = await reply;
    return message === undefined ? undefined : withId(message, id);
  }

  stop(): void {
    this.#stopped.abort();
    this.#kept.clear();
  }

  async #askAll(query: Buffer, key: string, transport: Transport): Promise<Buffer | undefined> {
    const { clock } = this.#options;
    const begin = clock.now();
    const deadline = begin + totalMs;
    let failed: Buffer | undefined;
    for (let round = 0; round < roundsMax; round++) {
      for (const { resolver, patience } of this.#inOrder(begin)) {
        const leftMs = deadline - clock.now();
        if (this.#stopped.signal.aborted || leftMs <= 0) return failed;
        const asked = withId(query, randomInt(0x1_0000));
        const ask = transport === "udp" ? askUdp : askTcp;
        const reply = await ask(resolver, asked, Math.min(patience, leftMs), this.#stopped.signal);
        const facts = reply === undefined ? undefined : safeFacts(reply);
        if (reply === undefined || facts === undefined) {
          if (patience === tryMs) this.#silentAt.set(nameOf(resolver), clock.now());
          continue;
        }
        this.#silentAt.delete(nameOf(resolver));
        if (facts.rcode === rcodes.ok || facts.rcode === rcodes.missing) {
          this.#keep(key, reply, facts);
          return reply;
        }
        failed = reply;
      }
    }
    return failed;
  }

  /** As the node's configuration has them, those that were silent lately last. */
  #inOrder(begin: number): { resolver: Resolver; patience: number }[] {
    return this.#options
      .resolvers()
      .map((resolver) => ({ resolver, patience: patienceMs(this.#silentAt.get(nameOf(resolver)), begin) }))
      .toSorted((a, b) => b.patience - a.patience);
  }

  #keep(key: string, message: Buffer, facts: ReplyFacts): void {
    const seconds = Math.min(facts.ttlSeconds ?? 0, keptSecondsMax);
    if (facts.isTruncated || seconds <= 0) return;
    const storedMs = this.#options.clock.now();
    this.#kept.delete(key);
    this.#kept.set(key, { message, facts, storedMs, endMs: storedMs + seconds * 1_000 });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > keptMax && oldest !== undefined) this.#kept.delete(oldest);
  }

  /** A kept reply whose TTLs are as much lower as it is old. */
  #recall(key: string): Buffer | undefined {
    const kept = this.#kept.get(key);
    const now = this.#options.clock.now();
    if (kept === undefined) return undefined;
    if (now >= kept.endMs || now < kept.storedMs) {
      this.#kept.delete(key);
      return undefined;
    }
    const age = Math.floor((now - kept.storedMs) / 1_000);
    const message = Buffer.from(kept.message);
    for (const offset of kept.facts.ttlOffsets)
      message.writeUInt32BE(Math.max(0, message.readUInt32BE(offset) - age), offset);
    return message;
  }
}

/** How long a resolver is waited for by a question of `askedAt`, in milliseconds. */
export function patienceMs(silentAt: number | undefined, askedAt: number): number {
  const isSilent = silentAt !== undefined && silentAt <= askedAt && silentAt > askedAt - avoidMs;
  return isSilent ? silentTryMs : tryMs;
}

/** Replies from elsewhere or with another id are not heard. */
async function askUdp(
  { address, port }: Resolver,
  query: Buffer,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  const socket = createSocket({ type: isIP(address) === 6 ? "udp6" : "udp4", signal });
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  const timer = setTimeout(() => resolve(undefined), timeoutMs);
  socket.on("error", () => resolve(undefined));
  socket.on("close", () => resolve(undefined));
  socket.on("message", (message) => {
    if (isReplyTo(message, query)) resolve(message);
  });
  socket.connect(port, address, () => socket.send(query, (error) => error !== null && resolve(undefined)));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.removeAllListeners("close");
    if (!signal.aborted) socket.close();
  }
}

async function askTcp(
  { address, port }: Resolver,
  query: Buffer,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  const socket = connect({ host: address, port, signal });
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  const timer = setTimeout(() => resolve(undefined), timeoutMs);
  let received = Buffer.alloc(0);
  socket.on("error", () => resolve(undefined));
  socket.on("close", () => resolve(undefined));
  socket.on("connect", () => void socket.write(withLength(query)));
  socket.on("data", (chunk) => {
    received = Buffer.concat([received, chunk]);
    const length = received.length < 2 ? replyBytesMax : received.readUInt16BE(0);
    if (received.length < length + 2) return;
    const message = received.subarray(2, length + 2);
    resolve(isReplyTo(message, query) ? message : undefined);
  });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

function nameOf({ address, port }: Resolver): string {
  return `${address} ${port}`;
}

/** A message as it goes over TCP. */
export function withLength(message: Uint8Array): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

function withId(message: Buffer, id: number): Buffer {
  const copy = Buffer.from(message);
  copy.writeUInt16BE(id, 0);
  return copy;
}

/** Id, the reply bit and the question itself are the same. */
function isReplyTo(message: Buffer, query: Buffer): boolean {
  if (message.length < 12 || message.readUInt16BE(0) !== query.readUInt16BE(0)) return false;
  if ((message.readUInt16BE(2) & 0x8000) === 0) return false;
  const end = questionEnd(query);
  if (message.readUInt16BE(4) === 0) return (message.readUInt16BE(2) & 15) !== rcodes.ok;
  const asked = query.subarray(12, end).toString("latin1").toLowerCase();
  return message.subarray(12, end).toString("latin1").toLowerCase() === asked;
}

function questionEnd(query: Buffer): number {
  let offset = 12;
  while ((query[offset] ?? 0) !== 0) offset += (query[offset] ?? 0) + 1;
  return offset + 5;
}

function safeFacts(reply: Buffer): ReplyFacts | undefined {
  try {
    return readReplyFacts(reply);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
