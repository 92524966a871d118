import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lockDirectory } from "./directory-lock.ts";

test("a directory has one holder at a time", async () => {
  const directory = mkdtempSync(join(tmpdir(), "lock-"));
  const release = await lockDirectory(directory);
  await expect(lockDirectory(directory)).rejects.toThrow("another agent runs on");
  release();
  const again = await lockDirectory(directory);
  again();
  rmSync(directory, { recursive: true });
});
