/**
 * The probes of one running container: each on its own timer, no two of a kind at once. Liveness and readiness begin when
 * the startup probe has succeeded. A change of verdict wakes the pod's worker. Upstream: pkg/kubelet/prober.
 */
import { sleep } from "#lib/sleep.ts";
import type { V1Probe } from "#api/generated/types.ts";
import { probeOnce, type ProbeTarget } from "./probe.ts";
import type { ProbeVerdict } from "./plan-pod.ts";

export interface ContainerProbesOptions {
  readonly target: ProbeTarget;
  readonly startedAtMs: number;
  changed(): void;
  /** Each time that a probe fails, or succeeds with a warning. */
  tell(reason: "Unhealthy" | "ProbeWarning", message: string): void;
}

type Kind = "startup" | "liveness" | "readiness";

const titles: Readonly<Record<Kind, string>> = { startup: "Startup", liveness: "Liveness", readiness: "Readiness" };

const outcomes = {
  warning: { reason: "ProbeWarning", words: "probe warning" },
  failure: { reason: "Unhealthy", words: "probe failed" },
  unknown: { reason: "Unhealthy", words: "probe errored and resulted in unknown state" },
} as const;

export class ContainerProbes {
  readonly #options: ContainerProbesOptions;
  readonly #stop = new AbortController();
  /** Ends the probes that could end the container. */
  readonly #spare = new AbortController();
  #started: boolean;
  #ready: boolean;
  #failed: ProbeVerdict["failed"];

  constructor(options: ContainerProbesOptions) {
    this.#options = options;
    const { startupProbe, readinessProbe } = options.target.container;
    this.#started = startupProbe === undefined;
    this.#ready = readinessProbe === undefined;
  }

  get verdict(): ProbeVerdict {
    return { started: this.#started, ready: this.#started && this.#ready, failed: this.#failed };
  }

  start(): void {
    const { startupProbe } = this.#options.target.container;
    if (startupProbe === undefined) this.#startOthers();
    else void this.#repeat("startup", startupProbe);
  }

  stop(): void {
    this.#spare.abort();
    this.#stop.abort();
  }

  /** The container is being ended: whether it serves until then is still asked, nothing else. */
  spare(): void {
    this.#spare.abort();
  }

  #startOthers(): void {
    const { livenessProbe, readinessProbe } = this.#options.target.container;
    if (livenessProbe !== undefined) void this.#repeat("liveness", livenessProbe);
    if (readinessProbe !== undefined) void this.#repeat("readiness", readinessProbe);
  }

  async #repeat(kind: Kind, probe: V1Probe): Promise<void> {
    const { signal } = kind === "readiness" ? this.#stop : this.#spare;
    const periodMs = Math.max(1, probe.periodSeconds ?? 10) * 1000;
    const firstAtMs = this.#options.startedAtMs + (probe.initialDelaySeconds ?? 0) * 1000;
    await sleep(Math.max(0, firstAtMs - Date.now()), signal);
    const run = { result: "", length: 0 };
    while (!signal.aborted) {
      const beganAt = performance.now();
      const { result, output } = await probeOnce(probe, this.#options.target);
      if (signal.aborted) return;
      if (result !== "success") this.#tell(kind, result, output);
      // What could not be asked says nothing.
      const settled = result === "warning" ? "success" : result;
      if (settled === "unknown") {
        await sleep(Math.max(0, periodMs - (performance.now() - beganAt)), signal);
        continue;
      }
      run.length = run.result === settled ? run.length + 1 : 1;
      run.result = settled;
      const threshold = settled === "success" ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3);
      if (run.length >= threshold && this.#settle(kind, settled === "success", probe)) return;
      await sleep(Math.max(0, periodMs - (performance.now() - beganAt)), signal);
    }
  }

  #tell(kind: Kind, result: keyof typeof outcomes, output: string): void {
    const { reason, words } = outcomes[result];
    this.#options.tell(reason, `${titles[kind]} ${words}: ${output}`);
  }

  /** Returns whether this probe has said all it will. */
  #settle(kind: Kind, good: boolean, probe: V1Probe): boolean {
    if (kind === "readiness") {
      if (this.#ready !== good) {
        this.#ready = good;
        this.#options.changed();
      }
      return false;
    }
    if (!good) {
      this.#failed = { probe: kind, graceSeconds: probe.terminationGracePeriodSeconds };
      this.#options.changed();
      return true;
    }
    if (kind === "startup") {
      this.#started = true;
      this.#options.changed();
      this.#startOthers();
      return true;
    }
    return false;
  }
}
