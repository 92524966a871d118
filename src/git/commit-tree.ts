/**
 * The files of one commit, listed at once and read when asked for. Trees and blobs are named by their hash, so what an
 * earlier commit already had is not read again: a new commit costs what changed.
 */
import ignore from "ignore";
import type { Repository } from "./repository.ts";

export type TreeNode =
  | { type: "file"; oid: string }
  | { type: "link"; oid: string }
  | { type: "directory"; oid: string; entries: ReadonlyMap<string, TreeNode> };

/** Bytes of file content kept by hash, over all commits of a repository. */
export const blobBytesMax = 64 * 1024 * 1024;
/** A file larger than this is no manifest; rendering refuses it. */
export const fileBytesMax = 10 * 1024 * 1024;
const treesMax = 20_000;

/** What Flux leaves out of a source unless spec.ignore says otherwise. */
const defaultIgnore = [
  ".git/",
  ".gitignore",
  ".gitmodules",
  ".gitattributes",
  "*.jpg",
  "*.jpeg",
  "*.gif",
  "*.png",
  "*.wmv",
  "*.flv",
  "*.tar.gz",
  "*.zip",
  ".github/",
  ".circleci/",
  ".travis.yml",
  ".gitlab-ci.yml",
  "appveyor.yml",
  ".drone.yml",
  "cloudbuild.yaml",
  "codeship-services.yml",
  "codeship-steps.yml",
  "**/.goreleaser.yml",
  "**/.goreleaser.brew.yml",
  "**/.sops.yaml",
  "**/.flux.yaml",
];

/** Remembers trees and blobs of a repository between commits. */
export class ObjectMemory {
  readonly #repository: Repository;
  readonly #trees = new Map<string, ReadonlyMap<string, TreeNode>>();
  readonly #blobs = new Map<string, Buffer>();
  #blobBytes = 0;

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  async directory(oid: string): Promise<ReadonlyMap<string, TreeNode>> {
    const known = this.#trees.get(oid);
    if (known !== undefined) return known;
    const entries = new Map<string, TreeNode>();
    for (const { path, mode, type, oid: entry } of await this.#repository.readTree(oid)) {
      if (type === "tree") entries.set(path, { type: "directory", oid: entry, entries: await this.directory(entry) });
      else if (type === "blob") entries.set(path, { type: mode === "120000" ? "link" : "file", oid: entry });
      // A submodule has no files here.
    }
    if (this.#trees.size >= treesMax) this.#trees.clear();
    this.#trees.set(oid, entries);
    return entries;
  }

  async blob(oid: string): Promise<Buffer> {
    const known = this.#blobs.get(oid);
    if (known !== undefined) return known;
    const bytes = await this.#repository.readBlob(oid);
    if (this.#blobBytes + bytes.length > blobBytesMax) {
      this.#blobs.clear();
      this.#blobBytes = 0;
    }
    this.#blobs.set(oid, bytes);
    this.#blobBytes += bytes.length;
    return bytes;
  }
}

/** The root directory of a commit without ignored files. */
export async function readCommitTree(
  memory: ObjectMemory,
  treeOid: string,
  patterns: string | undefined,
): Promise<TreeNode & { type: "directory" }> {
  const entries = await memory.directory(treeOid);
  const own = await sourceIgnore(memory, entries);
  const rules = ignore().add(patterns ?? defaultIgnore);
  if (own !== undefined) rules.add(own);
  return { type: "directory", oid: treeOid, entries: withoutIgnored(entries, "", rules) };
}

async function sourceIgnore(memory: ObjectMemory, entries: ReadonlyMap<string, TreeNode>): Promise<string | undefined> {
  const file = entries.get(".sourceignore");
  return file?.type === "file" ? (await memory.blob(file.oid)).toString("utf8") : undefined;
}

function withoutIgnored(
  entries: ReadonlyMap<string, TreeNode>,
  path: string,
  rules: ReturnType<typeof ignore>,
): ReadonlyMap<string, TreeNode> {
  const kept = new Map<string, TreeNode>();
  for (const [name, node] of entries) {
    const full = path === "" ? name : `${path}/${name}`;
    if (rules.ignores(node.type === "directory" ? `${full}/` : full)) continue;
    kept.set(name, node.type === "directory" ? { ...node, entries: withoutIgnored(node.entries, full, rules) } : node);
  }
  return kept;
}

/** The node at a cleaned path ("a/b"); undefined if there is none. Does not follow links. */
export function nodeAt(root: TreeNode, path: string): TreeNode | undefined {
  let node: TreeNode | undefined = root;
  for (const part of path.split("/").filter((one) => one !== "" && one !== ".")) {
    if (part === ".." || node?.type !== "directory") return undefined;
    node = node.entries.get(part);
  }
  return node;
}
