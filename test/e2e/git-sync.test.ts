/** The Git part against a real server binary, without nodes: objects, conditions, pruning, drift, bad input. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestCluster } from "#test/support/cluster.ts";
import { type GitServer, startGitServer } from "#test/support/git-server.ts";
import { GitWork } from "#test/support/git-work.ts";
import { eventually } from "#test/support/process.ts";

const configMap = (name: string, data: Record<string, string>, namespace = "demo") =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name}, namespace: ${namespace} }\ndata: ${JSON.stringify(data)}\n`;
const namespace = "apiVersion: v1\nkind: Namespace\nmetadata: { name: demo }\n";

let cluster: TestCluster;
let work: GitWork;
const folder = mkdtempSync(join(tmpdir(), "capstan-git-e2e-"));

beforeAll(async () => {
  work = new GitWork(join(folder, "fleet"));
  work.commit("first", {
    "apps/namespace.yaml": namespace,
    "apps/a.yaml": configMap("a", { v: "1" }),
    "apps/b.yaml": configMap("b", { v: "1" }),
  });
  cluster = await TestCluster.create({ flags: ["--git", work.folder, "--git-path", "apps"] });
});
afterAll(async () => {
  await cluster?.remove();
  rmSync(folder, { recursive: true, force: true });
});

const value = async (name: string) =>
  (await cluster.kubectl(["get", "configmap", name, "-n", "demo", "-o", "jsonpath={.data.v}"])).stdout;
const exists = async (name: string) => (await cluster.kubectl(["get", "configmap", name, "-n", "demo"])).code === 0;
const ready = async (name = "capstan") =>
  (
    await cluster.kubectl([
      "get",
      "kustomization",
      name,
      "-n",
      "flux-system",
      "-o",
      'jsonpath={.status.conditions[?(@.type=="Ready")].status} {.status.conditions[?(@.type=="Ready")].reason} {.status.lastAppliedRevision} {.status.conditions[?(@.type=="Ready")].message}',
    ])
  ).stdout;
const applied = async (commit: string) =>
  await eventually(async () => (await ready()).startsWith(`True ReconciliationSucceeded main@sha1:${commit}`), {
    what: `commit ${commit} to be applied`,
  });

describe("a local repository", () => {
  it("a commit becomes objects, and the inventory names them", async () => {
    await applied(work.git("rev-parse", "HEAD"));
    expect(await value("a")).toBe("1");
    const { stdout } = await cluster.kubectl([
      "get",
      "kustomization",
      "capstan",
      "-n",
      "flux-system",
      "-o",
      "jsonpath={.status.inventory.entries[*].id}",
    ]);
    expect(stdout.split(" ").sort()).toEqual(["_demo__Namespace", "demo_a__ConfigMap", "demo_b__ConfigMap"]);
  });
  it("a change is applied, what left is pruned, and git revert brings both back", async () => {
    await applied(work.commit("second", { "apps/a.yaml": configMap("a", { v: "2" }), "apps/b.yaml": null }));
    expect([await value("a"), await exists("b")]).toEqual(["2", false]);
    work.git("revert", "--no-edit", "HEAD");
    await applied(work.git("rev-parse", "HEAD"));
    expect([await value("a"), await exists("b")]).toEqual(["1", true]);
  });
  it("drift is corrected and told with the name of who wrote", async () => {
    await cluster.kubectl([
      "patch",
      "configmap",
      "a",
      "-n",
      "demo",
      "--type=merge",
      "-p",
      '{"data":{"v":"drifted"}}',
      "--field-manager=somebody",
    ]);
    await eventually(async () => (await value("a")) === "1", { what: "drift to be corrected" });
    await cluster.kubectl(["delete", "configmap", "b", "-n", "demo"]);
    await eventually(async () => await exists("b"), { what: "a deleted object to be back" });
    const events = await eventually(async () => {
      const { stdout } = await cluster.kubectl([
        "get",
        "events",
        "-n",
        "flux-system",
        "--field-selector",
        "reason=DriftCorrected",
        "-o",
        "jsonpath={.items[*].message}",
      ]);
      return stdout.includes("ConfigMap/demo/b") && stdout;
    });
    expect(events).toContain("ConfigMap/demo/a was changed by somebody");
    expect(events).toContain("ConfigMap/demo/b was deleted");
  });
  it("bad files are told with file, object and field; everything else is applied, nothing is pruned", async () => {
    work.commit("bad", {
      "apps/a.yaml": configMap("a", { v: "3" }),
      "apps/b.yaml": null,
      "apps/broken.yaml": "kind: [unclosed\n",
      "apps/unknown-kind.yaml": "apiVersion: example.com/v1\nkind: Nothing\nmetadata: { name: x, namespace: demo }\n",
      "apps/unknown-field.yaml":
        "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: typo, namespace: demo }\ndatta: { a: b }\n",
      "apps/no-namespace.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: lost }\n",
    });
    const message = await eventually(async () => {
      const text = await ready();
      return text.startsWith("False") && text;
    });
    expect(message).toContain("apps/broken.yaml");
    expect(message).toContain('no matches for kind "Nothing"');
    expect(message).toMatch(/ConfigMap\/demo\/typo \(apps\/unknown-field\.yaml\).*datta/);
    expect(message).toContain("metadata.namespace: Required value");
    expect([await value("a"), await exists("b")]).toEqual(["3", true]);
  });
  it("a commit that mends it is applied at once", async () => {
    await applied(
      work.commit("mended", {
        "apps/broken.yaml": null,
        "apps/unknown-kind.yaml": null,
        "apps/unknown-field.yaml": null,
        "apps/no-namespace.yaml": null,
      }),
    );
    expect(await exists("b")).toBe(false);
  });
  it("an emptied folder and a folder that is gone prune nothing", async () => {
    work.commit("emptied", { "apps/a.yaml": null, "apps/namespace.yaml": null, "apps/readme.md": "nothing here\n" });
    await eventually(async () => (await ready()).includes("nothing is pruned"));
    work.commit("gone", { apps: null });
    await eventually(async () => (await ready()).includes("path not found"));
    expect(await exists("a")).toBe(true);
    work.git("reset", "-q", "--hard", "HEAD~2");
    await applied(work.git("rev-parse", "HEAD"));
  });
  it("a symlink out of the tree and a base above the repository are refused", async () => {
    execFileSync("mkdir", ["-p", join(work.folder, "apps")]);
    symlinkSync("/etc/passwd", join(work.folder, "apps/passwd.yaml"));
    work.commit("symlink", { "apps/kustomization.yaml": "resources: [a.yaml, namespace.yaml, passwd.yaml]\n" });
    await eventually(
      async () => (await ready()).startsWith("False BuildFailed") && (await ready()).includes("passwd.yaml"),
    );
    work.commit("climb", {
      "apps/passwd.yaml": null,
      "apps/kustomization.yaml": "resources: [a.yaml, namespace.yaml, ../../outside]\n",
    });
    await eventually(
      async () => (await ready()).startsWith("False BuildFailed") && (await ready()).includes("outside"),
    );
    await applied(work.commit("back", { "apps/kustomization.yaml": null }));
  });
  it("capstan status, diff and rollback", async () => {
    expect((await cluster.capstan(["status"])).stdout).toMatch(/✔ ConfigMap\/demo\/a/);
    expect((await cluster.capstan(["diff"])).code).toBe(0);
    work.git("checkout", "-q", "-b", "feature");
    work.commit("feature", { "apps/a.yaml": configMap("a", { v: "feature" }) });
    work.git("checkout", "-q", "main");
    const diff = await cluster.capstan(["diff", "--revision", "feature"]);
    expect(diff.code).toBe(1);
    expect(diff.stdout).toMatch(/-\s+v: "3"\n\+\s+v: feature/);
    await applied(work.commit("to be undone", { "apps/a.yaml": configMap("a", { v: "mistake" }) }));
    const rollback = await cluster.capstan(["rollback"]);
    expect(rollback.stdout + rollback.stderr).toContain('Revert "to be undone"');
    expect([rollback.code, await value("a"), work.git("log", "-1", "--format=%s")]).toEqual([
      0,
      "3",
      'Revert "to be undone"',
    ]);
  });
});

describe("a remote repository", () => {
  let server: GitServer;
  let remote: GitWork;
  beforeAll(async () => {
    execFileSync("git", ["init", "-q", "--bare", "-b", "main", join(folder, "served/remote.git")]);
    execFileSync("git", ["-C", join(folder, "served/remote.git"), "config", "http.receivepack", "true"]);
    server = await startGitServer(join(folder, "served"), { username: "ada", password: "secret" });
    remote = new GitWork(join(folder, "remote"));
    remote.git("remote", "add", "origin", join(folder, "served/remote.git"));
    remote.commit("one", {
      "deploy/kustomization.yaml": "namespace: demo\nresources: [c.yaml]\nnamePrefix: r-\n",
      "deploy/c.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: c }\ndata: { v: '1' }\n",
    });
    remote.git("push", "-q", "origin", "main");
  });
  afterAll(async () => await server?.close());

  const objects = (secret: string) => `
apiVersion: v1
kind: Secret
metadata: { name: login, namespace: flux-system }
stringData: { username: ada, password: ${secret} }
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: { name: remote, namespace: flux-system }
spec: { url: "${server.url("remote.git")}", interval: 1h, ref: { branch: main }, secretRef: { name: login } }
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: { name: remote, namespace: flux-system }
spec: { interval: 1h, path: deploy, prune: true, wait: true, sourceRef: { kind: GitRepository, name: remote } }
`;
  const source = async () =>
    (
      await cluster.kubectl([
        "get",
        "gitrepository",
        "remote",
        "-n",
        "flux-system",
        "-o",
        'jsonpath={.status.conditions[?(@.type=="Ready")].reason} {.status.conditions[?(@.type=="Ready")].message}',
      ])
    ).stdout;

  it("wrong credentials are told, right ones are used", async () => {
    await cluster.apply(objects("wrong"));
    await eventually(async () => (await source()).startsWith("AuthenticationFailed"));
    await cluster.apply(objects("secret"));
    await cluster.capstan(["sync", "--kustomization", "remote"]);
    await eventually(async () => (await value("r-c")) === "1", { what: "the rendered ConfigMap" });
  });
  it("a webhook brings a push in at once", async () => {
    remote.commit("two", {
      "deploy/c.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: c }\ndata: { v: '2' }\n",
    });
    remote.git("push", "-q", "origin", "main");
    const hook = cluster.log().match(/https:\/\/\S+\/capstan\/v1\/hook\/\w+/)?.[0];
    execFileSync("curl", ["-fsSk", "-X", "POST", hook!]);
    await eventually(async () => (await value("r-c")) === "2");
  });
  it("a rollback is pushed", async () => {
    const { code, stdout, stderr } = await cluster.capstan(["rollback", "--kustomization", "remote"]);
    expect(stdout + stderr).toContain('Revert "two"');
    expect([code, await value("r-c")]).toEqual([0, "1"]);
    remote.git("pull", "-q", "origin", "main");
    expect(remote.git("log", "-1", "--format=%s")).toBe('Revert "two"');
  });
  it("a force-push is followed; a repository that goes away loses nothing", async () => {
    remote.git("reset", "-q", "--hard", "HEAD~2");
    remote.commit("rewritten", {
      "deploy/c.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: c }\ndata: { v: 'forced' }\n",
    });
    remote.git("push", "-qf", "origin", "main");
    await cluster.capstan(["sync", "--kustomization", "remote"]);
    expect(await value("r-c")).toBe("forced");
    await server.close();
    await cluster.capstan(["sync", "--kustomization", "remote"]);
    await eventually(async () => (await source()).startsWith("GitOperationFailed"));
    expect(await value("r-c")).toBe("forced");
  });
  it("deleting the Kustomization deletes its objects", async () => {
    await cluster.kubectl(["delete", "kustomization", "remote", "-n", "flux-system", "--timeout=20s"]);
    expect(await exists("r-c")).toBe(false);
  });
});
