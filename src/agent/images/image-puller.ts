/** Sees to it that a container's image is there: pull policies, credentials, back-off, upstream's texts. */
import { backoffMs } from "#lib/backoff.ts";
import type { Clock } from "#lib/clock.ts";
import type { Pod } from "#api/core/pod.ts";
import type { Secret } from "#api/core/secret.ts";
import type { V1Container } from "#api/generated/types.ts";
import { durationText } from "#api/duration.ts";
import type { RegistryCredentials, RuntimeImage } from "#agent/runtime/cri-types.ts";
import type { RuntimeClient } from "#agent/runtime/runtime-client.ts";
import { parseImageName } from "./image-name.ts";
import { credentialsFor } from "./registry-credentials.ts";

/** Shown as the container's waiting reason. */
export class ImageError extends Error {
  readonly reason: "InvalidImageName" | "ErrImageNeverPull" | "ErrImagePull" | "ImagePullBackOff";
  readonly retryAtMs: number;
  constructor(reason: ImageError["reason"], message: string, retryAtMs: number) {
    super(message);
    this.reason = reason;
    this.retryAtMs = retryAtMs;
  }
}

export type ImageEvent = (type: "Normal" | "Warning", reason: string, message: string) => void;

const pullBackOff = { initialMs: 10_000, limitMs: 300_000 };
/** ErrImagePull is shown for this long before it becomes ImagePullBackOff. */
const shownMs = 3_000;
const hopelessMs = 60_000;
const pullsAtOnceMax = 4;
/** Failures of pods that are gone are forgotten beyond this. */
const rememberedFailuresMax = 4_096;

interface Failure {
  count: number;
  atMs: number;
  message: string;
}

export class ImagePuller {
  readonly #runtime: RuntimeClient;
  readonly #clock: Clock;
  readonly #failures = new Map<string, Failure>();
  readonly #pulling = new Map<string, Promise<string>>();
  #running = 0;
  readonly #queue: (() => void)[] = [];

  constructor(runtime: RuntimeClient, clock: Clock) {
    this.#runtime = runtime;
    this.#clock = clock;
  }

  /** Rejects with an ImageError. */
  async ensure(pod: Pod, container: V1Container, secrets: readonly Secret[], event: ImageEvent): Promise<RuntimeImage> {
    const image = container.image ?? "";
    const full = this.#name(image, event);
    const present = await this.#runtime.imageStatus(full);
    const policy = container.imagePullPolicy ?? "IfNotPresent";
    if (present !== undefined && policy !== "Always") {
      event("Normal", "Pulled", `Container image "${image}" already present on machine and can be accessed by the pod`);
      return present;
    }
    if (policy === "Never") {
      const message = `Container image "${image}" is not present with pull policy of Never`;
      event("Warning", "ErrImageNeverPull", message);
      throw new ImageError("ErrImageNeverPull", message, this.#clock.now() + pullBackOff.initialMs);
    }
    return await this.#pull(pod, image, full, secrets, event);
  }

  #name(image: string, event: ImageEvent): string {
    try {
      return parseImageName(image).full;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      const message = `Failed to apply default image tag "${image}": couldn't parse image name "${image}": ${text}`;
      event("Warning", "InspectFailed", message);
      throw new ImageError("InvalidImageName", message, this.#clock.now() + hopelessMs);
    }
  }

  async #pull(
    pod: Pod,
    image: string,
    full: string,
    secrets: readonly Secret[],
    event: ImageEvent,
  ): Promise<RuntimeImage> {
    const key = `${pod.metadata.uid ?? ""} ${full}`;
    this.#checkBackOff(key, image, event);
    event("Normal", "Pulling", `Pulling image "${image}"`);
    const startedAt = performance.now();
    try {
      await this.#pullOnce(full, secrets);
      const found = await this.#runtime.imageStatus(full);
      if (found === undefined) throw new Error(`image "${image}" is gone after it was pulled`);
      const took = durationText(Math.round(performance.now() - startedAt));
      const size = `Image size: ${found.size} bytes.`;
      event("Normal", "Pulled", `Successfully pulled image "${image}" in ${took} (${took} including waiting). ${size}`);
      this.#failures.delete(key);
      return found;
    } catch (error) {
      const message = `failed to pull image "${image}": ${error instanceof Error ? error.message : String(error)}`;
      event("Warning", "Failed", `Failed to pull image "${image}": ${message}`);
      const count = (this.#failures.get(key)?.count ?? 0) + 1;
      this.#remember(key, { count, atMs: this.#clock.now(), message });
      throw new ImageError("ErrImagePull", message, this.#clock.now() + shownMs);
    }
  }

  #checkBackOff(key: string, image: string, event: ImageEvent): void {
    const failure = this.#failures.get(key);
    if (failure === undefined) return;
    const retryAtMs = failure.atMs + backoffMs(failure.count, pullBackOff);
    if (retryAtMs <= this.#clock.now()) return;
    event("Normal", "BackOff", `Back-off pulling image "${image}"`);
    const message = `Back-off pulling image "${image}": ErrImagePull: ${failure.message}`;
    throw new ImageError("ImagePullBackOff", message, retryAtMs);
  }

  #remember(key: string, failure: Failure): void {
    this.#failures.set(key, failure);
    if (this.#failures.size > rememberedFailuresMax) this.#failures.delete(this.#failures.keys().next().value ?? "");
  }

  /** Pods that want the same image with the same credentials share one pull. */
  async #pullOnce(full: string, secrets: readonly Secret[]): Promise<string> {
    const candidates = credentialsFor(parseImageName(full), secrets);
    const key = JSON.stringify([full, candidates]);
    const known = this.#pulling.get(key);
    if (known !== undefined) return await known;
    const pulling = this.#inTurn(() => this.#tryEach(full, candidates)).finally(() => this.#pulling.delete(key));
    this.#pulling.set(key, pulling);
    return await pulling;
  }

  async #tryEach(full: string, candidates: readonly Partial<RegistryCredentials>[]): Promise<string> {
    let failure: unknown;
    for (const credentials of candidates.length === 0 ? [undefined] : candidates) {
      try {
        return await this.#runtime.pullImage(full, credentials);
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= pullsAtOnceMax) await new Promise<void>((resolve) => this.#queue.push(resolve));
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
      this.#queue.shift()?.();
    }
  }
}
