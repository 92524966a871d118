/** Renders a kustomization directory: gathers, hashes names, repairs references, fills in variables, sorts, and prints. */
import type { FileTree } from "./file-tree.ts";
import { makeFieldSpec } from "./field-spec.ts";
import { type LoadRestriction, Loader } from "./loader.ts";
import { requireMetadata } from "./read-resources.ts";
import type { ResourceSource } from "./resource.ts";
import type { ResourceList } from "./resource-list.ts";
import { Schemas } from "./schema.ts";
import { Target } from "./target.ts";
import type { Kustomization } from "./kustomization.ts";
import { hashTransform } from "./transformers/hashes.ts";
import { metadataTransform } from "./transformers/metadata.ts";
import { nameReferenceTransform } from "./transformers/name-references.ts";
import { sortTransform } from "./transformers/sort-order.ts";
import { resolveVariables } from "./transformers/variables.ts";
import { decodeMapping } from "./yaml/decode.ts";
import { emitYaml } from "./yaml/emit.ts";
import { settle } from "./yaml/settle.ts";
import type { PlainMap } from "./yaml/value.ts";

/** The kustomize release whose behaviour and output this renderer has. */
export const kustomizeVersion = "v5.8.1";

export interface RenderedObject {
  readonly data: PlainMap;
  readonly source: ResourceSource;
}

export interface RenderOptions {
  readonly loadRestriction?: LoadRestriction;
}

/** The objects of a kustomization in output order; throws RenderError. */
export function renderKustomization(tree: FileTree, directory: string, options: RenderOptions = {}): RenderedObject[] {
  const loader = Loader.open(tree, directory, options.loadRestriction);
  return renderTarget(Target.root(loader, new Schemas()));
}

/** The last steps of a render, done once for everything the root gathered. */
export function renderTarget(target: Target): RenderedObject[] {
  target.useSchema(true);
  const { list, config, variables } = target.accumulate();
  hashTransform(list);
  nameReferenceTransform(config.nameReferences)(list);
  resolveVariables(list, variables, config.varReferences);
  dropLocal(list);
  finish(list, target.kustomization);
  return list.items.map(({ root, source }) => ({ data: settle(decodeMapping(root!)), source }));
}

/** Objects marked as local configuration served the render only. */
function dropLocal(list: ResourceList): void {
  for (const { root } of list.items) requireMetadata(root!);
  list.items = list.items.filter(({ annotations }) => {
    const mark = annotations.get("config.kubernetes.io/local-config");
    return mark === undefined || mark === "false";
  });
}

function finish(list: ResourceList, { sortOptions, buildMetadata = [] }: Kustomization): void {
  sortTransform(sortOptions ?? { order: "legacy" })(list);
  if (buildMetadata.includes("managedByLabel")) {
    const label = new Map([["app.kubernetes.io/managed-by", `kustomize-${kustomizeVersion}`]]);
    metadataTransform(label, [makeFieldSpec("metadata/labels", true)])(list);
  }
  const keepsOrigin = buildMetadata.includes("originAnnotations");
  const keepsTransformations = buildMetadata.includes("transformerAnnotations");
  for (const item of list.items) item.finishAnnotations(keepsOrigin, keepsTransformations);
}

export const objectsToYaml = (objects: readonly RenderedObject[]): string =>
  objects.map(({ data }) => emitYaml(data)).join("---\n");
