import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ObjectMemory, nodeAt, readCommitTree } from "./commit-tree.ts";
import { Repository, highestTag } from "./repository.ts";

const folder = mkdtempSync(join(tmpdir(), "capstan-repository-"));
const work = join(folder, "work");
const git = (...args: string[]) =>
  execFileSync("git", ["-C", work, "-c", "user.name=t", "-c", "user.email=t@example.com", ...args], {
    encoding: "utf8",
  }).trim();
const open = (path: string) =>
  new Repository({ url: pathToFileURL(path).href, directory: join(folder, "copy"), http: { timeoutMs: 1000 } });
let first: string;
let second: string;

beforeAll(() => {
  execFileSync("git", ["init", "-q", "-b", "main", work]);
  execFileSync("mkdir", ["-p", join(work, "apps/web")]);
  writeFileSync(join(work, "apps/web/deployment.yaml"), "kind: Deployment\n");
  writeFileSync(join(work, "logo.png"), "x");
  git("add", "-A");
  git("commit", "-qm", "one");
  first = git("rev-parse", "HEAD");
  git("tag", "-am", "first", "v1.0.0");
  writeFileSync(join(work, "apps/web/service.yaml"), "kind: Service\n");
  git("add", "-A");
  git("commit", "-qm", "two");
  second = git("rev-parse", "HEAD");
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("a local repository", () => {
  it.each([
    ["a branch", { branch: "main" }, () => second, () => `main@sha1:${second}`],
    ["an annotated tag, peeled", { tag: "v1.0.0" }, () => first, () => `v1.0.0@sha1:${first}`],
    ["a version range", { semver: ">=1.0.0 <2" }, () => first, () => `v1.0.0@sha1:${first}`],
    ["a full ref name", { name: "refs/heads/main" }, () => second, () => `refs/heads/main@sha1:${second}`],
  ])("resolves %s", async (_title, reference, commit, revision) => {
    expect(await open(work).resolve(reference)).toMatchObject({ commit: commit(), revision: revision() });
  });
  it("a commit wins over all else", async () => {
    expect(await open(work).resolve({ commit: first, semver: "*" })).toMatchObject({
      commit: first,
      revision: `sha1:${first}`,
    });
  });
  it("lists a commit's files without those that are ignored, and reads them", async () => {
    const repository = open(work);
    const memory = new ObjectMemory(repository);
    const tree = await readCommitTree(memory, (await repository.commit(second)).tree, undefined);
    expect([...tree.entries.keys()]).toEqual(["apps"]);
    const file = nodeAt(tree, "./apps/web/service.yaml");
    expect(file?.type === "file" && (await memory.blob(file.oid)).toString()).toBe("kind: Service\n");
    expect(nodeAt(tree, "apps/../../etc")).toBeUndefined();
  });
  it("sees a new commit", async () => {
    const repository = open(work);
    await repository.resolve({ branch: "main" });
    git("commit", "-q", "--allow-empty", "-m", "three");
    expect((await repository.resolve({ branch: "main" })).commit).toBe(git("rev-parse", "HEAD"));
  });
  it.each([
    [
      "a branch that is not there",
      work,
      { branch: "nope" },
      "GitOperationFailed",
      `couldn't find remote ref "refs/heads/nope"`,
    ],
    ["no matching version", work, { semver: ">=9" }, "GitOperationFailed", "no match found for semver: >=9"],
  ])("%s is an error with a reason", async (_title, path, reference, reason, message) => {
    await expect(open(path).resolve(reference)).rejects.toMatchObject({
      reason,
      message: expect.stringContaining(message),
    });
  });
  it("a folder that is no repository is refused", () => {
    expect(() => open(folder)).toThrow("is not a Git repository");
  });
  it("an empty repository is told as such", async () => {
    const empty = join(folder, "empty.git");
    execFileSync("git", ["init", "-q", "--bare", empty]);
    await expect(open(empty).resolve({ branch: "main" })).rejects.toMatchObject({ reason: "EmptyGitRepository" });
  });
});

describe("versions", () => {
  it.each([
    [["v1.0.0", "v1.2.0", "v2.0.0", "other"], "1.x", "v1.2.0"],
    [["1.0.0", "1.1.0-rc.1"], ">=1.0.0", "1.0.0"],
    [["1.0.0", "1.1.0-rc.1"], ">=1.1.0-0", "1.1.0-rc.1"],
  ])("of %j, %s is %s", (tags, range, expected) => {
    expect(highestTag(tags, range)).toBe(expected);
  });
});
