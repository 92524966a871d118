/** The volumes of one pod: set up once, written again when what their files show has changed or a token is to be renewed. */
import { timerMsMax } from "#lib/sleep.ts";
import type { Pod } from "#api/core/pod.ts";
import type { MountableVolume } from "#agent/volumes/pod-volumes.ts";
import type { PodContext } from "./pod-context.ts";

const renewMsMin = 1_000;

export class MountedVolumes {
  readonly #context: PodContext;
  readonly #changed: () => void;
  #volumes: ReadonlyMap<string, MountableVolume> | undefined;
  #isStale = false;
  #isStopped = false;

  /** `changed` is told when the files are to be written again. */
  constructor(context: PodContext, changed: () => void) {
    this.#context = context;
    this.#changed = changed;
  }

  /** undefined until they are set up. */
  get ready(): ReadonlyMap<string, MountableVolume> | undefined {
    return this.#volumes;
  }

  get isStale(): boolean {
    return this.#isStale;
  }

  /** What the files show may have changed. */
  age(): void {
    if (this.#volumes !== undefined) this.#isStale = true;
  }

  async setUp(pod: Pod, podIps: readonly string[]): Promise<void> {
    await this.#write(pod, podIps);
    this.#isStale = false;
    this.#wakeForTokens(pod);
  }

  /** A failure leaves the old files. */
  async refresh(pod: Pod, podIps: readonly string[]): Promise<void> {
    this.#isStale = false;
    try {
      await this.#write(pod, podIps);
    } catch (error) {
      this.#context.log.debug("volumes not refreshed", { pod: pod.metadata.name, error });
    }
    this.#wakeForTokens(pod);
  }

  async tearDown(pod: Pod): Promise<void> {
    await this.#context.volumes.tearDown(pod);
    this.#volumes = undefined;
    this.stop();
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #write(pod: Pod, podIps: readonly string[]): Promise<void> {
    const { objects, volumes, hostIps } = this.#context;
    await objects.want(pod);
    this.#volumes = await volumes.setUp(pod, { podIps, hostIps });
  }

  #wakeForTokens(pod: Pod): void {
    const atMs = this.#context.volumes.renewAtMs(pod);
    if (atMs === undefined) return;
    const delay = Math.min(timerMsMax, Math.max(renewMsMin, atMs - this.#context.clock.now()));
    const timer = setTimeout(() => {
      if (this.#isStopped) return;
      this.#isStale = true;
      this.#changed();
    }, delay);
    timer.unref();
  }
}
