import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeAtomically } from "./atomic-writer.ts";

let directory: string;
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), "atomic-"))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const files = (entries: Record<string, string>) =>
  new Map(Object.entries(entries).map(([path, text]) => [path, { content: Buffer.from(text), mode: 0o644 }]));
const write = (entries: Record<string, string>): boolean =>
  writeAtomically(directory, files(entries), undefined, new Date());

test("names at the top lead through ..data, also into directories", () => {
  expect(write({ one: "1", "deep/two": "2" })).toBe(true);
  expect(readlinkSync(join(directory, "one"))).toBe("..data/one");
  expect(readFileSync(join(directory, "deep", "two"), "utf8")).toBe("2");
  expect(statSync(join(directory, "one")).mode & 0o777).toBe(0o644);
});

test("what is the same is not written again", () => {
  write({ one: "1" });
  const before = readlinkSync(join(directory, "..data"));
  expect(write({ one: "1" })).toBe(false);
  expect(readlinkSync(join(directory, "..data"))).toBe(before);
});

test("a change replaces all files at once and leaves nothing of the old ones", () => {
  write({ one: "1", gone: "x" });
  expect(write({ one: "2", added: "y" })).toBe(true);
  expect(readdirSync(directory).filter((name) => !name.startsWith(".."))).toEqual(["added", "one"]);
  expect(readdirSync(directory).filter((name) => /^\.\.\d/.test(name))).toHaveLength(1);
  expect(readFileSync(join(directory, "one"), "utf8")).toBe("2");
});

test.each(["../out", "/abs", "a/../../b", "..data"])("%s is refused", (path) => {
  expect(() => write({ [path]: "x" })).toThrow("invalid path");
});
