/**
 * A server for a bench: the built binary alone, without node, controllers and Git, on a data directory of its own. If it
 * ends before it was asked to, the bench ends too and says how the server ended and what it said last.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ServiceAccount } from "#api/core/service-account.ts";
import { ClusterRoleBinding } from "#api/rbac/cluster-role-binding.ts";
import { Client } from "#client/client.ts";
import { HttpTransport } from "#client/http-transport.ts";
import { loadKubeconfig } from "#client/kubeconfig.ts";
import { binary, type Running, start } from "#test/support/process.ts";

export interface BenchServer {
  readonly port: number;
  /** "https://127.0.0.1:6443". */
  readonly base: string;
  readonly ca: string;
  /** Of a service account that may do all. */
  readonly token: string;
  readonly client: Client;
  readonly folder: string;
  readonly startMs: number;
  residentMegabytes(): number;
  /** User and system time so far. */
  cpuMs(): number;
  /** Stops the server and starts it again on the same data; resolves with how long the start took, in ms. */
  restart(): Promise<number>;
  stop(): Promise<void>;
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export async function startBenchServer(): Promise<BenchServer> {
  const folder = mkdtempSync(join(tmpdir(), "capstan-bench-"));
  const kubeconfig = join(folder, "kubeconfig");
  const port = 21_000 + Math.floor(Math.random() * 1000);
  let running: Running;
  let isStopping = false;

  async function launch(): Promise<number> {
    rmSync(kubeconfig, { force: true });
    const from = performance.now();
    isStopping = false;
    running = start([binary, ...serverArguments(folder, kubeconfig, port)]);
    running.child.once("exit", (code, signal) => {
      if (isStopping) return;
      console.error(`the server ended by itself, with ${signal ?? `code ${code}`}; it said last:`);
      console.error(running.output().split("\n").slice(-20).join("\n"));
      rmSync(folder, { recursive: true, force: true });
      process.exit(1);
    });
    while (!existsSync(kubeconfig)) await sleep(2);
    return performance.now() - from;
  }

  async function halt(): Promise<void> {
    isStopping = true;
    await running.stop();
  }

  process.once("exit", () => void running.child.kill("SIGKILL"));
  const startMs = await launch();
  const { connection } = loadKubeconfig(kubeconfig);
  const client = new Client(new HttpTransport(connection));
  const token = await makeToken(client);
  await client.create(ServiceAccount, { metadata: { namespace: "default", name: "default" } });
  return {
    port,
    base: `https://127.0.0.1:${port}`,
    ca: String(connection.ca),
    token,
    client,
    folder,
    startMs,
    residentMegabytes: () => residentMegabytes(running.child.pid!),
    cpuMs: () => cpuMs(running.child.pid!),
    async restart() {
      await halt();
      return await launch();
    },
    async stop() {
      await halt();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function serverArguments(folder: string, kubeconfig: string, port: number): string[] {
  const values = { config: "/dev/null", "data-dir": join(folder, "data"), "write-kubeconfig": kubeconfig };
  return [
    "server",
    ...Object.entries(values).map(([name, value]) => `--${name}=${value}`),
    `--https-listen-port=${port}`,
    "--disable-agent",
    "--disable-scheduler",
    "--disable-controller-manager",
    "--disable=git",
  ];
}

async function makeToken(client: Client): Promise<string> {
  const key = { namespace: "default", name: "bench" };
  await client.create(ServiceAccount, { metadata: key });
  await client.create(ClusterRoleBinding, {
    metadata: { name: "bench" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
    subjects: [{ kind: "ServiceAccount", ...key }],
  });
  const answer = await client.createSubresource(ServiceAccount, key, "token", { spec: { expirationSeconds: 7200 } });
  return (answer["status"] as { token: string }).token;
}

export function residentMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(status.match(/VmRSS:\s+(\d+)/)?.[1] ?? 0) / 1024);
}

const clockTicksPerSecond = 100;

function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / clockTicksPerSecond;
}
