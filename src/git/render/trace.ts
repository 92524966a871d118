/**
 * What a render looked at: which paths it found, listed and read. As long as all of that is the same in another tree, so is
 * what it rendered there.
 */
import type { FileTree, Found } from "./file-tree.ts";

export interface Trace {
  /** Path looked up → what was found. */
  readonly found: ReadonlyMap<string, string>;
  /** Directory → its names. */
  readonly listed: ReadonlyMap<string, string>;
  /** File → what names its content. */
  readonly read: ReadonlyMap<string, string>;
}

/** Names the content of a file: another name is another content. */
export type ContentName = (path: string) => string | undefined;

export function traced(tree: FileTree, contentOf: ContentName): { tree: FileTree; trace: Trace } {
  const trace = {
    found: new Map<string, string>(),
    listed: new Map<string, string>(),
    read: new Map<string, string>(),
  };
  return {
    trace,
    tree: {
      find(path) {
        const found = tree.find(path);
        trace.found.set(path, foundText(found));
        return found;
      },
      list(path) {
        const names = tree.list(path);
        trace.listed.set(path, listText(names));
        return names;
      },
      read(path) {
        trace.read.set(path, contentOf(path) ?? "");
        return tree.read(path);
      },
    },
  };
}

/** Whether a render of this tree would see what the traced one saw. Reads no file. */
export function stillHolds({ found, listed, read }: Trace, tree: FileTree, contentOf: ContentName): boolean {
  for (const [path, text] of found) if (foundText(tree.find(path)) !== text) return false;
  for (const [path, text] of listed) if (listText(tree.list(path)) !== text) return false;
  for (const [path, name] of read) if ((contentOf(path) ?? "") !== name) return false;
  return true;
}

const foundText = (found: Found | undefined): string =>
  found === undefined ? "" : `${found.isDirectory ? "directory" : "file"} ${found.path}`;

const listText = (names: readonly string[]): string => names.join("/");
