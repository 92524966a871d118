import { describe, expect, it } from "vitest";
import { Pieces, pieceBytesMax } from "./pieces.ts";

describe("Pieces", () => {
  it.each([
    ["nothing", 0, 0],
    ["a little", 3, 10],
    ["more than was expected", 3, 100_000],
    ["many of a piece's size", 5, pieceBytesMax],
    ["one larger than a piece", 1, pieceBytesMax * 3],
  ])("keeps %s whole", (_name, count, size) => {
    const source = Buffer.alloc(size + 1, "x");
    source[0] = 0x7b;
    const copied = {
      byteLength: size + 1,
      copyTo: (target: Buffer, at: number, from: number) => at + source.copy(target, at, from),
    };
    const pieces = new Pieces(10);
    const all: Buffer[] = [];
    for (let at = 0; at < count; at += 1) {
      pieces.text(",{");
      pieces.copy(copied, 1);
      all.push(...pieces.take());
    }
    all.push(...pieces.finish());
    expect(Buffer.concat(all).toString() === `,{${"x".repeat(size)}`.repeat(count)).toBe(true);
    expect(all.every((piece) => piece.byteLength > 0 && piece.byteLength <= Math.max(pieceBytesMax, size + 2))).toBe(
      true,
    );
  });
});
