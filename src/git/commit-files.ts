/**
 * The files of a commit as a render reads them. Renders are synchronous, Git's objects are not: the files of a folder are
 * loaded ahead, all of them only for a render that reaches beyond it. What a render did not look at may change without it
 * being done again.
 */
import { type TreeNode, fileBytesMax, nodeAt } from "./commit-tree.ts";
import { type FileNode, type FileTree, nodeTree } from "./render/file-tree.ts";
import { RenderError } from "./render/render-error.ts";
import { type Trace, stillHolds, traced } from "./render/trace.ts";
import type { SourceState } from "./sources.ts";

/** How many renders are remembered: those that were asked for last. */
export const rendersMax = 2_000;

export interface RenderRequest<T> {
  /** Whose render it is: the next one of the same name takes its place. */
  name: string;
  /** All that it depends on besides the commit's files. */
  key: string;
  /** Where it begins. */
  folder: string;
  /** What it throws is thrown, and not remembered. */
  render(tree: FileTree): T;
}

export class CommitRenders<T> {
  readonly #remembered = new Map<string, { key: string; trace: Trace; result: T }>();
  readonly #files = new WeakMap<TreeNode, Promise<CommitFiles>>();

  async render(source: SourceState, { name, key, folder, render }: RenderRequest<T>): Promise<T> {
    const files = await this.#filesOf(source);
    const last = this.#remembered.get(name);
    this.#remembered.delete(name);
    const isSame = last?.key === key && stillHolds(last.trace, files.tree, files.contentOf);
    const now = isSame ? last : { key, ...(await files.render(folder, render)) };
    this.#remembered.set(name, now);
    if (this.#remembered.size > rendersMax) this.#remembered.delete(this.#remembered.keys().next().value!);
    return now.result;
  }

  #filesOf(source: SourceState): Promise<CommitFiles> {
    const files = this.#files.get(source.tree) ?? CommitFiles.of(source);
    this.#files.set(source.tree, files);
    return files;
  }
}

class CommitFiles {
  readonly #source: SourceState;
  readonly tree: FileTree;
  /** By hash; only while a render runs. undefined: too large to be a manifest. */
  #bytes: ReadonlyMap<string, Uint8Array | undefined> = new Map();
  #isMissing = false;

  static async of(source: SourceState): Promise<CommitFiles> {
    const links = new Map<string, string>();
    for (const node of filesOf(source.tree))
      if (node.type === "link") links.set(node.oid, (await source.memory.blob(node.oid)).toString("utf8"));
    return new CommitFiles(source, links);
  }

  private constructor(source: SourceState, links: ReadonlyMap<string, string>) {
    this.#source = source;
    this.tree = nodeTree(this.#nodeOf(source.tree, links));
  }

  /** Names the content of a file. */
  readonly contentOf = (path: string): string | undefined => nodeAt(this.#source.tree, path)?.oid;

  async render<T>(folder: string, render: (tree: FileTree) => T): Promise<{ trace: Trace; result: T }> {
    const near = await this.#load(folder);
    return this.#attempt(near, render) ?? this.#attempt(await this.#load("/"), render)!;
  }

  /** undefined: a file is asked for that is not loaded. */
  #attempt<T>(
    bytes: ReadonlyMap<string, Uint8Array | undefined>,
    render: (tree: FileTree) => T,
  ): { trace: Trace; result: T } | undefined {
    this.#bytes = bytes;
    this.#isMissing = false;
    const { tree, trace } = traced(this.tree, this.contentOf);
    try {
      const result = render(tree);
      return this.#isMissing ? undefined : { trace, result };
    } catch (error) {
      if (this.#isMissing) return undefined;
      throw error;
    } finally {
      this.#bytes = new Map();
    }
  }

  /** The content of the files below a folder. */
  async #load(root: string): Promise<Map<string, Uint8Array | undefined>> {
    const bytes = new Map<string, Uint8Array | undefined>();
    for (const node of filesOf(nodeAt(this.#source.tree, root))) {
      if (node.type !== "file" || bytes.has(node.oid)) continue;
      const blob = await this.#source.memory.blob(node.oid);
      bytes.set(node.oid, blob.length <= fileBytesMax ? blob : undefined);
    }
    return bytes;
  }

  #nodeOf(node: TreeNode, links: ReadonlyMap<string, string>): FileNode {
    if (node.type === "link") return { link: links.get(node.oid) ?? "" };
    if (node.type === "file") return { bytes: () => this.#read(node.oid) };
    return { entries: new Map([...node.entries].map(([name, inner]) => [name, this.#nodeOf(inner, links)])) };
  }

  #read(oid: string): Uint8Array {
    const bytes = this.#bytes.get(oid);
    if (bytes !== undefined) return bytes;
    if (!this.#bytes.has(oid)) this.#isMissing = true;
    throw new RenderError(`the file is larger than the ${fileBytesMax} bytes that a manifest may have`);
  }
}

/** Files and links of a node and below it. */
function* filesOf(node: TreeNode | undefined): Generator<TreeNode> {
  if (node?.type !== "directory") {
    if (node !== undefined) yield node;
    return;
  }
  for (const inner of node.entries.values()) yield* filesOf(inner);
}
