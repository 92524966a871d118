/** Keeps two agents from minding the same data directory. The kernel lets go of it when the process ends, however it ends. */
import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { createServer } from "node:net";

/** Resolves with how to let go; rejects if another process of this network namespace holds the directory. */
export function lockDirectory(directory: string): Promise<() => void> {
  const name = createHash("sha256").update(realpathSync(directory)).digest("hex").slice(0, 32);
  return new Promise((resolve, reject) => {
    const holder = createServer();
    holder.unref();
    holder.once("error", (error: NodeJS.ErrnoException) =>
      reject(error.code === "EADDRINUSE" ? new Error(`another agent runs on ${directory}`) : error),
    );
    // An abstract socket: no file, so none can be left behind.
    holder.listen(`\0capstan-agent-${name}`, () => resolve(() => void holder.close()));
  });
}
