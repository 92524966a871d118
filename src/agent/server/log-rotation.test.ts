import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { logBytesMax, logFilesMax, rotateOne } from "./log-rotation.ts";

const directory = mkdtempSync(join(tmpdir(), "rotate-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const file = join(directory, "0.log");

function fill(bytes: number): void {
  const handle = openSync(file, "w");
  ftruncateSync(handle, bytes);
  closeSync(handle);
}

const reopen = async (): Promise<void> => writeFileSync(file, "");

test("a log within its limit stays, a full one is packed aside, and the oldest go", async () => {
  fill(logBytesMax);
  await rotateOne(file, reopen);
  expect(readdirSync(directory)).toEqual(["0.log"]);
  for (let old = 0; old < logFilesMax + 1; old += 1) writeFileSync(`${file}.2020010100000${old}.gz`, "");
  fill(logBytesMax + 1);
  await rotateOne(file, reopen);
  expect(readdirSync(directory)).toHaveLength(logFilesMax);
  expect(existsSync(`${file}.20200101000000.gz`)).toBe(false);
});

test("a runtime that does not open a new file keeps the old one", async () => {
  fill(logBytesMax + 1);
  await expect(rotateOne(file, async () => await Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(existsSync(file)).toBe(true);
});
