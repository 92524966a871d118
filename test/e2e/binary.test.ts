/** The binary alone: an empty folder, an empty environment, nothing left behind. */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { binary, eventually } from "#test/support/process.ts";

const folder = mkdtempSync(join(tmpdir(), "capstan-binary-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const alone = (...args: string[]) => execFileSync(binary, args, { cwd: folder, env: {}, encoding: "utf8" });

describe("the binary in an empty folder with an empty environment", () => {
  it("tells its version and its commands", () => {
    expect(alone("--version")).toMatch(/^capstan \d+\.\d+\.\d+ \([0-9a-f]+\), Kubernetes v1\.36\.\d+, Node v24\./);
    expect(alone("--help")).toContain("rollback");
    expect(alone("rollback", "--help")).toContain("Examples:");
  });
  it("renders", () => {
    mkdirSync(join(folder, "k"));
    writeFileSync(
      join(folder, "k/kustomization.yaml"),
      "namePrefix: a-\nconfigMapGenerator: [{ name: c, literals: [x=y], options: { disableNameSuffixHash: true } }]\n",
    );
    expect(alone("kustomize", "k")).toBe('apiVersion: v1\ndata:\n  x: "y"\nkind: ConfigMap\nmetadata:\n  name: a-c\n');
    rmSync(join(folder, "k"), { recursive: true });
  });
  it("serves, stops on SIGTERM, and leaves its data directory and its kubeconfig, nothing else", async () => {
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith(".capstan"));
    const port = String(30_000 + Math.floor(Math.random() * 5000));
    const server = spawn(
      binary,
      [
        "server",
        "--data-dir",
        "data",
        "--write-kubeconfig",
        "kubeconfig",
        "--https-listen-port",
        port,
        "--disable-agent",
      ],
      { cwd: folder, env: {}, stdio: "ignore" },
    );
    const ended = new Promise<number | null>((resolve) => server.on("exit", resolve));
    await eventually(async () => existsSync(join(folder, "kubeconfig")), { what: "the server" });
    await eventually(async () => alone("get", "namespaces", "--kubeconfig", "kubeconfig").includes("kube-system"));
    server.kill("SIGTERM");
    expect(await ended).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(["data", "kubeconfig"]);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith(".capstan"))).toEqual(before);
  });
  it("a second server on the same data is refused while the first runs", async () => {
    const flags = [
      "server",
      "--data-dir",
      "data",
      "--write-kubeconfig",
      "kubeconfig",
      "--disable-agent",
      "--https-listen-port",
    ];
    rmSync(join(folder, "kubeconfig"));
    const first = spawn(binary, [...flags, "35111"], { cwd: folder, env: {}, stdio: "ignore" });
    const ended = new Promise((resolve) => first.on("exit", resolve));
    await eventually(async () => existsSync(join(folder, "kubeconfig")), { what: "the server" });
    expect(() =>
      execFileSync(binary, [...flags, "35112"], {
        cwd: folder,
        env: {},
        encoding: "utf8",
        stdio: "pipe",
        timeout: 20_000,
      }),
    ).toThrow(/in use by another process/);
    first.kill("SIGTERM");
    await ended;
  });
});
