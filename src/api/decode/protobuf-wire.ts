/** The protobuf wire format: reading field by field, and writing backwards, so that a length is known before it is written. */
import { JsonNumber } from "./json-value.ts";

export class ProtobufError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ProtobufError";
  }
}

export const varintType = 0;
export const fixed64Type = 1;
export const bytesType = 2;
export const fixed32Type = 5;
const endGroupType = 4;

const endOfInput = "unexpected EOF";
const varintBytesMax = 10;
const twoTo32 = 4_294_967_296;

/** For messages that are put together from small pieces; `WireWriter` writes large ones, from their end. */
export function varintOf(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** A field of bytes behind its number and their count. */
export const bytesField = (number: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([varintOf((number << 3) | bytesType), varintOf(bytes.length), bytes]);

export class WireReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;
  /** The two halves of the varint that was read last. */
  #low = 0;
  #high = 0;

  constructor(bytes: Uint8Array, from = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = end;
  }

  get hasMore(): boolean {
    return this.#at < this.#end;
  }

  /** A varint as a signed 64-bit number. What a double cannot hold is rounded. */
  varint(): number {
    this.#readHalves();
    return (this.#high | 0) * twoTo32 + (this.#low >>> 0);
  }

  /** The same without rounding. */
  integer(): number | JsonNumber {
    const rounded = this.varint();
    if (Number.isSafeInteger(rounded)) return rounded;
    return new JsonNumber(String(BigInt(this.#high | 0) * BigInt(twoTo32) + BigInt(this.#low >>> 0)));
  }

  #readHalves(): void {
    let low = 0;
    let high = 0;
    for (let i = 0; ; i++) {
      if (i >= varintBytesMax) throw new ProtobufError("proto: integer overflow");
      if (this.#at >= this.#end) throw new ProtobufError(endOfInput);
      const byte = this.#bytes[this.#at++]!;
      const part = byte & 0x7f;
      if (i < 4) low |= part << (7 * i);
      else if (i === 4) {
        low |= part << 28;
        high |= part >>> 4;
      } else high |= part << (7 * i - 32);
      if (byte < 0x80) break;
    }
    this.#low = low;
    this.#high = high;
  }

  /** `message`: Go's name of what is read, for faults. */
  tag(message: string): { number: number; type: number } {
    const tag = this.varint();
    const type = tag & 7;
    const number = Math.floor(tag / 8);
    if (type === endGroupType) throw new ProtobufError(`proto: ${message}: wiretype end group for non-group`);
    if (number <= 0) throw new ProtobufError(`proto: ${message}: illegal tag ${number} (wire type ${tag})`);
    return { number, type };
  }

  /** The place of a length-prefixed part, as a reader of its own. */
  nested(): WireReader {
    const from = this.#skipLength();
    return new WireReader(this.#bytes, from, this.#at);
  }

  bytes(): Buffer {
    const from = this.#skipLength();
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + from, this.#at - from);
  }

  text(): string {
    return this.bytes().toString("utf8");
  }

  double(): number {
    this.#need(8);
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + this.#at, 8);
    this.#at += 8;
    return view.getFloat64(0, true);
  }

  skip(type: number): void {
    if (type === varintType) this.varint();
    else if (type === bytesType) this.#skipLength();
    else if (type === fixed64Type || type === fixed32Type) {
      const size = type === fixed64Type ? 8 : 4;
      this.#need(size);
      this.#at += size;
    } else throw new ProtobufError(`proto: illegal wireType ${type}`);
  }

  #need(size: number): void {
    if (this.#end - this.#at < size) throw new ProtobufError(endOfInput);
  }

  #skipLength(): number {
    const length = this.varint();
    if (length < 0) throw new ProtobufError("proto: negative length found during unmarshaling");
    this.#need(length);
    const from = this.#at;
    this.#at += length;
    return from;
  }
}

const startBytes = 1024;

/** Grows towards the front: write the last field first. */
export class WireWriter {
  #buffer = Buffer.allocUnsafe(startBytes);
  #at = startBytes;

  /** Bytes written so far: the length of a nested part is the difference of two of these. */
  get size(): number {
    return this.#buffer.length - this.#at;
  }

  finish(): Buffer {
    return Buffer.from(this.#buffer.subarray(this.#at));
  }

  bytes(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#at -= bytes.length;
    this.#buffer.set(bytes, this.#at);
  }

  text(text: string): void {
    const length = Buffer.byteLength(text);
    this.#room(length);
    this.#at -= length;
    this.#buffer.write(text, this.#at, "utf8");
  }

  double(value: number): void {
    this.#room(8);
    this.#at -= 8;
    this.#buffer.writeDoubleLE(value, this.#at);
  }

  varint(value: number): void {
    if (value >= 0 && value < twoTo32) this.#writeHalves(value >>> 0, 0);
    else {
      const high = Math.floor(value / twoTo32);
      this.#writeHalves((value - high * twoTo32) >>> 0, high >>> 0);
    }
  }

  /** An integer that may be more than a double can hold. */
  integer(value: number | JsonNumber): void {
    if (typeof value === "number") return this.varint(value);
    const bits = BigInt.asUintN(64, BigInt(value.text));
    this.#writeHalves(Number(bits & 0xffff_ffffn), Number(bits >> 32n));
  }

  #writeHalves(low: number, high: number): void {
    this.#room(varintBytesMax);
    let size = 1;
    for (let l = low, h = high; h !== 0 || l > 0x7f; size++) {
      l = ((l >>> 7) | (h << 25)) >>> 0;
      h >>>= 7;
    }
    this.#at -= size;
    for (let at = this.#at; ; at++) {
      if (high === 0 && low <= 0x7f) {
        this.#buffer[at] = low;
        return;
      }
      this.#buffer[at] = (low & 0x7f) | 0x80;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
  }

  tag(number: number, type: number): void {
    this.varint(number * 8 + type);
  }

  /** Puts length and tag before what was written since `sizeBefore`. */
  wrap(number: number, sizeBefore: number): void {
    this.varint(this.size - sizeBefore);
    this.tag(number, bytesType);
  }

  #room(length: number): void {
    if (this.#at >= length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.size + length + startBytes));
    this.#buffer.copy(grown, grown.length - this.size, this.#at);
    this.#at = grown.length - this.size;
    this.#buffer = grown;
  }
}
