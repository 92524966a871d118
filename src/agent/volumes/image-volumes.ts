/**
 * Images as volumes: a read-only view of an image's layers at a directory. containerd's own client makes it, so that it works
 * with runtimes which cannot mount images themselves.
 */
import { mkdir } from "node:fs/promises";
import { isMountPoint, unmountBelow } from "#agent/system/mounts.ts";
import { run } from "#agent/system/run.ts";

const mountMs = 60_000;

export class ImageVolumes {
  readonly #socket: string;

  constructor(socket: string) {
    this.#socket = socket;
  }

  /** `image` is the runtime's id of an image that is there. Twice is the same as once. */
  async mount(image: string, directory: string): Promise<void> {
    if (await isMountPoint(directory)) return;
    await mkdir(directory, { recursive: true });
    await this.#forget(directory);
    await this.#client("images", "mount", image, directory);
  }

  async remove(directory: string): Promise<void> {
    if (!(await isMountPoint(directory))) return;
    await unmountBelow(directory);
    await this.#forget(directory);
  }

  /** The view is named for its directory. One that an agent which died left would be in the way of a new one. */
  async #forget(directory: string): Promise<void> {
    await this.#client("snapshots", "remove", directory).catch(() => {});
    await this.#client("leases", "delete", directory).catch(() => {});
  }

  async #client(...args: readonly string[]): Promise<void> {
    await run("ctr", ["--address", this.#socket, "--namespace", "k8s.io", ...args], { timeoutMs: mountMs });
  }
}
