/** Reads container logs in the runtime's format: `TIME STREAM TAG TEXT` a line, tag P for a part of a longer line. */
import { open, stat, type FileHandle } from "node:fs/promises";
import { watch, type FSWatcher } from "node:fs";

export interface LogOptions {
  readonly follow?: boolean;
  readonly tailLines?: number | undefined;
  readonly sinceMs?: number | undefined;
  readonly timestamps?: boolean;
  readonly limitBytes?: number | undefined;
}

export interface LogLine {
  readonly time: string;
  readonly stream: string;
  readonly partial: boolean;
  readonly text: Buffer;
}

const blockBytes = 64 * 1024;

/** Undefined for what is no log line. */
export function parseLogLine(line: Buffer): LogLine | undefined {
  const first = line.indexOf(32);
  const second = line.indexOf(32, first + 1);
  const third = line.indexOf(32, second + 1);
  if (first < 0 || second < 0 || third < 0) return undefined;
  const tags = line.toString("latin1", second + 1, third).split(":");
  return {
    time: line.toString("latin1", 0, first),
    stream: line.toString("latin1", first + 1, second),
    partial: tags[0] === "P",
    text: line.subarray(third + 1),
  };
}

/** Where the last `count` lines begin. A line that was split counts once. */
async function tailOffset(file: FileHandle, size: number, count: number): Promise<number> {
  if (count <= 0) return size;
  let data: Buffer = Buffer.alloc(0);
  let start = size;
  let end = size;
  for (let found = 0; ;) {
    const length = end - start;
    const newlineAt = length >= 2 ? data.lastIndexOf(10, length - 2) : -1;
    if (newlineAt < 0 && start > 0) {
      const from = Math.max(0, start - blockBytes);
      const block = Buffer.alloc(start - from);
      await file.read(block, 0, block.length, from);
      data = Buffer.concat([block, data.subarray(0, length)]);
      start = from;
      continue;
    }
    const line = data.subarray(newlineAt + 1, Math.max(0, length - 1));
    if (parseLogLine(line)?.partial === false) {
      if (found === count) return end;
      found += 1;
    }
    if (newlineAt < 0) return 0;
    end = start + newlineAt + 1;
  }
}

/**
 * Chunks of a log. With `follow` it goes on until the container has ended (`ended` resolves) or `signal` fires; rotation is
 * followed by the name of the file.
 */
export async function* readLog(
  path: string,
  options: LogOptions,
  { signal, ended }: { signal: AbortSignal; ended?: Promise<void> },
): AsyncGenerator<Buffer> {
  const file = await open(path, "r");
  const reader = new LogReader(path, file, options, signal, ended);
  try {
    yield* reader.chunks();
  } finally {
    await reader.close();
  }
}

class LogReader {
  readonly #path: string;
  #file: FileHandle;
  readonly #options: LogOptions;
  readonly #signal: AbortSignal;
  readonly #ended: Promise<void> | undefined;
  #left: number;
  #rest: Buffer = Buffer.alloc(0);
  #inPart = false;

  constructor(
    path: string,
    file: FileHandle,
    options: LogOptions,
    signal: AbortSignal,
    ended: Promise<void> | undefined,
  ) {
    this.#path = path;
    this.#file = file;
    this.#options = options;
    this.#signal = signal;
    this.#ended = ended;
    this.#left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async *chunks(): AsyncGenerator<Buffer> {
    const { tailLines, follow } = this.#options;
    const { size } = await this.#file.stat();
    let offset = tailLines === undefined ? 0 : await tailOffset(this.#file, size, tailLines);
    const changes = follow === true ? new FileChanges(this.#path, this.#signal, this.#ended) : undefined;
    try {
      for (;;) {
        const over = changes?.over ?? true;
        for (;;) {
          const block = Buffer.alloc(blockBytes);
          const { bytesRead } = await this.#file.read(block, 0, block.length, offset);
          if (bytesRead === 0) break;
          offset += bytesRead;
          const out = this.#take(block.subarray(0, bytesRead));
          if (out.length > 0) yield out;
          if (this.#left <= 0 || this.#signal.aborted) return;
        }
        if (await this.#wasRotated(offset)) offset = 0;
        else if (over || changes === undefined) return;
        else await changes.next();
        if (this.#signal.aborted) return;
      }
    } finally {
      changes?.close();
    }
  }

  async #wasRotated(offset: number): Promise<boolean> {
    if (this.#options.follow !== true) return false;
    const [open_, named] = [await this.#file.stat(), await stat(this.#path).catch(() => undefined)];
    if (named === undefined || (named.ino === open_.ino && named.size >= offset)) return false;
    const file = await open(this.#path, "r");
    await this.#file.close();
    this.#file = file;
    return true;
  }

  #take(bytes: Buffer): Buffer {
    const data = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const out: Buffer[] = [];
    let from = 0;
    for (let at = data.indexOf(10); at >= 0 && this.#left > 0; at = data.indexOf(10, from)) {
      const line = parseLogLine(data.subarray(from, at));
      from = at + 1;
      if (line !== undefined) out.push(...this.#show(line));
    }
    this.#rest = data.subarray(from);
    return Buffer.concat(out);
  }

  #show({ time, partial, text }: LogLine): Buffer[] {
    const { sinceMs, timestamps } = this.#options;
    const begins = !this.#inPart;
    this.#inPart = partial;
    if (sinceMs !== undefined && Date.parse(time) < sinceMs) return [];
    const parts = [
      ...(timestamps === true && begins ? [Buffer.from(`${time} `)] : []),
      text,
      ...(partial ? [] : [newline]),
    ];
    return parts.map((part) => {
      const shown = part.subarray(0, Math.min(part.length, this.#left));
      this.#left -= shown.length;
      return shown;
    });
  }
}

const newline = Buffer.from("\n");

/** Tells when there may be more to read. The runtime writes; nobody polls. */
class FileChanges {
  readonly #watcher: FSWatcher;
  #wake: (() => void) | undefined;
  #dirty = false;
  over = false;

  constructor(path: string, signal: AbortSignal, ended: Promise<void> | undefined) {
    const directory = path.slice(0, path.lastIndexOf("/"));
    const tell = (): void => {
      this.#dirty = true;
      this.#wake?.();
    };
    this.#watcher = watch(directory, tell);
    this.#watcher.on("error", tell);
    signal.addEventListener("abort", tell, { once: true });
    void ended?.then(() => {
      this.over = true;
      tell();
    });
  }

  async next(): Promise<void> {
    if (!this.#dirty)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    this.#wake = undefined;
    this.#dirty = false;
  }

  close(): void {
    this.#watcher.close();
  }
}

/** The last of what a container wrote, as a termination message. */
export async function tailText(path: string, lines: number, bytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  const never = new AbortController().signal;
  for await (const chunk of readLog(path, { tailLines: lines }, { signal: never })) chunks.push(chunk);
  const all = Buffer.concat(chunks);
  return all.subarray(Math.max(0, all.length - bytes)).toString("utf8");
}
