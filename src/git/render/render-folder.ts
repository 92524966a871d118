/**
 * Renders a folder of a Git tree the way Flux does: its kustomization, or, where it has none, all YAML files in it and below, with
 * the settings of a Flux Kustomization laid over. In a folder without a kustomization a file that cannot be read spoils only itself.
 */
import { posix } from "node:path";
import type { FileTree } from "./file-tree.ts";
import { type Kustomization, kustomizationFileNames, kustomizationShape } from "./kustomization.ts";
import { type RenderedObject, renderTarget } from "./kustomize.ts";
import { Loader } from "./loader.ts";
import { Schemas } from "./schema.ts";
import { readShape } from "./shape.ts";
import { Target } from "./target.ts";
import { fromObject, isPlainMap, type PlainMap, toObject } from "./yaml/value.ts";

/** The fields of a Flux Kustomization that change what is rendered. */
export interface FluxOverlay {
  readonly targetNamespace?: string | undefined;
  readonly namePrefix?: string | undefined;
  readonly nameSuffix?: string | undefined;
  readonly patches?: readonly unknown[] | undefined;
  readonly images?: readonly unknown[] | undefined;
  readonly components?: readonly string[] | undefined;
  readonly ignoreMissingComponents?: boolean | undefined;
  readonly buildMetadata?: readonly string[] | undefined;
  readonly commonMetadata?:
    | { readonly labels?: Readonly<Record<string, string>>; readonly annotations?: Readonly<Record<string, string>> }
    | undefined;
}

export interface FolderObject {
  /** Plain JSON data. */
  readonly object: unknown;
  /** The file it was written in, or the kustomization whose generator made it, relative to the tree. */
  readonly origin: string;
}

export interface FolderProblem {
  readonly origin: string;
  readonly message: string;
}

export interface FolderRender {
  readonly objects: readonly FolderObject[];
  /** Files that could not be rendered; everything else was. */
  readonly problems: readonly FolderProblem[];
}

/** Throws RenderError when the folder's kustomization cannot be rendered. */
export function renderFolder(tree: FileTree, folder: string, overlay: FluxOverlay = {}): FolderRender {
  const loader = Loader.open(tree, folder, "none");
  const schemas = new Schemas();
  const problems: FolderProblem[] = [];
  const amend = (kustomization: Kustomization): void => applyOverlay(kustomization, overlay, loader);
  const target = hasKustomization(tree, loader.root)
    ? Target.root(loader, schemas, { amend })
    : Target.generated(loader, schemas, generatedResources(tree, loader.root), {
        amend,
        onProblem: (path, error) =>
          problems.push({ origin: relativeTo(posix.join(loader.root, path)), message: error.message }),
      });
  const rendered = renderTarget(target);
  return { objects: rendered.map((one) => folderObject(one, overlay)), problems };
}

const relativeTo = (path: string): string => path.replace(/^\/+/, "");

function hasKustomization(tree: FileTree, directory: string): boolean {
  return kustomizationFileNames.some((name) => tree.find(posix.join(directory, name))?.isDirectory === false);
}

/** Every YAML file in and below the folder; a directory with a kustomization of its own stands for what is in it. */
function generatedResources(tree: FileTree, root: string): string[] {
  const resources: string[] = [];
  const visit = (directory: string): void => {
    for (const name of tree.list(posix.join(root, directory))) {
      const path = posix.join(directory, name);
      const found = tree.find(posix.join(root, path));
      if (found === undefined || name === ".git") continue;
      if (!found.isDirectory) {
        if (/\.ya?ml$/.test(name)) resources.push(path);
      } else if (hasKustomization(tree, found.path)) resources.push(path);
      else if (found.path === posix.join(root, path)) visit(path);
    }
  };
  visit("");
  return resources;
}

function applyOverlay(kustomization: Kustomization, overlay: FluxOverlay, loader: Loader): void {
  const { targetNamespace, namePrefix, nameSuffix, patches = [], images = [], components = [] } = overlay;
  if (targetNamespace) kustomization.namespace = targetNamespace;
  if (namePrefix) kustomization.namePrefix = namePrefix;
  if (nameSuffix) kustomization.nameSuffix = nameSuffix;
  if (overlay.buildMetadata !== undefined && overlay.buildMetadata.length > 0)
    kustomization.buildMetadata = [...overlay.buildMetadata];
  const added = readShape(kustomizationShape, fromObject({ patches, images }), {
    isStrict: false,
    areWordsTaken: false,
  });
  kustomization.patches = [...(kustomization.patches ?? []), ...(added.patches ?? [])];
  for (const image of added.images ?? []) {
    const others = (kustomization.images ?? []).filter(({ name }) => name !== image.name);
    kustomization.images = [...others, image];
  }
  const wanted = components.filter((path) => overlay.ignoreMissingComponents !== true || isDirectory(loader, path));
  kustomization.components = [...(kustomization.components ?? []), ...wanted];
}

const isDirectory = (loader: Loader, path: string): boolean =>
  loader.tree.find(posix.join(loader.root, path))?.isDirectory === true;

function folderObject({ data, source }: RenderedObject, { commonMetadata }: FluxOverlay): FolderObject {
  for (const field of ["labels", "annotations"] as const) {
    const pairs = Object.entries(commonMetadata?.[field] ?? {});
    if (pairs.length > 0) addMetadata(data, field, pairs);
  }
  return { object: toObject(data), origin: relativeTo(source.file) };
}

function addMetadata(data: PlainMap, field: string, pairs: readonly (readonly [string, string])[]): void {
  const metadata = data.get("metadata");
  if (!isPlainMap(metadata)) return;
  const old = metadata.get(field);
  metadata.set(field, new Map([...(isPlainMap(old) ? old : []), ...pairs]));
}
