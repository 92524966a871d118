/**
 * The agent's own containerd: started with a root, state and socket below the data directory, started again when it dies.
 * Containers run under their shims and go on whatever happens to it or to the agent.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, existsSync, openSync, statfsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { backoffMs } from "#lib/backoff.ts";
import type { Logger } from "#lib/log.ts";
import { sleep } from "#lib/sleep.ts";
import type { AgentPaths } from "#agent/agent-paths.ts";
import { pauseImage } from "#agent/images/pause-image.ts";
import { isMountPoint, makePrivateMount } from "#agent/system/mounts.ts";
import { endProcesses, processesNaming } from "#agent/system/processes.ts";
import { run } from "#agent/system/run.ts";
import { containerdConfig } from "./containerd-config.ts";
import { findRuntimes, hasHybridCgroups, runtimeWorks, type LowLevelRuntime } from "./low-level-runtime.ts";
import { RuntimeClient } from "./runtime-client.ts";

export interface ContainerdProcess {
  readonly socket: string;
  /** The low-level runtime in use, "crun" or "runc". */
  readonly runtime: string;
  stop(): Promise<void>;
}

const restartDelay = { initialMs: 100, limitMs: 10_000 };
const readyMsMax = 60_000;
const readyPollMs = 20;
/** containerd takes two seconds to end by itself; killed it loses nothing: its database survives that, its shims too. */
const stopMsMax = 500;

const binaries = ["/usr/bin/containerd", "/usr/local/bin/containerd"];
const cniPlaces = ["/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"];

export async function startContainerd(
  paths: AgentPaths,
  { log, preferred, signal }: { log: Logger; preferred?: string | undefined; signal?: AbortSignal },
): Promise<ContainerdProcess> {
  const binary = binaries.find((place) => existsSync(place));
  if (binary === undefined) throw new Error("containerd is not installed (apt-get install containerd)");
  await mkdir(paths.runtime, { recursive: true, mode: 0o711 });
  await mkdir(paths.cniConfig, { recursive: true });
  await endFormer(paths, log);
  const enter = (await hasHybridCgroups()) ? await enterMountNamespace(paths) : [];
  const runtimes = await chooseRuntimes(paths, enter, preferred);
  const config = containerdConfig({
    paths,
    defaultRuntime: runtimes[0]?.name ?? "runc",
    runtimes,
    sandboxImage: pauseImage,
    cniBinaries: cniPlaces.find((place) => existsSync(place)) ?? "/opt/cni/bin",
    snapshotter: isOverlay(paths.runtime) ? "native" : "overlayfs",
    restrictOomScore: !(await mayLowerOomScore()),
  });
  await writeFile(paths.runtimeConfig, config);
  const supervisor = new Supervisor([...enter, binary, "--config", paths.runtimeConfig], paths, log);
  const stop = (): void => void supervisor.stop();
  signal?.addEventListener("abort", stop, { once: true });
  await supervisor.start();
  return { socket: paths.runtimeSocket, runtime: runtimes[0]?.name ?? "runc", stop: () => supervisor.stop() };
}

/** Those that work, the one for ordinary pods first. */
async function chooseRuntimes(
  paths: AgentPaths,
  enter: readonly string[],
  preferred: string | undefined,
): Promise<LowLevelRuntime[]> {
  const found = findRuntimes();
  if (found.length === 0) throw new Error("neither crun nor runc is installed (apt-get install runc)");
  const crun = found.find(({ name }) => name === "crun");
  const works = crun !== undefined && (await runtimeWorks(crun.binary, paths.runtime, enter));
  const usable = found.filter(({ name }) => name !== "crun" || works || found.length === 1);
  return usable.toSorted((a, b) => Number(b.name === preferred) - Number(a.name === preferred));
}

/**
 * A mount namespace in which version 2's cgroup tree is hidden, so that crun sees version 1 alone. It is pinned to a file:
 * every containerd to come sees the same mounts, those of containers that run already among them.
 */
async function enterMountNamespace({ namespaces, mountNamespace }: AgentPaths): Promise<string[]> {
  await mkdir(namespaces, { recursive: true });
  await makePrivateMount(namespaces);
  if (!(await isMountPoint(mountNamespace))) {
    await writeFile(mountNamespace, "");
    const hide = "mount --make-rprivate /sys/fs/cgroup && umount /sys/fs/cgroup/unified";
    await run("unshare", [`--mount=${mountNamespace}`, "--propagation", "unchanged", "sh", "-c", hide]);
  }
  return ["nsenter", `--mount=${mountNamespace}`];
}

/** Ends a containerd that an agent left which was killed itself: two cannot share a root. */
async function endFormer({ runtimeConfig, runtimeSocket }: AgentPaths, log: Logger): Promise<void> {
  const former = await processesNaming(runtimeConfig);
  if (former.length > 0) {
    log.info("ending the containerd of a former agent", { pids: former.join(",") });
    await endProcesses(former, stopMsMax);
  }
  await rm(runtimeSocket, { force: true });
}

const overlayMagic = 0x794c7630;
const isOverlay = (directory: string): boolean => statfsSync(directory).type === overlayMagic;

/** CAP_SYS_RESOURCE is bit 24. */
async function mayLowerOomScore(): Promise<boolean> {
  const status = await readFile("/proc/self/status", "utf8");
  const effective = BigInt(`0x${status.match(/^CapEff:\s*([0-9a-f]+)/m)?.[1] ?? "0"}`);
  return ((effective >> 24n) & 1n) === 1n;
}

class Supervisor {
  readonly #command: readonly string[];
  readonly #paths: AgentPaths;
  readonly #log: Logger;
  readonly #stopping = new AbortController();
  #child: ChildProcess | undefined;
  #failures = 0;

  constructor(command: readonly string[], paths: AgentPaths, log: Logger) {
    this.#command = command;
    this.#paths = paths;
    this.#log = log;
  }

  async start(): Promise<void> {
    await this.#spawn();
    await this.#ready();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), stopMsMax);
    await ended;
    clearTimeout(timer);
  }

  async #spawn(): Promise<void> {
    const [program = "", ...args] = this.#command;
    const output = openSync(this.#paths.runtimeLog, "a", 0o600);
    // A session of its own: Ctrl-C at the agent's terminal is not for the runtime.
    const child = spawn(program, args, { stdio: ["ignore", output, output], detached: true });
    closeSync(output);
    this.#child = child;
    child.once("error", (error) => this.#log.error("cannot start containerd", { error }));
    child.once("exit", (code, signal) => this.#ended(code, signal));
  }

  #ended(code: number | null, signal: string | null): void {
    if (this.#stopping.signal.aborted) return;
    this.#failures += 1;
    this.#log.warn("containerd ended, starting it again", { code, signal, failures: this.#failures });
    void sleep(backoffMs(this.#failures, restartDelay), this.#stopping.signal).then(async () => {
      if (this.#stopping.signal.aborted) return;
      await this.#spawn();
      await this.#ready().then(
        () => (this.#failures = 0),
        (error: unknown) => this.#log.error("containerd does not answer", { error }),
      );
    });
  }

  async #ready(): Promise<void> {
    const deadline = performance.now() + readyMsMax;
    for (;;) {
      if (existsSync(this.#paths.runtimeSocket) && (await this.#answers())) return;
      if (performance.now() > deadline) throw new Error(`containerd is not ready, see ${this.#paths.runtimeLog}`);
      if (this.#stopping.signal.aborted) throw new Error("stopped before containerd was ready");
      await sleep(readyPollMs, this.#stopping.signal);
    }
  }

  async #answers(): Promise<boolean> {
    const client = new RuntimeClient(this.#paths.runtimeSocket);
    try {
      await client.version({ timeoutMs: 1_000 });
      return true;
    } catch {
      return false;
    } finally {
      client.close();
    }
  }
}
