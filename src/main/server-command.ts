/** `capstan server`: store, API server, and everything that reconciles, with an agent as a process beside it. */
import { hostname } from "node:os";
import { pathToFileURL } from "node:url";
import { isPackaged, readAsset } from "#lib/asset.ts";
import { systemClock } from "#lib/clock.ts";
import { createLogger, type Logger } from "#lib/log.ts";
import { durationText } from "#api/duration.ts";
import { ConfigMap } from "#api/core/config-map.ts";
import { Secret } from "#api/core/secret.ts";
import { isNotFound } from "#api/status-error.ts";
import { type ApiServer, createApiServer } from "#apiserver/server.ts";
import { hookPath, type OwnEndpoints } from "#apiserver/own-endpoints.ts";
import { type ClusterFacts, joinToken, type NodePasswords } from "#apiserver/join.ts";
import { type ClusterPki, openPki } from "#apiserver/pki.ts";
import { type Command, type FlagValues, type Io, UsageError } from "#cli/command.ts";
import { readClusterFlags, serverFlags } from "#cli/cluster-flags.ts";
import { Client } from "#client/client.ts";
import { ClusterCache } from "#client/cluster-cache.ts";
import { type Git, startGit } from "#git/start.ts";
import { startReconcilers } from "#reconcilers/start-reconcilers.ts";
import { startScheduler } from "#scheduler/scheduler.ts";
import { openStore } from "#store/durable-store.ts";
import { mainAddress, ownHosts } from "./addresses.ts";
import { runChildAgent } from "./child-agent.ts";
import { createDnsService, createGitObjects, installManifests } from "./first-objects.ts";
import { haveLastWords, type LastWords } from "./last-words.ts";
import { spareMemory } from "./spare-memory.ts";
import { type Part, whileLeading } from "./leading.ts";
import { keepIdentity, keepSecret, serverPaths, writeKubeconfig, writePrivateFile } from "./server-files.ts";

export const serverCommand: Command = {
  name: "server",
  group: "Cluster",
  summary: "Run a control plane, and a node beside it",
  description:
    "Runs the store, the API server, controllers, scheduler and Git sync in one process, and a node in another one beside it.\nOn SIGTERM all of it stops; containers go on, and the next start on the same data directory adopts them.",
  usage: "capstan server [flags]",
  examples: [
    "capstan server",
    "capstan server --git https://git.example.com/fleet.git --git-path clusters/demo",
    "capstan server --git /srv/fleet --disable-agent --data-dir /tmp/one --https-listen-port 7443",
  ],
  flags: serverFlags,
  async run({ io }) {
    const argv = process.argv.slice(process.argv.indexOf("server") + 1);
    const flags = readClusterFlags(argv, serverFlags, io.env);
    const log = createLogger({ level: flags.boolean("debug") ? "debug" : "info" });
    const words = haveLastWords(log);
    try {
      return await runServer(flags, io, log, words);
    } finally {
      words.ending();
    }
  },
};

async function runServer(flags: FlagValues, io: Io, log: Logger, words: LastWords): Promise<number> {
  const startedAt = performance.now();
  const dataDir = flags.string("data-dir");
  const paths = serverPaths(dataDir);
  const port = flags.integer("https-listen-port");
  const facts = clusterFacts(flags);
  const fatal = new AbortController();
  const [store, pki] = await Promise.all([
    openStore({
      directory: paths.store,
      ...(isPackaged ? { worker: { entry: readAsset("store-worker.cjs").toString("latin1"), eval: true } } : {}),
      onFatal: (error) => fatal.abort(error),
    }),
    openPki(paths.pki, systemClock),
  ]);
  words.mark(paths.running);
  const joinSecret = await keepSecret(paths.token, flags.string("token"));
  const hookSecret = await keepSecret(paths.hook, "");
  await Promise.all([
    writePrivateFile(paths.token, `${joinToken(pki.ca.cert, joinSecret)}\n`),
    writePrivateFile(paths.hook, `${hookSecret}\n`),
  ]);
  let git: Git | undefined;
  const own: OwnEndpoints = {
    ca: pki.ca,
    joinSecret,
    facts,
    hookSecret,
    passwords: nodePasswords(() => asComponent(api, "capstan")),
    onHook: () => git?.trigger(),
  };
  const api: ApiServer = await createApiServer({
    store,
    pki,
    clock: systemClock,
    log: log.child("apiserver"),
    own,
    serviceCidr: facts.serviceCidr,
    nodePortRange: portRange(flags.string("service-node-port-range")),
    clusterDomain: facts.clusterDomain,
    advertiseAddress: flags.string("node-ip") || mainAddress(),
    port,
  });
  const hosts = [...new Set([...ownHosts(), ...flags.strings("tls-san"), ...kubernetesNames(facts)])];
  const [serving, admin] = await Promise.all([
    pki.keep("serving", { commonName: "kube-apiserver", hosts }),
    pki.keep("admin", { commonName: "kubernetes-admin", organizations: ["system:masters"] }),
  ]);
  const listener = await api.listen({
    port,
    host: flags.string("bind-address"),
    tls: { cert: serving.cert, key: serving.key, clientCa: pki.ca.cert },
  });
  const address = `https://127.0.0.1:${listener.port}`;
  const kubeconfig = flags.string("write-kubeconfig");
  await writeKubeconfig(kubeconfig, address, pki.ca.cert, admin);
  announce(io, {
    address,
    kubeconfig,
    dataDir,
    hook: `${address}${hookPath}${hookSecret}`,
    startMs: performance.now() - startedAt,
  });

  const stop = AbortSignal.any([io.signal, fatal.signal]);
  const agentStop = new AbortController();
  const agent = flags.boolean("disable-agent")
    ? undefined
    : runChildAgent({
        args: agentArguments(flags, listener.port),
        env: { CAPSTAN_TOKEN: joinToken(pki.ca.cert, joinSecret) },
        log: log.child("agent"),
        signal: agentStop.signal,
      });
  void spareMemory(stop);
  const parts = await startParts(flags, api, pki, log, paths, (started) => (git = started));
  await new Promise<void>((resolve) =>
    stop.aborted ? resolve() : stop.addEventListener("abort", () => resolve(), { once: true }),
  );
  if (fatal.signal.aborted) log.error("the store failed: ending", { error: fatal.signal.reason });
  else log.info("stopping");
  words.ending();
  agentStop.abort();
  await agent;
  for (const part of parts.reverse()) await part.stop();
  await api.close();
  await store.close();
  return fatal.signal.aborted ? 1 : 0;
}

/** What works on objects: each is a client of the API server in this process. */
async function startParts(
  flags: FlagValues,
  api: ApiServer,
  pki: ClusterPki,
  log: Logger,
  { git: gitDirectory, identity: identityFile }: { git: string; identity: string },
  onGit: (git: Git) => void,
): Promise<Part[]> {
  const parts: Part[] = [];
  await installManifests(asComponent(api, "capstan"), log);
  if (!isDisabled(flags, "dns")) await createDnsService(asComponent(api, "capstan"), clusterFacts(flags).clusterDns);
  // One watch and one copy of each kind for all that read it.
  const cache = new ClusterCache(asComponent(api, "kube-controller-manager"), { log: log.child("cache") });
  parts.push(cache);
  const identity = await keepIdentity(identityFile, hostname());
  const lead = (name: string, start: () => Part): void => {
    parts.push(whileLeading({ client: asComponent(api, name), log: log.child(name), name, identity, start }));
  };
  if (!flags.boolean("disable-controller-manager"))
    lead("kube-controller-manager", () =>
      startReconcilers({
        client: asComponent(api, "kube-controller-manager"),
        log: log.child("controllers"),
        cache,
        clusterCidr: flags.string("cluster-cidr"),
        rootCa: () => api.caCertificate,
        signForSecret: (account, secret) => api.signForSecret(account, secret),
        certify: (request, terms) => pki.ca.certify(request, terms),
      }),
    );
  if (!flags.boolean("disable-scheduler"))
    lead("kube-scheduler", () =>
      startScheduler({ client: asComponent(api, "kube-scheduler"), cache, log: log.child("scheduler") }),
    );
  if (!isDisabled(flags, "git")) {
    const client = asComponent(api, "kustomize-controller");
    const git = startGit({
      client,
      secret: Secret,
      configMap: ConfigMap,
      directory: gitDirectory,
      clock: systemClock,
      log: log.child("git"),
    });
    onGit(git);
    parts.push(git);
    if (flags.given("git")) {
      const settings = {
        url: gitUrl(flags.string("git")),
        branch: flags.string("git-branch"),
        path: flags.string("git-path"),
        interval: durationText(flags.durationMs("git-interval")),
      };
      // A fault here is no reason to end a control plane that runs.
      await createGitObjects(client, settings).catch((error: unknown) =>
        log.error("the objects of --git could not be written; create them by hand, or start again", { error }),
      );
    }
  }
  return parts;
}

/** A client of this process: an administrator whose writes carry the part's name. */
function asComponent(api: ApiServer, name: string): Client {
  return new Client(
    api.transport({ name: `system:${name}`, groups: ["system:masters", "system:authenticated"] }, name),
    { fieldManager: name },
  );
}

function clusterFacts(flags: FlagValues): ClusterFacts {
  const serviceCidr = flags.string("service-cidr");
  return {
    clusterCidr: flags.string("cluster-cidr"),
    serviceCidr,
    clusterDns: flags.string("cluster-dns") || nthAddress(serviceCidr, 10),
    clusterDomain: flags.string("cluster-domain"),
  };
}

/** The n-th address of an IPv4 range: 10.43.0.0/16 and 10 make 10.43.0.10. */
function nthAddress(cidr: string, n: number): string {
  const parts = cidr
    .match(/^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/)
    ?.slice(1)
    .map(Number);
  if (parts === undefined || parts.some((part, at) => part > (at === 4 ? 32 : 255)))
    throw new UsageError(`"${cidr}" is not an IPv4 range such as 10.43.0.0/16`);
  const [a, b, c, d, bits] = parts as [number, number, number, number, number];
  const base = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  const mask = bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0;
  const address = ((base & mask) >>> 0) + n;
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
}

function portRange(text: string): { from: number; to: number } {
  const match = text.match(/^(\d+)-(\d+)$/);
  const [from, to] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || from < 1 || to > 65535 || from > to)
    throw new UsageError(`--service-node-port-range "${text}" is not a range such as 30000-32767`);
  return { from, to };
}

function kubernetesNames({ serviceCidr, clusterDomain }: ClusterFacts): string[] {
  const names = [
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    `kubernetes.default.svc.${clusterDomain}`,
  ];
  return [...names, nthAddress(serviceCidr, 1)];
}

/** A path on this machine becomes a file:// address. */
function gitUrl(given: string): string {
  return /^[a-z]+:\/\//.test(given) ? given : pathToFileURL(given).href;
}

const isDisabled = (flags: FlagValues, part: string) =>
  flags.strings("disable").some((one) => one.split(",").includes(part));

function agentArguments(flags: FlagValues, port: number): string[] {
  const passed = ["node-name", "node-ip", "container-runtime-endpoint", "default-runtime", "resolv-conf"]
    .filter((name) => flags.given(name))
    .map((name) => `--${name}=${flags.string(name)}`);
  const lists = ["node-label", "node-taint", "disable"].flatMap((name) =>
    flags.strings(name).map((value) => `--${name}=${value}`),
  );
  return [
    `--config=/dev/null`,
    `--server=https://127.0.0.1:${port}`,
    `--data-dir=${flags.string("data-dir")}`,
    `--kubelet-port=${flags.integer("kubelet-port")}`,
    ...(flags.boolean("debug") ? ["--debug"] : []),
    ...passed,
    ...lists,
  ];
}

function announce(
  io: Io,
  facts: { address: string; kubeconfig: string; dataDir: string; hook: string; startMs: number },
): void {
  io.stdout(
    [
      `API server   ${facts.address} (ready after ${(facts.startMs / 1000).toFixed(2)} s)`,
      `kubeconfig   ${facts.kubeconfig}`,
      `data         ${facts.dataDir}`,
      `git webhook  ${facts.hook}`,
      `join a node  capstan agent --server https://THIS-MACHINE:${new URL(facts.address).port} --token $(capstan token --data-dir ${facts.dataDir})`,
      "",
    ].join("\n"),
  );
}

/** Node password hashes as Secrets, where k3s keeps them too. */
function nodePasswords(client: () => Client): NodePasswords {
  const name = (nodeName: string) => `${nodeName}.node-password.capstan`;
  return {
    async read(nodeName) {
      try {
        const secret = await client().get(Secret, { namespace: "kube-system", name: name(nodeName) });
        return Buffer.from(secret.data?.["hash"] ?? "", "base64").toString("utf8");
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    async create(nodeName, hash) {
      await client().create(Secret, {
        metadata: { namespace: "kube-system", name: name(nodeName) },
        data: { hash: Buffer.from(hash).toString("base64") },
        immutable: true,
        type: "capstan.dev/node-password",
      });
    },
  };
}
