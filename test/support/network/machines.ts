/**
 * Two nodes on one machine: a network namespace each, joined by a third with a bridge, pods attached by the real CNI
 * bridge plugin with the configuration that the node wrote. Nothing is made in the machine's own namespace but the
 * names of the namespaces, and `remove` takes those away.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "#agent/network/command.ts";
import { LineProcess } from "./line-process.ts";

const cniDirectory = process.env["CAPSTAN_CNI_BIN"] ?? "/usr/lib/cni";
const here = import.meta.dirname;

export interface TestPod {
  readonly name: string;
  readonly namespace: string;
  readonly ip: string;
  readonly process: LineProcess;
}

export class Machines {
  readonly prefix = `capstan-${process.pid}`;
  readonly nodes: LineProcess[] = [];
  readonly #directories: string[] = [];
  readonly #namespaces: string[] = [];
  readonly #processes: LineProcess[] = [];

  get lan(): string {
    return `${this.prefix}-lan`;
  }

  nodeNamespace(index: number): string {
    return `${this.prefix}-n${index}`;
  }

  nodeIp(index: number): string {
    return `10.199.0.${index}`;
  }

  /** The segment and its router at 10.199.0.254. */
  async makeLan(): Promise<void> {
    await this.#makeNamespace(this.lan);
    await this.ip(this.lan, ["link add br0 type bridge", "addr add 10.199.0.254/24 dev br0", "link set br0 up"]);
  }

  async makeNode(index: number): Promise<LineProcess> {
    const namespace = this.nodeNamespace(index);
    await this.#makeNamespace(namespace);
    const pair = `link add v${index} netns ${this.lan} type veth peer name eth0 netns ${namespace}`;
    await runCommand("ip", pair.split(" "));
    await this.ip(this.lan, [`link set v${index} master br0 up`]);
    await this.ip(namespace, [
      `addr add ${this.nodeIp(index)}/24 dev eth0`,
      "link set eth0 up",
      "route add default via 10.199.0.254",
    ]);
    const directory = await mkdtemp(join(tmpdir(), "capstan-network-"));
    this.#directories.push(directory);
    const resolvConf = join(directory, "resolv.conf");
    await writeFile(resolvConf, "nameserver 10.199.0.254\nnameserver 10.43.0.10\n");
    const args = [`n${index}`, this.nodeIp(index), directory, resolvConf];
    const node = this.start(namespace, "node-process.ts", args);
    this.nodes[index - 1] = node;
    return node;
  }

  /** A pod with an address from the node's CNI configuration. */
  async makePod(nodeIndex: number, name: string): Promise<TestPod> {
    const namespace = `${this.prefix}-${name}`;
    await this.#makeNamespace(namespace);
    const directory = this.#directories[nodeIndex - 1] ?? "";
    const list = JSON.parse(await readFile(join(directory, "cni", "10-capstan.conflist"), "utf8")) as {
      cniVersion: string;
      name: string;
      plugins: { type: string }[];
    };
    const [plugin] = list.plugins;
    const config = JSON.stringify({ cniVersion: list.cniVersion, name: list.name, ...plugin });
    const variables = {
      CNI_COMMAND: "ADD",
      CNI_CONTAINERID: name,
      CNI_NETNS: `/run/netns/${namespace}`,
      CNI_IFNAME: "eth0",
      CNI_PATH: cniDirectory,
    };
    const added = await runCommand(
      "nsenter",
      [
        `--net=/run/netns/${this.nodeNamespace(nodeIndex)}`,
        "env",
        ...Object.entries(variables).map(([key, value]) => `${key}=${value}`),
        join(cniDirectory, plugin?.type ?? ""),
      ],
      config,
    );
    const { ips } = JSON.parse(added) as { ips: { address: string }[] };
    const process = this.start(namespace, "pod-process.ts", [name]);
    await process.call("ready");
    return { name, namespace, ip: ips[0]?.address.split("/")[0] ?? "", process };
  }

  start(namespace: string, script: string, args: readonly string[]): LineProcess {
    const started = new LineProcess(namespace, join(here, script), args);
    this.#processes.push(started);
    return started;
  }

  async ip(namespace: string, lines: readonly string[]): Promise<void> {
    await runCommand("ip", ["-n", namespace, "-batch", "-"], `${lines.join("\n")}\n`);
  }

  async nft(namespace: string, ...args: readonly string[]): Promise<string> {
    return await runCommand("nsenter", [`--net=/run/netns/${namespace}`, "nft", ...args]);
  }

  async remove(): Promise<void> {
    await Promise.all(this.#processes.map(async (started) => await started.stop()));
    for (const namespace of this.#namespaces.toReversed())
      await runCommand("ip", ["netns", "del", namespace]).catch(() => undefined);
    for (const directory of this.#directories) await rm(directory, { recursive: true, force: true });
  }

  async #makeNamespace(name: string): Promise<void> {
    this.#namespaces.push(name);
    await runCommand("ip", ["netns", "add", name]);
    await this.ip(name, ["link set lo up"]);
  }
}
