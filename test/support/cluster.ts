/**
 * Clusters of tests, made of the real binary: a server, with or without nodes, each node in a network namespace of its own
 * on one bridge. Nothing is left behind: not after a failure either, as long as `remove` runs.
 */
import { randomBytes } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { helmProgram, kubectlProgram } from "./clients.ts";
import { type Finished, type Running, binary, eventually, must, root, run, start } from "./process.ts";

export interface ClusterOptions {
  /** How many nodes; the first shares its namespace with the server. 0: an API server with what reconciles. */
  nodes?: number;
  /** More flags of `capstan server`. */
  flags?: readonly string[];
}

interface Node {
  name: string;
  netns: string;
  address: string;
  dataDir: string;
  agent: Running | undefined;
}

export class TestCluster {
  readonly folder = mkdtempSync(join(tmpdir(), "capstan-test-"));
  readonly kubeconfig = join(this.folder, "kubeconfig");
  readonly #options: ClusterOptions;
  readonly #id = randomBytes(3).toString("hex");
  readonly nodes: Node[] = [];
  #server: Running | undefined;
  #port = 0;

  static async create(options: ClusterOptions = {}): Promise<TestCluster> {
    const cluster = new TestCluster(options);
    try {
      await cluster.#create();
      return cluster;
    } catch (error) {
      const log = cluster.log().split("\n").slice(-30).join("\n");
      await cluster.remove();
      throw new Error(`the cluster did not start: ${(error as Error).message}\n${log}`, { cause: error });
    }
  }

  private constructor(options: ClusterOptions) {
    this.#options = options;
  }

  /** Where the server's own commands run; undefined: this machine's namespace. */
  get netns(): string | undefined {
    return this.nodes[0]?.netns;
  }

  get serverPid(): number | undefined {
    return this.#server?.child.pid;
  }

  log(): string {
    return [this.#server, ...this.nodes.map(({ agent }) => agent)].map((running) => running?.output() ?? "").join("\n");
  }

  async #create(): Promise<void> {
    if (!existsSync(binary)) throw new Error("dist/capstan is missing: run scripts/build");
    const count = this.#options.nodes ?? 0;
    if (count > 0) await this.#makeNetwork(count);
    this.#port = count > 0 ? 6443 : 20_000 + Math.floor(Math.random() * 10_000);
    await this.startServer();
    for (const node of this.nodes.slice(1)) await this.startAgent(node);
    if (count > 0) {
      await eventually(
        async () =>
          (
            await run(
              [
                "sh",
                "-c",
                `'${binary}' wait --for=condition=Ready ${this.nodes.map(({ name }) => `node/${name}`).join(" ")} --timeout 1s --kubeconfig '${this.kubeconfig}'`,
              ],
              { netns: this.netns },
            )
          ).code === 0,
        { timeoutMs: 90_000, what: "nodes to be ready" },
      );
    }
  }

  async startServer(): Promise<void> {
    const first = this.nodes[0];
    rmSync(this.kubeconfig, { force: true });
    const flags = [
      "--config",
      "/dev/null",
      "--data-dir",
      join(this.folder, "server"),
      "--write-kubeconfig",
      this.kubeconfig,
      "--https-listen-port",
      String(this.#port),
    ];
    const node = first === undefined ? ["--disable-agent"] : ["--node-name", first.name, "--node-ip", first.address];
    this.#server = start([binary, "server", ...flags, ...node, ...(this.#options.flags ?? [])], { netns: this.netns });
    await eventually(
      async () => {
        if (this.#server?.child.exitCode !== null) throw new Error("the server ended");
        return existsSync(this.kubeconfig) && (await this.capstan(["get", "--raw", "/readyz"])).code === 0;
      },
      { what: "the API server" },
    );
  }

  async stopServer(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    await this.#server?.stop(signal);
    this.#server = undefined;
  }

  async startAgent(node: Node): Promise<void> {
    const first = this.nodes[0]!;
    const token = (await must([binary, "token", "--data-dir", join(this.folder, "server")])).trim();
    node.agent = start(
      [
        binary,
        "agent",
        "--config",
        "/dev/null",
        "--server",
        `https://${first.address}:${this.#port}`,
        "--data-dir",
        node.dataDir,
        "--node-name",
        node.name,
        "--node-ip",
        node.address,
      ],
      { netns: node.netns, env: { CAPSTAN_TOKEN: token } },
    );
  }

  async #makeNetwork(count: number): Promise<void> {
    const lan = `ct-${this.#id}-lan`;
    await must(["ip", "netns", "add", lan]);
    await must([
      "sh",
      "-c",
      `ip -n ${lan} link add br0 type bridge && ip -n ${lan} link set br0 up && ip -n ${lan} addr add 10.199.0.254/24 dev br0`,
    ]);
    const images = join(this.folder, "images");
    await must([join(root, "scripts/images"), images]);
    for (let number = 1; number <= count; number += 1) {
      const netns = `ct-${this.#id}-${number}`;
      const address = `10.199.0.${number}`;
      const dataDir = number === 1 ? join(this.folder, "server") : join(this.folder, `node-${number}`);
      this.nodes.push({ name: `node-${number}`, netns, address, dataDir, agent: undefined });
      await must(["ip", "netns", "add", netns]);
      await must([
        "sh",
        "-c",
        [
          `ip -n ${lan} link add v${number} type veth peer name eth0 netns ${netns}`,
          `ip -n ${lan} link set v${number} master br0 up`,
          `ip -n ${netns} link set lo up`,
          `ip -n ${netns} link set eth0 up`,
          `ip -n ${netns} addr add ${address}/24 dev eth0`,
          `ip -n ${netns} route add default via 10.199.0.254`,
        ].join(" && "),
      ]);
      mkdirSync(join(dataDir, "agent/images"), { recursive: true });
      cpSync(images, join(dataDir, "agent/images"), { recursive: true });
    }
  }

  async kubectl(args: readonly string[], options: Parameters<typeof run>[1] = {}): Promise<Finished> {
    return await run(
      [await kubectlProgram(), "--kubeconfig", this.kubeconfig, "--cache-dir", join(this.folder, "cache"), ...args],
      { netns: this.netns, ...options },
    );
  }

  async helm(args: readonly string[], options: Parameters<typeof run>[1] = {}): Promise<Finished> {
    const env = {
      HOME: this.folder, // where the discovery cache goes
      HELM_CACHE_HOME: join(this.folder, "helm"),
      HELM_CONFIG_HOME: join(this.folder, "helm"),
      HELM_DATA_HOME: join(this.folder, "helm"),
    };
    return await run([await helmProgram(), "--kubeconfig", this.kubeconfig, ...args], {
      netns: this.netns,
      env,
      timeoutMs: 120_000,
      ...options,
    });
  }

  async capstan(args: readonly string[], options: Parameters<typeof run>[1] = {}): Promise<Finished> {
    return await run([binary, ...args, "--kubeconfig", this.kubeconfig], { netns: this.netns, ...options });
  }

  /** `kubectl apply -f -` that must succeed. */
  async apply(manifest: string): Promise<void> {
    const { code, stdout, stderr } = await this.kubectl(["apply", "-f", "-"], { input: manifest });
    if (code !== 0) throw new Error(`${stdout}${stderr}`);
  }

  /** What kubectl prints when it succeeds, which it must. */
  async ask(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.kubectl(args);
    if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stderr}`);
    return stdout.trim();
  }

  async see<T>(...args: string[]): Promise<T> {
    return JSON.parse(await this.ask("get", ...args, "-o", "json")) as T;
  }

  async remove(): Promise<void> {
    await Promise.all([this.stopServer(), ...this.nodes.map(async ({ agent }) => await agent?.stop())]);
    for (const { netns, dataDir } of this.nodes) {
      await run([binary, "cleanup", "--data-dir", dataDir, "--data"], { netns });
      await run(["ip", "netns", "delete", netns]);
    }
    if (this.nodes.length > 0) await run(["ip", "netns", "delete", `ct-${this.#id}-lan`]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
