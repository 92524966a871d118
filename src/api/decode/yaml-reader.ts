/** The bytes of a YAML text: go-yaml's reader takes UTF-8 alone and no control characters. Upstream: its readerc.go. */
import { isUtf8 } from "node:buffer";

export interface ReaderFault {
  problem: string;
  /** Where the block of the fault begins: what is wrong with the text before it is told first. */
  from: number;
}

/** As many bytes the reader takes at once. */
const blockSize = 512;
const replacement = "\uFFFD";
const forbidden = /[^\t\n\r\x20-\x7E\x85\xA0-\uFFFD]/;

export function readYamlText(bytes: Uint8Array): { text: string; fault?: ReaderFault } {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  const control = text.search(forbidden);
  const controls = control === -1 ? undefined : faultAt(control, "control characters are not allowed");
  if (!text.includes(replacement) || isUtf8(bytes))
    return controls === undefined ? { text } : { text, fault: controls };
  const broken = brokenSequence(bytes);
  const fault = faultAt(Buffer.from(bytes.subarray(0, broken.offset)).toString("utf8").length, broken.problem);
  return { text, fault: controls !== undefined && controls.from < fault.from ? controls : fault };
}

function faultAt(index: number, problem: string): ReaderFault {
  return { problem, from: index - (index % blockSize) };
}

/** `bytes` are no UTF-8. */
function brokenSequence(bytes: Uint8Array): { offset: number; problem: string } {
  let offset = 0;
  for (let width: number; offset < bytes.length; offset += width) {
    width = sequenceWidth(bytes[offset]!);
    const problem =
      width === 0 ? "invalid leading UTF-8 octet" : sequenceProblem(bytes.subarray(offset, offset + width), width);
    if (problem !== undefined) return { offset, problem };
  }
  return { offset, problem: "invalid Unicode character" };
}

function sequenceWidth(octet: number): number {
  if (octet < 0x80) return 1;
  if (octet >> 5 === 0b110) return 2;
  if (octet >> 4 === 0b1110) return 3;
  return octet >> 3 === 0b11110 ? 4 : 0;
}

function sequenceProblem(sequence: Uint8Array, width: number): string | undefined {
  if (sequence.length < width) return "incomplete UTF-8 octet sequence";
  if (sequence.subarray(1).some((octet) => octet >> 6 !== 0b10)) return "invalid trailing UTF-8 octet";
  if (isUtf8(sequence)) return undefined;
  const value = sequence.subarray(1).reduce((sum, octet) => sum * 64 + (octet & 0x3f), sequence[0]! & (0x7f >> width));
  const isLongEnough = value >= (width === 2 ? 0x80 : width === 3 ? 0x800 : 0x10000);
  return isLongEnough ? "invalid Unicode character" : "invalid length of a UTF-8 sequence";
}
