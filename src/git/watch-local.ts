/** Tells when a repository on this machine's disk has new refs: a commit, a push into it, a branch moved. */
import { watch } from "chokidar";
import { join } from "node:path";

/** A commit touches several files; one call follows when they have been quiet for this long. */
const settleMs = 15;

/** Returns how to stop. */
export function watchLocal(gitDirectory: string, onChange: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const watcher = watch([join(gitDirectory, "HEAD"), join(gitDirectory, "refs"), join(gitDirectory, "packed-refs")], {
    ignoreInitial: true,
    // git writes a ref to x.lock and renames it: the rename is what counts.
    ignored: (path) => path.endsWith(".lock"),
  });
  watcher.on("all", () => {
    clearTimeout(timer);
    timer = setTimeout(onChange, settleMs);
  });
  watcher.on("error", () => {}); // the folder went away: the next look at the repository says so
  return () => {
    clearTimeout(timer);
    void watcher.close();
  };
}
