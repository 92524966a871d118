import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { parseLogLine, readLog, type LogOptions } from "./log-reader.ts";

const directory = mkdtempSync(join(tmpdir(), "log-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const path = join(directory, "0.log");
const signal = new AbortController().signal;

async function read(log: string, options: LogOptions = {}): Promise<string> {
  writeFileSync(path, log);
  const chunks: Buffer[] = [];
  for await (const chunk of readLog(path, options, { signal })) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

const stamp = (second: number): string => `2026-01-01T00:00:0${second}.5Z`;
const five = [1, 2, 3, 4, 5].map((n) => `${stamp(n)} stdout F line ${n}\n`).join("");
const split = `${stamp(1)} stdout P abc\n${stamp(1)} stdout F def\n${stamp(2)} stderr F end\n`;

test.each<[string, LogOptions, string]>([
  ["everything", {}, "line 1\nline 2\nline 3\nline 4\nline 5\n"],
  ["the last two lines", { tailLines: 2 }, "line 4\nline 5\n"],
  ["no line", { tailLines: 0 }, ""],
  ["more lines than there are", { tailLines: 9 }, "line 1\nline 2\nline 3\nline 4\nline 5\n"],
  ["some bytes", { limitBytes: 10 }, "line 1\nlin"],
  ["bytes of the tail", { tailLines: 2, limitBytes: 3 }, "lin"],
  ["what is new", { sinceMs: Date.parse("2026-01-01T00:00:04Z") }, "line 4\nline 5\n"],
  ["times", { tailLines: 1, timestamps: true }, `${stamp(5)} line 5\n`],
])("%s", async (_, options, expected) => expect(await read(five, options)).toBe(expected));

test("a split line is one line", async () => {
  expect(await read(split)).toBe("abcdef\nend\n");
  expect(await read(split, { tailLines: 2 })).toBe("abcdef\nend\n");
  expect(await read(split, { tailLines: 1 })).toBe("end\n");
  expect(await read(split, { timestamps: true })).toBe(`${stamp(1)} abcdef\n${stamp(2)} end\n`);
});

test("what is no log line is passed over", () => {
  expect(parseLogLine(Buffer.from("rubbish"))).toBeUndefined();
});

test("the tail of n lines is the last n of all lines", async () => {
  const texts = fc.array(
    fc.string({ maxLength: 200 }).map((text) => text.replaceAll(/[\r\n]/g, "")),
    { maxLength: 40 },
  );
  await fc.assert(
    fc.asyncProperty(texts, fc.nat(45), async (lines, count) => {
      const log = lines.map((line) => `${stamp(1)} stdout F ${line}\n`).join("");
      const expected = count === 0 ? [] : lines.slice(-count);
      expect(await read(log, { tailLines: count })).toBe(expected.map((line) => `${line}\n`).join(""));
    }),
    { numRuns: 50 },
  );
});
