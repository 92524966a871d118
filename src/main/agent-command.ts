/** `capstan agent` and `capstan cleanup`: a machine becomes a node, and stops being one. */
import { rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { createLogger, type Logger } from "#lib/log.ts";
import { sleep } from "#lib/sleep.ts";
import type { V1Taint } from "#api/generated/types.ts";
import { startAgent } from "#agent/agent.ts";
import { joinCluster, JoinRefused, type NodeCredentials, readCredentials } from "#agent/join.ts";
import { type Command, type FlagValues, type Io, UsageError } from "#cli/command.ts";
import { agentFlags, readClusterFlags } from "#cli/cluster-flags.ts";
import { HttpTransport } from "#client/http-transport.ts";
import { mainAddress } from "./addresses.ts";
import { parentGone } from "./child-agent.ts";

const joinRetryMs = 500;

export const agentCommand: Command = {
  name: "agent",
  group: "Cluster",
  summary: "Make this machine a node of a cluster",
  description:
    "Joins the cluster of --server and runs its pods: containers by containerd, Services by nftables, cluster DNS.\nOn SIGTERM it stops; containers go on under their shims, and the next start adopts them.",
  usage: "capstan agent --server URL --token TOKEN [flags]",
  examples: [
    "capstan agent --server https://first:6443 --token $(cat token)",
    "CAPSTAN_TOKEN=… capstan agent --server https://first:6443 --node-label disk=ssd",
  ],
  flags: agentFlags,
  async run({ io }) {
    const argv = process.argv.slice(process.argv.indexOf("agent") + 1);
    const signal = AbortSignal.any([io.signal, parentGone(io.env, io.stdin)]);
    return await runAgent(readClusterFlags(argv, agentFlags, io.env), { ...io, signal });
  },
};

async function runAgent(flags: FlagValues, io: Io): Promise<number> {
  const log = createLogger({ level: flags.boolean("debug") ? "debug" : "info", part: "agent" });
  if (!flags.given("server") && flags.string("server") === "")
    throw new UsageError("--server is needed: the address of an API server to join, e.g. https://first:6443");
  if (flags.string("token") === "") throw new UsageError("--token is needed: 'capstan token' on a server prints it");
  const dataDir = flags.string("data-dir");
  const nodeIp = flags.string("node-ip") || mainAddress();
  const credentials = await joinPatiently(flags, nodeIp, dataDir, log, io);
  if (credentials === undefined) return 0;
  const { nodeName, server, ca, clientCert, clientKey, servingCert, servingKey } = credentials;
  const networkTransport = new HttpTransport(
    { server, ca, cert: credentials.networkCert, key: credentials.networkKey },
    { userAgent: "capstan-network" },
  );
  const transport = new HttpTransport({ server, ca, cert: clientCert, key: clientKey }, { userAgent: "kubelet" });
  const agent = await startAgent({
    dataDirectory: dataDir,
    nodeName,
    nodeIps: [nodeIp],
    nodeLabels: Object.fromEntries(
      flags
        .strings("node-label")
        .flatMap((one) => one.split(","))
        .map(readLabel),
    ),
    nodeTaints: flags
      .strings("node-taint")
      .flatMap((one) => one.split(","))
      .map(readTaint),
    transport,
    networkTransport,
    identity: { servingCert, servingKey, clientCa: ca },
    port: flags.integer("kubelet-port"),
    clusterCidrs: [credentials.clusterCidr],
    serviceCidrs: [credentials.serviceCidr],
    clusterDns: [credentials.clusterDns],
    clusterDomain: credentials.clusterDomain,
    runtimeEndpoint: flags.string("container-runtime-endpoint") || undefined,
    runtime: flags.string("default-runtime") || undefined,
    resolvConf: flags.string("resolv-conf"),
    disable: flags.strings("disable").flatMap((one) => one.split(",")),
    signal: io.signal,
    log,
  }).catch((error: unknown) => {
    if (!io.signal.aborted) throw error;
    return undefined;
  });
  if (agent === undefined) return 0;
  log.info("node runs", { node: nodeName, address: nodeIp, port: agent.port });
  await new Promise<void>((resolve) =>
    io.signal.aborted ? resolve() : io.signal.addEventListener("abort", () => resolve(), { once: true }),
  );
  log.info("stopping; containers go on");
  await agent.stop();
  transport.close();
  networkTransport.close();
  return 0;
}

/** A server that does not answer yet is asked again; one that refuses is not. */
async function joinPatiently(
  flags: FlagValues,
  nodeIp: string,
  dataDir: string,
  log: Logger,
  io: Io,
): Promise<NodeCredentials | undefined> {
  const options = {
    server: flags.string("server").replace(/\/$/, ""),
    token: flags.string("token").trim(),
    nodeName: (flags.string("node-name") || hostname()).toLowerCase(),
    addresses: [...new Set([nodeIp, "127.0.0.1"])],
    directory: credentialsDirectory(dataDir),
  };
  let said = false;
  while (!io.signal.aborted) {
    try {
      return await joinCluster(options);
    } catch (error) {
      if (error instanceof JoinRefused) throw new UsageError(error.message);
      if (!said) log.warn("the server does not answer yet", { server: options.server, error });
      said = true;
      await sleep(joinRetryMs, io.signal);
    }
  }
  return undefined;
}

function readLabel(text: string): [string, string] {
  const cut = text.indexOf("=");
  if (cut < 1) throw new UsageError(`--node-label "${text}" is not of the form KEY=VALUE`);
  return [text.slice(0, cut), text.slice(cut + 1)];
}

function readTaint(text: string): V1Taint {
  const match = text.match(/^([^=:]+)(?:=([^:]*))?:(NoSchedule|PreferNoSchedule|NoExecute)$/);
  if (match === null)
    throw new UsageError(
      `--node-taint "${text}" is not of the form KEY=VALUE:EFFECT with NoSchedule, PreferNoSchedule or NoExecute`,
    );
  const [, key = "", value, effect = ""] = match;
  return { key, effect, ...(value === undefined || value === "" ? {} : { value }) };
}

export const cleanupCommand: Command = {
  name: "cleanup",
  group: "Cluster",
  summary: "Remove containers, mounts, interfaces and rules of a data directory",
  description:
    "Ends all containers of the node whose data directory is given and removes what it left in the kernel: mounts, control groups, interfaces, nftables rules. With --data the directory goes too.",
  usage: "capstan cleanup [flags]",
  examples: ["capstan cleanup", "capstan cleanup --data-dir /tmp/one --data"],
  flags: [
    {
      name: "data-dir",
      short: "d",
      type: "string",
      default: "/var/lib/capstan",
      placeholder: "DIR",
      help: "The data directory",
    },
    { name: "data", type: "boolean", help: "Remove the data directory as well" },
    { name: "debug", type: "boolean", help: "Log more" },
  ],
  async run({ flags, io }) {
    const { cleanupAgent } = await import("#agent/cleanup.ts");
    const log = createLogger({ level: flags.boolean("debug") ? "debug" : "warn", part: "cleanup" });
    const dataDirectory = flags.string("data-dir");
    const joined = readCredentials(credentialsDirectory(dataDirectory));
    await cleanupAgent({
      dataDirectory,
      nodeName: joined?.nodeName ?? hostname().toLowerCase(),
      servedIps: joined === undefined ? [] : [joined.clusterDns],
      data: flags.boolean("data"),
      log,
      progress: (what) => log.debug("removing", { what }),
    });
    if (flags.boolean("data")) rmSync(dataDirectory, { recursive: true, force: true });
    io.stdout(`${dataDirectory} is cleaned up\n`);
    return 0;
  },
};

const credentialsDirectory = (dataDirectory: string) => join(dataDirectory, "agent/credentials");
