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

/** What a tree in memory is made of: a directory has entries, a link leads somewhere, anything else is a file. */
export interface FileNode {
  readonly entries?: ReadonlyMap<string, FileNode>;
  readonly link?: string;
  bytes?(): Uint8Array;
}

const linksMax = 40;

/** A tree of nodes: nothing is read but what is asked for. */
export function nodeTree(root: FileNode): FileTree {
  const find = (path: string, hops = 0): { path: string; node: FileNode } | undefined => {
    let [at, node] = ["/", root];
    const above: FileNode[] = [];
    const parts = path.split("/").filter((part) => part !== "" && part !== ".");
    for (const [index, part] of parts.entries()) {
      if (part === "..") {
        [at, node] = [posix.dirname(at), above.pop() ?? root];
        continue;
      }
      const next = node.entries?.get(part);
      if (next === undefined) return undefined;
      if (next.link !== undefined) {
        if (hops >= linksMax || next.link.startsWith("/") || leavesRoot(at, next.link)) return undefined;
        return find([at, next.link, ...parts.slice(index + 1)].join("/"), hops + 1);
      }
      above.push(node);
      [at, node] = [posix.join(at, part), next];
    }
    return { path: at, node };
  };
  return {
    find(path) {
      const found = find(path);
      return found === undefined ? undefined : { path: found.path, isDirectory: found.node.entries !== undefined };
    },
    read(path) {
      const bytes = find(path)?.node.bytes;
      if (bytes === undefined) throw new RenderError(`open ${path}: no such file or directory`);
      return bytes();
    },
    list: (path) => [...(find(path)?.node.entries?.keys() ?? [])].sort(),
  };
}

/** A file's bytes, or where a link leads. */
export type TreeEntry = Uint8Array | { readonly link: string };

/** A tree of files by path ("/a/b"); directories follow from the paths. */
export function memoryTree(files: ReadonlyMap<string, TreeEntry>): FileTree {
  const root = new Map<string, FileNode>();
  for (const [path, entry] of files) {
    let entries = root;
    const parts = path.split("/").filter((part) => part !== "");
    const name = parts.pop() ?? "";
    for (const part of parts) {
      const inner = (entries.get(part)?.entries as Map<string, FileNode> | undefined) ?? new Map<string, FileNode>();
      entries.set(part, { entries: inner });
      entries = inner;
    }
    entries.set(name, "link" in entry ? entry : { bytes: () => entry });
  }
  return nodeTree({ entries: root });
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
