/**
 * Imports image archives (docker or OCI tar, gzip too): the agent's own sandbox image, and whatever lies in or is dropped
 * into the images directory. containerd's own client does the reading.
 */
import { watch } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "#lib/log.ts";
import { sleep } from "#lib/sleep.ts";
import { run } from "#agent/system/run.ts";
import { pauseArchive } from "./pause-image.ts";

const importMs = 10 * 60_000;
/** A file that has not grown for this long is complete. */
const quietMs = 300;

async function importArchive(socket: string, file: string): Promise<string> {
  const args = ["--address", socket, "--namespace", "k8s.io", "images", "import", file];
  return await run("ctr", args, { timeoutMs: importMs });
}

export async function importPauseImage(socket: string, directory: string): Promise<void> {
  const file = join(directory, `pause-${process.pid}.tar`);
  await mkdir(directory, { recursive: true });
  await writeFile(file, pauseArchive(process.arch));
  await importArchive(socket, file).finally(() => rm(file, { force: true }));
}

export interface ImageDirectoryOptions {
  readonly socket: string;
  readonly directory: string;
  /** Remembers what was imported, so that a restart does not do it again. */
  readonly record: string;
  readonly log: Logger;
  readonly signal: AbortSignal;
  imported(): void;
}

/** Resolves when what was there at the start is imported; goes on watching until `signal` fires. */
export async function followImageDirectory(options: ImageDirectoryOptions): Promise<void> {
  const { directory, signal, log } = options;
  await mkdir(directory, { recursive: true });
  const importer = new DirectoryImporter(options);
  await importer.load();
  const watcher = watch(directory, { persistent: false });
  watcher.on("change", () => void importer.look());
  watcher.on("error", (error) => log.warn("cannot watch the images directory", { directory, error }));
  signal.addEventListener("abort", () => watcher.close(), { once: true });
  await importer.look();
}

class DirectoryImporter {
  readonly #options: ImageDirectoryOptions;
  readonly #done = new Map<string, string>();
  #looking: Promise<void> = Promise.resolve();
  #again = false;

  constructor(options: ImageDirectoryOptions) {
    this.#options = options;
  }

  async load(): Promise<void> {
    const text = await readFile(this.#options.record, "utf8").catch(() => "{}");
    for (const [name, stamp] of Object.entries(JSON.parse(text) as Record<string, string>)) this.#done.set(name, stamp);
  }

  /** One look at a time; what changes during one is seen by the next. */
  look(): Promise<void> {
    if (this.#again) return this.#looking;
    this.#again = true;
    this.#looking = this.#looking.then(async () => {
      this.#again = false;
      await this.#importNew();
    });
    return this.#looking;
  }

  async #importNew(): Promise<void> {
    const { directory, signal } = this.#options;
    for (const name of (await readdir(directory).catch(() => [])).toSorted()) {
      if (signal.aborted) return;
      if (/\.(tar|tar\.gz|tgz)$/.test(name)) await this.#importOne(name);
    }
  }

  async #importOne(name: string): Promise<void> {
    const { directory, socket, log } = this.#options;
    const file = join(directory, name);
    const stamp = await this.#settled(file);
    if (stamp === undefined || this.#done.get(name) === stamp) return;
    try {
      const output = await importArchive(socket, file);
      log.info("imported images", { file: name, images: output.match(/unpacking (\S+)/g)?.join(" ") ?? "" });
      this.#options.imported();
    } catch (error) {
      log.error("cannot import an image archive", { file, error });
    }
    this.#done.set(name, stamp);
    await this.#save();
  }

  /** Size and time of a file once it no longer grows. */
  async #settled(file: string): Promise<string | undefined> {
    const stampOf = async (): Promise<string | undefined> => {
      const stats = await stat(file).catch(() => undefined);
      return stats?.isFile() === true ? `${stats.size} ${stats.mtimeMs}` : undefined;
    };
    let stamp = await stampOf();
    const fresh = async (): Promise<boolean> =>
      Date.now() - ((await stat(file).catch(() => undefined))?.mtimeMs ?? 0) < quietMs;
    while (stamp !== undefined && (await fresh()) && !this.#options.signal.aborted) {
      await sleep(quietMs, this.#options.signal);
      stamp = await stampOf();
    }
    return stamp;
  }

  async #save(): Promise<void> {
    const { record } = this.#options;
    await writeFile(`${record}.new`, JSON.stringify(Object.fromEntries(this.#done)));
    await rename(`${record}.new`, record);
  }
}
