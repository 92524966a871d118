/**
 * Where a render reads from: a read-only tree of files with absolute slash-separated paths. One implementation reads the disk,
 * one a tree held in memory, as a commit is.
 */
import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { posix } from "node:path";
import { RenderError } from "./render-error.ts";

export interface Found {
  /** The path without any link in it. */
  readonly path: string;
  readonly isDirectory: boolean;
}

export interface FileTree {
  /** What stands at the path, links followed; undefined when nothing does or a link leads out of the tree. */
  find(path: string): Found | undefined;
  read(path: string): Uint8Array;
  /** Names in a directory, sorted. */
  list(path: string): readonly string[];
}

export const isWithin = (path: string, directory: string): boolean =>
  directory === "/" || path === directory || path.startsWith(`${directory}/`);

/** The disk; with a root nothing outside of it is found, links included. */
export function diskTree(root = "/"): FileTree {
  const realRoot = root === "/" ? root : realpathSync(root);
  return {
    find(path) {
      try {
        const real = realpathSync(path);
        return isWithin(real, realRoot) ? { path: real, isDirectory: statSync(real).isDirectory() } : undefined;
      } catch {
        return undefined;
      }
    },
    read: (path) => readFileSync(path),
    list: (path) => readdirSync(path).sort(),
  };
}

/** A file's bytes, or where a link leads. */
export type TreeEntry = Uint8Array | { readonly link: string };

const linksMax = 40;

/** A tree held in memory, its files by path ("/a/b"); directories follow from the paths. */
export function memoryTree(entries: ReadonlyMap<string, TreeEntry>): FileTree {
  const directories = new Map<string, Set<string>>([["/", new Set()]]);
  for (const path of entries.keys())
    for (let at = path; at !== "/"; at = posix.dirname(at)) {
      const parent = posix.dirname(at);
      const names = directories.get(parent) ?? new Set();
      directories.set(parent, names.add(posix.basename(at)));
    }
  const find = (path: string, hops = 0): Found | undefined => {
    let at = "/";
    const parts = path.split("/").filter((part) => part !== "" && part !== ".");
    for (const [index, part] of parts.entries()) {
      at = part === ".." ? posix.dirname(at) : posix.join(at, part);
      const entry = entries.get(at);
      if (entry !== undefined && "link" in entry) {
        if (hops >= linksMax || entry.link.startsWith("/") || leavesRoot(posix.dirname(at), entry.link))
          return undefined;
        const rest = [posix.dirname(at), entry.link, ...parts.slice(index + 1)].join("/");
        return find(rest, hops + 1);
      }
      if (entry === undefined && !directories.has(at)) return undefined;
      if (entry !== undefined && index + 1 < parts.length) return undefined;
    }
    return { path: at, isDirectory: directories.has(at) };
  };
  return {
    find: (path) => find(path),
    read(path) {
      const entry = entries.get(path);
      if (entry === undefined || "link" in entry) throw new RenderError(`open ${path}: no such file or directory`);
      return entry;
    },
    list: (path) => [...(directories.get(path) ?? [])].sort(),
  };
}

function leavesRoot(directory: string, link: string): boolean {
  let depth = directory.split("/").filter((part) => part !== "").length;
  for (const part of link.split("/")) {
    if (part === "..") depth -= 1;
    else if (part !== "" && part !== ".") depth += 1;
    if (depth < 0) return true;
  }
  return false;
}
