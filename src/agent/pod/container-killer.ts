/** Ends one container: its preStop hook, its turn, the signal, and the hard end when the grace is over. */
import { sleep } from "#lib/sleep.ts";
import type { V1Container } from "#api/generated/types.ts";
import { isGone } from "#agent/runtime/grpc-connection.ts";
import { runHook } from "./hooks.ts";
import type { ObservedContainer } from "./observation.ts";
import type { PodContext } from "./pod-context.ts";
import type { ProbeTarget } from "./probe.ts";

/** Whatever hooks and others took, a container has this long between the signal and its hard end. */
const signalSecondsMin = 2;
const turnPollMs = 50;

export interface KillOptions {
  /** Whether those that have to end before have ended. */
  turn(): boolean;
  /** The grace as the pod says it now: a second deletion may shorten it. */
  graceNow(): number;
  hookFailed(): void;
}

export class ContainerKiller {
  readonly #context: PodContext;
  /** What the pod's events say as a warning. */
  readonly #tell: (reason: string, message: string) => void;

  constructor(context: PodContext, tell: (reason: string, message: string) => void) {
    this.#context = context;
    this.#tell = tell;
  }

  async kill(
    container: ObservedContainer,
    target: ProbeTarget | undefined,
    graceSeconds: number,
    options: KillOptions,
  ): Promise<void> {
    const beganAt = performance.now();
    const left = (): number => Math.min(graceSeconds, options.graceNow()) - (performance.now() - beganAt) / 1000;
    const hook = target?.container.lifecycle?.preStop;
    if (hook !== undefined && target !== undefined && graceSeconds > 0 && container.state === "running") {
      const over = new AbortController();
      const timeoutSeconds = Math.ceil(graceSeconds);
      const fellBack = (host: string): void => this.#tell("LifecycleHTTPFallback", fallbackText(host));
      const hooked = runHook(hook, target, { timeoutSeconds, signal: over.signal, fellBack });
      const watched = hooked.catch(() => {
        if (!over.signal.aborted) options.hookFailed();
      });
      await this.#until(watched, left);
      over.abort();
    }
    while (!options.turn() && left() > 0) await sleep(turnPollMs);
    await this.#stop(container.id, left, graceSeconds === 0);
  }

  /** Resolves with what went wrong; undefined: nothing. */
  async postStart({ lifecycle }: V1Container, target: ProbeTarget): Promise<Error | undefined> {
    if (lifecycle?.postStart === undefined) return undefined;
    try {
      const signal = new AbortController().signal;
      const fellBack = (host: string): void => this.#tell("LifecycleHTTPFallback", fallbackText(host));
      await runHook(lifecycle.postStart, target, { timeoutSeconds: 0, signal, fellBack });
      return undefined;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  async #until(work: Promise<void>, left: () => number): Promise<void> {
    const ended = new AbortController();
    void work.finally(() => ended.abort());
    while (!ended.signal.aborted && left() > 0) await sleep(Math.min(1000, left() * 1000), ended.signal);
  }

  /** A grace that shrinks while the runtime waits is told to it by a second call. */
  async #stop(id: string, left: () => number, atOnce: boolean): Promise<void> {
    const { runtime } = this.#context;
    const seconds = atOnce ? 0 : Math.max(signalSecondsMin, Math.ceil(left()));
    const deadlineAt = performance.now() + seconds * 1000;
    const stopped = new AbortController();
    const stopping = runtime
      .stopContainer(id, seconds)
      .catch((error: unknown) => {
        if (!isGone(error)) throw error;
      })
      .finally(() => stopped.abort());
    void this.#hasten(id, left, deadlineAt, stopped.signal);
    await stopping;
  }

  async #hasten(id: string, left: () => number, deadlineAt: number, stopped: AbortSignal): Promise<void> {
    while (!stopped.aborted && performance.now() < deadlineAt) {
      await sleep(1_000, stopped);
      const shorter = performance.now() + Math.max(0, left()) * 1000 < deadlineAt - 1_500;
      if (stopped.aborted || !shorter) continue;
      await this.#context.runtime.stopContainer(id, Math.max(0, Math.ceil(left()))).catch(() => {});
      return;
    }
  }
}

const fallbackText = (host: string): string =>
  `request to HTTPS lifecycle hook ${host} got HTTP response, retry with HTTP succeeded`;
