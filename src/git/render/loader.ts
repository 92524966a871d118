/**
 * Reads files for one kustomization directory and opens the directories it refers to. Files must lie in or below the directory;
 * directories may lie anywhere in the tree but must not contain one that is being rendered.
 */
import { isUtf8 } from "node:buffer";
import { posix } from "node:path";
import { type FileTree, isWithin } from "./file-tree.ts";
import { RenderError } from "./render-error.ts";

const remoteFilePattern = /^https?:\/\//i;
const remoteDirectoryPattern =
  /^(git::)?(https?:\/\/|ssh:\/\/|file:\/\/|github\.com[/:]|[A-Za-z][A-Za-z0-9-]*@[^/]*[:/])/i;

export type LoadRestriction = "root-only" | "none";

export class Loader {
  readonly tree: FileTree;
  readonly root: string;
  readonly #restriction: LoadRestriction;
  readonly #parent: Loader | undefined;

  private constructor(tree: FileTree, root: string, restriction: LoadRestriction, parent?: Loader) {
    this.tree = tree;
    this.root = root;
    this.#restriction = restriction;
    this.#parent = parent;
  }

  static open(tree: FileTree, directory: string, restriction: LoadRestriction = "root-only"): Loader {
    if (remoteDirectoryPattern.test(directory)) throw new RenderError(`remote base '${directory}' is not supported`);
    return new Loader(tree, confirmDirectory(tree, directory, directory), restriction);
  }

  /** The bytes of a file, its path relative to this directory. */
  load(path: string): Uint8Array {
    if (remoteFilePattern.test(path)) throw new RenderError(`remote file '${path}' is not supported`);
    const full = posix.isAbsolute(path) ? posix.normalize(path) : posix.join(this.root, path);
    const found = this.tree.find(full);
    if (found === undefined) throw new RenderError(`evalsymlink failure on '${full}' : no such file or directory`);
    if (found.isDirectory) throw new RenderError(`'${full}' must resolve to a file`);
    if (this.#restriction === "root-only" && !isWithin(posix.dirname(found.path), this.root))
      throw new RenderError(`security; file '${full}' is not in or below '${this.root}'`);
    return this.tree.read(found.path);
  }

  /** A file's text; a byte order mark stays. */
  loadText(path: string): string {
    const bytes = this.load(path);
    if (!isUtf8(bytes)) throw new RenderError(`'${path}': yaml: invalid UTF-8`);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  }

  /** A loader for another directory, its path relative to this one. */
  child(path: string): Loader {
    if (path === "") throw new RenderError("new root cannot be empty");
    if (remoteDirectoryPattern.test(path)) throw new RenderError(`remote base '${path}' is not supported`);
    if (posix.isAbsolute(path)) throw new RenderError(`new root '${path}' cannot be absolute`);
    const root = confirmDirectory(this.tree, posix.join(this.root, path), path);
    this.#refuseCycle(root);
    return new Loader(this.tree, root, this.#restriction, this);
  }

  #refuseCycle(candidate: string): void {
    if (isWithin(this.root, candidate))
      throw new RenderError(`cycle detected: candidate root '${candidate}' contains visited root '${this.root}'`);
    if (this.#parent !== undefined) this.#parent.#refuseCycle(candidate);
  }
}

function confirmDirectory(tree: FileTree, path: string, written: string): string {
  const found = tree.find(path);
  if (found === undefined)
    throw new RenderError(`must build at directory: not a valid directory: '${written}' does not exist`);
  if (!found.isDirectory)
    throw new RenderError(`must build at directory: not a valid directory: '${written}': file is not directory`);
  return found.path;
}
