import { describe, expect, it } from "vitest";
import { Pieces, pieceBytesMax, spareOf } from "./pieces.ts";

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

describe("Pieces that come back", () => {
  it("are used again, once each, and only whole ones", () => {
    const spare: Buffer[] = [];
    const pieces = new Pieces(pieceBytesMax, spare);
    const fill = (byte: string) => pieces.text(byte.repeat(pieceBytesMax));
    fill("a");
    fill("b");
    const [first] = pieces.take();
    expect(first!.toString().startsWith("aa")).toBe(true);
    spare.push(spareOf(first!)!);
    fill("c");
    fill("d");
    expect(spare).toEqual([]);
    expect(first!.toString().startsWith("cc")).toBe(true);
    expect(pieces.finish().map((piece) => String.fromCharCode(piece[0]!))).toEqual(["b", "c", "d"]);
    expect(spareOf(Buffer.alloc(10))).toBeUndefined();
  });
});
