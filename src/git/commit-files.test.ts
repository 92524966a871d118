import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { GitWork } from "#test/support/git-work.ts";
import { CommitRenders } from "./commit-files.ts";
import { ObjectMemory, fileBytesMax, readCommitTree } from "./commit-tree.ts";
import { renderFolder } from "./render/render-folder.ts";
import { Repository } from "./repository.ts";
import { sourceState } from "./sources.ts";

const folder = mkdtempSync(join(tmpdir(), "capstan-renders-"));
const work = new GitWork(join(folder, "work"));
const repository = new Repository({
  url: pathToFileURL(work.folder).href,
  directory: folder,
  http: { timeoutMs: 1000 },
});
const memory = new ObjectMemory(repository);
afterAll(() => rmSync(folder, { recursive: true }));

const map = (name: string, value: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  value: ${value}\n`;
const files = {
  "base/kustomization.yaml": "resources: [shared.yaml]\n",
  "base/shared.yaml": map("shared", "one"),
  "apps/a/kustomization.yaml": "resources: [../../base]\nnamePrefix: a-\n",
  "apps/plain/b.yaml": map("b", "one"),
};

/** Commits, renders and tells how often the folder was rendered, and which values came out. */
function follower(at: string) {
  const renders = new CommitRenders<string[]>();
  let count = 0;
  return async (change: Record<string, string | null> = {}, key = "") => {
    const commit = await repository.commit(work.commit("change", change));
    const tree = await readCommitTree(memory, commit.tree, undefined);
    const values = await renders.render(sourceState({ revision: commit.commit, commit, tree, memory }), {
      name: at,
      key,
      folder: at,
      render(seen) {
        count += 1;
        const { objects, problems } = renderFolder(seen, at);
        return [
          ...objects.map(({ object }) => (object as { data: { value: string } }).data.value),
          ...problems.map(({ message }) => message),
        ];
      },
    });
    return { count, values };
  };
}

describe("renders of commits", () => {
  test("a commit that changes nothing that was looked at is not rendered again", async () => {
    const plain = follower("/apps/plain");
    expect(await plain(files)).toEqual({ count: 1, values: ["one"] });
    expect(await plain({ "base/shared.yaml": map("shared", "two"), "README.md": "x" })).toMatchObject({ count: 1 });
    expect(await plain({}, "another spec")).toMatchObject({ count: 2 });
  });

  test.each([
    ["its content", { "apps/plain/b.yaml": map("b", "two") }, ["two"]],
    ["a new file", { "apps/plain/c.yaml": map("c", "three") }, ["one", "three"]],
    ["one that went", { "apps/plain/b.yaml": null, "apps/plain/d.yaml": map("d", "four") }, ["four"]],
    ["a kustomization where there was none", { "apps/plain/kustomization.yaml": "resources: []\n" }, []],
  ])("a folder is rendered again for %s", async (_, change, values) => {
    const plain = follower("/apps/plain");
    work.commit("start", { "apps/plain": null });
    expect(await plain(files)).toEqual({ count: 1, values: ["one"] });
    expect(await plain(change)).toEqual({ count: 2, values });
  });

  test("what lies beyond the folder is loaded when it is asked for, and followed too", async () => {
    const a = follower("/apps/a");
    const first = await a(files);
    expect(first.values).toEqual(["one"]);
    expect(await a({ "apps/plain/b.yaml": map("b", "five") })).toEqual(first);
    expect((await a({ "base/shared.yaml": map("shared", "six") })).values).toEqual(["six"]);
  });

  test("a file that is too large is told, not passed over", async () => {
    const plain = follower("/apps/plain");
    work.commit("start", { "apps/plain": null });
    const { values } = await plain({ ...files, "apps/plain/large.yaml": "x".repeat(fileBytesMax + 1) });
    expect(values).toContainEqual(expect.stringMatching(/larger than the 10485760 bytes/));
  });
});
