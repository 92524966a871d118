/** DNS messages as bytes: reads questions, writes answers with compressed names, walks TTLs. RFC 1035 and 6891. */
import { parseAddress, widthOf } from "#agent/network/address.ts";
import type { DnsRecord } from "./lookup.ts";

export interface Question {
  readonly id: number;
  readonly opcode: number;
  readonly isRecursionDesired: boolean;
  readonly isCheckingDisabled: boolean;
  /** Without final dot, in the asker's case. "" for the root. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
  /** The asker speaks EDNS and takes UDP answers of this size. */
  readonly edns?: { readonly udpBytes: number; readonly version: number; readonly isDnssecOk: boolean };
  /** The bytes of the question section, to be repeated in the answer. */
  readonly section: Uint8Array;
}

export const rcodes = { ok: 0, formatError: 1, serverFailure: 2, missing: 3, notImplemented: 4, refused: 5 } as const;
export type Rcode = (typeof rcodes)[keyof typeof rcodes];

export const typeNumbers: Readonly<Record<string, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
};

export const classInternet = 1;
const headerBytes = 12;
const labelBytesMax = 63;
const nameBytesMax = 255;
/** What we offer ourselves: fits in one packet on every usual path. */
export const udpBytesOffered = 1_232;

/** A message that cannot be a question (an answer, or no header) is undefined; one that cannot be read, "malformed". */
export function parseQuestion(message: Uint8Array): Question | { readonly malformed: number } | undefined {
  if (message.length < headerBytes) return undefined;
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  const flags = view.getUint16(2);
  if ((flags & 0x8000) !== 0) return undefined;
  const id = view.getUint16(0);
  const malformed = { malformed: id };
  if (view.getUint16(4) !== 1) return malformed;
  try {
    const { name, end } = readName(message, headerBytes);
    const edns = readEdns(message, end + 4);
    return {
      id,
      opcode: (flags >> 11) & 15,
      isRecursionDesired: (flags & 0x0100) !== 0,
      isCheckingDisabled: (flags & 0x0010) !== 0,
      name,
      type: view.getUint16(end),
      class: view.getUint16(end + 2),
      ...(edns === undefined ? {} : { edns }),
      section: message.subarray(headerBytes, end + 4),
    };
  } catch (error) {
    if (error instanceof RangeError) return malformed;
    throw error;
  }
}

export interface Reply {
  readonly rcode: Rcode;
  readonly isAuthoritative: boolean;
  readonly answers?: readonly DnsRecord[];
  readonly authority?: readonly DnsRecord[];
  readonly additional?: readonly DnsRecord[];
}

/** At most `bytesMax` long: additional records go first, then answers, and then the answer says that it is cut. */
export function encodeReply(question: Question, reply: Reply, bytesMax: number): Buffer {
  const { answers = [], authority = [], additional = [] } = reply;
  const whole = write(question, reply, answers, authority, additional, false);
  if (whole.length <= bytesMax) return whole;
  const lean = write(question, reply, answers, authority, [], false);
  if (lean.length <= bytesMax) return lean;
  let fitting = Math.floor((answers.length * bytesMax) / lean.length);
  for (; fitting >= 0; fitting--) {
    const cut = write(question, reply, answers.slice(0, fitting), [], [], true);
    if (cut.length <= bytesMax) return cut;
  }
  return write(question, reply, [], [], [], true);
}

/** An answer to what could not be read: nothing but the header. */
export function encodeFormatError(id: number): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(0x8000 | rcodes.formatError, 2);
  return header;
}

/** A question of our own, recursion desired, with EDNS. */
export function encodeQuery(id: number, name: string, type: number): Buffer {
  const writer = new Writer();
  writer.numbers(id, 0x0100, 1, 0, 0, 1);
  writer.name(name);
  writer.numbers(type, classInternet);
  writer.bytes(Buffer.from([0, 0, 41, udpBytesOffered >> 8, udpBytesOffered & 255, 0, 0, 0, 0, 0, 0]));
  return writer.take();
}

export interface ReplyFacts {
  readonly rcode: number;
  readonly isTruncated: boolean;
  /** Where the TTLs of all records but EDNS's stand. */
  readonly ttlOffsets: readonly number[];
  /** The least TTL; of a negative answer what its SOA record allows. Undefined without any record. */
  readonly ttlSeconds: number | undefined;
}

/** Throws RangeError if the message is not whole. */
export function readReplyFacts(message: Uint8Array): ReplyFacts {
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  const counts = [6, 8, 10].map((offset) => view.getUint16(offset));
  let offset = headerBytes;
  for (let index = 0; index < view.getUint16(4); index++) offset = readName(message, offset).end + 4;
  const ttlOffsets: number[] = [];
  let ttlSeconds: number | undefined;
  for (const [section, count] of counts.entries()) {
    for (let index = 0; index < count; index++) {
      const { end } = readName(message, offset);
      const type = view.getUint16(end);
      const length = view.getUint16(end + 8);
      offset = end + 10 + length;
      if (type === 41) continue;
      ttlOffsets.push(end + 4);
      const isNegative = section === 1 && type === 6 && counts[0] === 0;
      const ttl = isNegative ? Math.min(view.getUint32(end + 4), view.getUint32(offset - 4)) : view.getUint32(end + 4);
      if (section === 0 || isNegative) ttlSeconds = Math.min(ttlSeconds ?? ttl, ttl);
    }
  }
  if (offset > message.length) throw new RangeError("record beyond the message");
  const flags = view.getUint16(2);
  return { rcode: flags & 15, isTruncated: (flags & 0x0200) !== 0, ttlOffsets, ttlSeconds };
}

function write(
  question: Question,
  reply: Reply,
  answers: readonly DnsRecord[],
  authority: readonly DnsRecord[],
  additional: readonly DnsRecord[],
  isTruncated: boolean,
): Buffer {
  const writer = new Writer();
  const { isAuthoritative, rcode } = reply;
  const flags =
    0x8080 |
    (question.opcode << 11) |
    (isAuthoritative ? 0x0400 : 0) |
    (isTruncated ? 0x0200 : 0) |
    (question.isRecursionDesired ? 0x0100 : 0) |
    (question.isCheckingDisabled ? 0x0010 : 0);
  const edns = question.edns === undefined ? 0 : 1;
  writer.numbers(question.id, flags | rcode, 1, answers.length, authority.length, additional.length + edns);
  writer.question(question);
  for (const record of [...answers, ...authority, ...additional]) writer.record(record);
  if (edns === 1) {
    const isDnssecOk = question.edns?.isDnssecOk === true ? 0x80 : 0;
    const badVersion = question.edns?.version === 0 ? 0 : 1;
    writer.bytes(
      Buffer.from([0, 0, 41, udpBytesOffered >> 8, udpBytesOffered & 255, badVersion, 0, isDnssecOk, 0, 0, 0]),
    );
  }
  return writer.take();
}

class Writer {
  #buffer = Buffer.alloc(512);
  #length = 0;
  readonly #names = new Map<string, number>();

  take(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  numbers(...values: readonly number[]): void {
    this.#reserve(2 * values.length);
    for (const value of values) this.#length = this.#buffer.writeUInt16BE(value, this.#length);
  }

  /** The question as it came, so that its spelling is kept; records point at its name. */
  question({ section, name }: Question): void {
    let offset = this.#length;
    const labels = splitName(name);
    for (const [index, label] of labels.entries()) {
      this.#names.set(labels.slice(index).join(".").toLowerCase(), offset);
      offset += 1 + Buffer.byteLength(label, "latin1");
    }
    this.bytes(section);
  }

  name(name: string, isCompressed = true): void {
    const labels = splitName(name);
    for (const [index, label] of labels.entries()) {
      const rest = labels.slice(index).join(".").toLowerCase();
      const known = this.#names.get(rest);
      if (known !== undefined && isCompressed) return this.numbers(0xc000 | known);
      if (known === undefined && this.#length < 0x4000) this.#names.set(rest, this.#length);
      this.bytes(Buffer.from([Math.min(label.length, labelBytesMax)]));
      this.bytes(Buffer.from(label.slice(0, labelBytesMax), "latin1"));
    }
    this.bytes(Buffer.from([0]));
  }

  record({ name, type, ttlSeconds, data }: DnsRecord): void {
    this.name(name);
    this.numbers(typeNumbers[type] ?? 0, classInternet, ttlSeconds >>> 16, ttlSeconds & 0xffff, 0);
    const start = this.#length;
    this.#data(data);
    this.#buffer.writeUInt16BE(this.#length - start, start - 2);
  }

  #data(data: DnsRecord["data"]): void {
    if ("address" in data) return this.#address(data.address);
    if ("text" in data) return this.bytes(Buffer.from([data.text.length, ...Buffer.from(data.text, "latin1")]));
    if ("port" in data) {
      this.numbers(data.priority, data.weight, data.port);
      // RFC 3597: names in records younger than RFC 1035 are never compressed.
      return this.name(data.target, false);
    }
    if ("target" in data) return this.name(data.target);
    this.name(data.server);
    this.name(data.mailbox);
    const { serial, minimumSeconds } = data;
    for (const value of [serial, 7_200, 1_800, 86_400, minimumSeconds]) this.numbers(value >>> 16, value & 0xffff);
  }

  #address(text: string): void {
    const { family, value } = parseAddress(text) ?? { family: "ip", value: 0n };
    const hex = value.toString(16).padStart(widthOf(family) / 4, "0");
    this.bytes(Buffer.from(hex, "hex"));
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const larger = Buffer.alloc(Math.max(this.#buffer.length * 2, this.#length + bytes));
    this.#buffer.copy(larger);
    this.#buffer = larger;
  }
}

function splitName(name: string): string[] {
  return name === "" ? [] : name.split(".");
}

function readEdns(message: Uint8Array, start: number): Question["edns"] {
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  const before = view.getUint16(6) + view.getUint16(8);
  const records = before + view.getUint16(10);
  let offset = start;
  for (let index = 0; index < records; index++) {
    const { end } = readName(message, offset);
    const type = view.getUint16(end);
    if (type === 41 && index >= before) {
      const ttl = view.getUint32(end + 4);
      return { udpBytes: view.getUint16(end + 2), version: (ttl >> 16) & 255, isDnssecOk: (ttl & 0x8000) !== 0 };
    }
    offset = end + 10 + view.getUint16(end + 8);
  }
  return undefined;
}

/** Throws RangeError on what is no name. A pointer must lead backwards, so that reading ends. */
export function readName(message: Uint8Array, start: number): { name: string; end: number } {
  const labels: string[] = [];
  let offset = start;
  let end: number | undefined;
  let limit = start;
  let bytes = 0;
  for (;;) {
    const length = message[offset];
    if (length === undefined) throw new RangeError("name beyond the message");
    if (length === 0) return { name: labels.join("."), end: end ?? offset + 1 };
    if (length >= 0xc0) {
      const target = ((length & 0x3f) << 8) | (message[offset + 1] ?? 0xff);
      end ??= offset + 2;
      if (target >= limit) throw new RangeError("name points forward");
      limit = target;
      offset = target;
      continue;
    }
    bytes += length + 1;
    if (length > labelBytesMax || bytes > nameBytesMax || offset + 1 + length > message.length)
      throw new RangeError("name is too long");
    labels.push(Buffer.from(message.subarray(offset + 1, offset + 1 + length)).toString("latin1"));
    offset += 1 + length;
  }
}
