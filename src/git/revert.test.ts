import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync, existsSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { rollBack } from "./rollback.ts";

let work: string;
const git = (...args: string[]) =>
  execFileSync("git", ["-C", work, "-c", "user.name=t", "-c", "user.email=t@example.com", ...args], {
    encoding: "utf8",
  }).trim();
const commit = (files: Record<string, string>, message: string) => {
  for (const [name, text] of Object.entries(files)) {
    execFileSync("mkdir", ["-p", join(work, name, "..")]);
    writeFileSync(join(work, name), text);
  }
  git("add", "-A");
  git("commit", "-qm", message);
  return git("rev-parse", "HEAD");
};
const options = (undo: string) => ({
  url: pathToFileURL(work).href,
  branch: "main",
  http: { timeoutMs: 1000 },
  author: { name: "c", email: "c@example.com" },
  undo,
});

beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), "capstan-revert-"));
  execFileSync("git", ["init", "-q", "-b", "main", work]);
});
afterEach(() => rmSync(work, { recursive: true }));

describe("rollback of a local repository", () => {
  it("makes the commit that git revert would make, and shows it in the working tree", async () => {
    commit({ "apps/a.yaml": "1\n", "b.yaml": "1\n" }, "one");
    const bad = commit({ "apps/a.yaml": "2\n", "apps/new.yaml": "n\n" }, "two");
    const result = await rollBack(options(bad));
    expect(result.message).toBe('Revert "two"');
    expect(git("rev-parse", "HEAD")).toBe(result.commit);
    expect(git("diff", "--stat", `${bad}~1`, "HEAD")).toBe("");
    expect([
      readFileSync(join(work, "apps/a.yaml"), "utf8"),
      existsSync(join(work, "apps/new.yaml")),
      git("status", "--porcelain"),
    ]).toEqual(["1\n", false, ""]);
  });
  it("undoes an older commit and keeps what came after", async () => {
    commit({ "a.yaml": "1\n" }, "one");
    const bad = commit({ "a.yaml": "2\n" }, "two");
    commit({ "b.yaml": "x\n" }, "three");
    await rollBack(options(bad));
    expect([git("show", "HEAD:a.yaml"), git("show", "HEAD:b.yaml")]).toEqual(["1", "x"]);
  });
  it("a file that changed again is a conflict, and nothing is written", async () => {
    commit({ "a.yaml": "1\n" }, "one");
    const bad = commit({ "a.yaml": "2\n" }, "two");
    const tip = commit({ "a.yaml": "3\n" }, "three");
    await expect(rollBack(options(bad))).rejects.toThrow("a.yaml");
    expect(git("rev-parse", "HEAD")).toBe(tip);
  });
  it("--to restores an older commit's content", async () => {
    const first = commit({ "a.yaml": "1\n" }, "one");
    commit({ "a.yaml": "2\n" }, "two");
    const tip = commit({ "c/d.yaml": "3\n" }, "three");
    await rollBack({ ...options(tip), to: first.slice(0, 8) });
    expect(git("diff", "--stat", first, "HEAD")).toBe("");
    expect(git("rev-parse", "HEAD~1")).toBe(tip);
  });
  it("refuses over uncommitted changes", async () => {
    commit({ "a.yaml": "1\n" }, "one");
    const tip = commit({ "a.yaml": "2\n" }, "two");
    writeFileSync(join(work, "a.yaml"), "mine\n");
    await expect(rollBack(options(tip))).rejects.toThrow("has changes");
  });
});
