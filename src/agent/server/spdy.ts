/**
 * The client's side of SPDY/3.1 as the container runtime speaks it: streams with headers, data, ends. No priorities, no
 * flow control: the runtime has none. Frames: https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1.
 */
import { EventEmitter } from "node:events";
import type { Duplex } from "node:stream";
import { constants, createDeflate, createInflate, type Deflate, type Inflate } from "node:zlib";
import { spdyDictionary } from "./spdy-dictionary.ts";

const version = 3;
const synStream = 1;
const synReply = 2;
const rstStream = 3;
const ping = 6;
const goAway = 7;
const flagFin = 1;
/** A frame longer than this ends the connection. */
const frameBytesMax = 16 * 1024 * 1024;
/** Data is sent in frames of at most this. */
const dataBytesMax = 32 * 1024;

/** One stream: "data" with a Buffer, "end" when the other side has sent all, "close" when it is over. */
export class SpdyStream extends EventEmitter<{ data: [Buffer]; end: []; close: [] }> {
  readonly id: number;
  readonly #connection: SpdyConnection;
  #ended = false;

  constructor(connection: SpdyConnection, id: number) {
    super();
    this.#connection = connection;
    this.id = id;
  }

  /** Returns false when the connection wants a pause: wait for `drained`. */
  write(data: Uint8Array): boolean {
    if (this.#ended) return true;
    let free = true;
    for (let at = 0; at < data.length; at += dataBytesMax)
      free = this.#connection.sendData(this.id, data.subarray(at, at + dataBytesMax), false);
    return free;
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#connection.sendData(this.id, new Uint8Array(), true);
  }
}

export class SpdyConnection extends EventEmitter<{ close: [] }> {
  readonly #socket: Duplex;
  readonly #streams = new Map<number, SpdyStream>();
  readonly #deflate: Deflate;
  readonly #inflate: Inflate;
  #lastId = -1;
  #rest: Buffer = Buffer.alloc(0);
  #headers: Promise<void> = Promise.resolve();

  /** `head`: bytes that came with the answer to the upgrade. */
  constructor(socket: Duplex, head: Buffer) {
    super();
    this.#socket = socket;
    const dictionary = spdyDictionary;
    this.#deflate = createDeflate({ dictionary });
    this.#inflate = createInflate({ dictionary });
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("close", () => this.#closed());
    socket.on("error", () => socket.destroy());
    if (head.length > 0) this.#take(head);
  }

  get writableNeedDrain(): boolean {
    return this.#socket.writableNeedDrain;
  }

  async drained(): Promise<void> {
    if (!this.#socket.writableNeedDrain || this.#socket.destroyed) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#socket.off("drain", done).off("close", done);
        resolve();
      };
      this.#socket.on("drain", done).on("close", done);
    });
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Invariant: header blocks are packed and sent in the order of their streams: they share one window. */
  async open(headers: Readonly<Record<string, string>>): Promise<SpdyStream> {
    this.#lastId += 2;
    const stream = new SpdyStream(this, this.#lastId);
    this.#streams.set(stream.id, stream);
    const sent = this.#headers.then(async () => {
      const block = await this.#pack(headers);
      const body = Buffer.alloc(10);
      body.writeUInt32BE(stream.id, 0);
      this.#sendControl(synStream, 0, Buffer.concat([body, block]));
    });
    this.#headers = sent;
    await sent;
    return stream;
  }

  sendData(id: number, data: Uint8Array, last: boolean): boolean {
    const header = Buffer.alloc(8);
    header.writeUInt32BE(id, 0);
    header.writeUInt32BE(data.length, 4);
    header[4] = last ? flagFin : 0;
    if (this.#socket.destroyed) return true;
    this.#socket.write(header);
    return this.#socket.write(data);
  }

  close(): void {
    this.#socket.destroy();
  }

  #sendControl(type: number, flags: number, body: Buffer): void {
    const header = Buffer.alloc(8);
    header.writeUInt16BE(0x8000 | version, 0);
    header.writeUInt16BE(type, 2);
    header.writeUInt32BE(body.length, 4);
    header[4] = flags;
    if (!this.#socket.destroyed) this.#socket.write(Buffer.concat([header, body]));
  }

  #pack(headers: Readonly<Record<string, string>>): Promise<Buffer> {
    const entries = Object.entries(headers);
    const number = (value: number): Buffer => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      return bytes;
    };
    const texts = entries.flatMap(([name, value]) => [name.toLowerCase(), value].map((text) => Buffer.from(text)));
    const plain = Buffer.concat([number(entries.length), ...texts.flatMap((text) => [number(text.length), text])]);
    return new Promise((resolve) => {
      const chunks: Buffer[] = [];
      const take = (chunk: Buffer): void => void chunks.push(chunk);
      this.#deflate.on("data", take);
      this.#deflate.write(plain);
      this.#deflate.flush(constants.Z_SYNC_FLUSH, () => {
        this.#deflate.off("data", take);
        resolve(Buffer.concat(chunks));
      });
    });
  }

  #take(chunk: Buffer): void {
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (data.length >= 8) {
      const length = data.readUInt32BE(4) & 0xffffff;
      if (length > frameBytesMax) return this.close();
      if (data.length < 8 + length) break;
      this.#frame(data, data.subarray(8, 8 + length));
      data = data.subarray(8 + length);
    }
    this.#rest = data;
  }

  #frame(header: Buffer, body: Buffer): void {
    const last = ((header[4] ?? 0) & flagFin) !== 0;
    if (((header[0] ?? 0) & 0x80) === 0) {
      const stream = this.#streams.get(header.readUInt32BE(0) & 0x7fffffff);
      if (body.length > 0) stream?.emit("data", Buffer.from(body));
      if (last) this.#endOf(stream);
      return;
    }
    const type = header.readUInt16BE(2);
    if (type === synReply) {
      // The header block has to pass the window although nothing in it is wanted.
      this.#inflate.write(body.subarray(4));
      if (last) this.#endOf(this.#streams.get(body.readUInt32BE(0)));
    } else if (type === rstStream) {
      this.#over(body.readUInt32BE(0));
    } else if (type === ping && body.readUInt32BE(0) % 2 === 0) {
      this.#sendControl(ping, 0, Buffer.from(body));
    } else if (type === goAway) {
      this.#socket.end();
    }
  }

  #endOf(stream: SpdyStream | undefined): void {
    stream?.emit("end");
  }

  #over(id: number): void {
    const stream = this.#streams.get(id);
    this.#streams.delete(id);
    stream?.emit("end");
    stream?.emit("close");
  }

  #closed(): void {
    for (const id of this.#streams.keys()) this.#over(id);
    this.#deflate.close();
    this.#inflate.close();
    this.emit("close");
  }
}
