/** A checkout that tests commit in, and push from. */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

export class GitWork {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
    execFileSync("git", ["init", "-q", "-b", "main", folder]);
  }

  git(...args: string[]): string {
    return execFileSync(
      "git",
      ["-C", this.folder, "-c", "user.name=test", "-c", "user.email=test@example.com", ...args],
      { encoding: "utf8" },
    ).trim();
  }

  /** Writes (null removes) files and commits; returns the commit. */
  commit(message: string, files: Readonly<Record<string, string | null>> = {}): string {
    for (const [name, text] of Object.entries(files)) {
      const path = join(this.folder, name);
      if (text === null) rmSync(path, { recursive: true });
      else {
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, text);
      }
    }
    this.git("add", "-A");
    this.git("commit", "-q", "--allow-empty", "-m", message);
    return this.git("rev-parse", "HEAD");
  }
}
