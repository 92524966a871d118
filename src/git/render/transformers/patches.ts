/** Applies strategic merge patches and JSON patches, to the object they name or to those a target selects. */
import { idKey, idText } from "#git/render/gvk.ts";
import type { PatchEntry, Selector } from "#git/render/kustomization.ts";
import { during, RenderError } from "#git/render/render-error.ts";
import type { Resource } from "#git/render/resource.ts";
import type { ResourceList } from "#git/render/resource-list.ts";
import { selectResources } from "#git/render/selector.ts";
import { mergePatch, type MergeTypes } from "#git/render/strategic-merge.ts";
import { decodeMapping } from "#git/render/yaml/decode.ts";
import { nodeOfJson } from "#git/render/yaml/encode.ts";
import { isPlainMap } from "#git/render/yaml/value.ts";
import { applyJsonPatch, type Operation, parseJsonPatch } from "./json-patch.ts";
import type { Transform } from "./transformer.ts";

export interface PatchReader extends MergeTypes {
  loadText(path: string): string;
  readPatches(text: string): Resource[];
}

/** Merges a patch into an object; name and kind stay unless the patch may change them, the namespace always stays. */
function applyMergePatch(item: Resource, patch: Resource, types: MergeTypes): void {
  const { name, namespace, kind } = item;
  const { mayChangeName, mayChangeKind } = patch;
  if (mayChangeName || mayChangeKind) item.storePreviousId();
  item.showNotes();
  patch.showNotes();
  // Only what was merged in place counts: a patch that replaces the whole object changes nothing.
  const merged = mergePatch(item.root!, patch.root!, types);
  if (merged === undefined || item.isEmpty) {
    item.root = undefined;
    return;
  }
  item.takeNotes();
  if (!mayChangeKind) item.setKind(kind);
  if (!mayChangeName) item.setName(name);
  item.setNamespace(namespace);
}

function applyToSelected(list: ResourceList, selected: readonly Resource[], patch: Resource, types: MergeTypes): void {
  const keys = new Set(selected.map((item) => idKey(item.id)));
  for (const item of list.items) {
    if (!keys.has(idKey(item.id))) continue;
    const copy = patch.copy();
    copy.inheritMetadata(patch);
    copy.setGvk(item.gvk);
    copy.setKind(patch.kind);
    applyMergePatch(item, copy, types);
  }
  const kept = list.items.filter((item) => !item.isEmpty);
  list.items = [];
  list.append(kept);
}

function onlyTarget(list: ResourceList, patch: Resource): Resource {
  const id = patch.originalId;
  const matches = list.withAnyId(id);
  if (matches.length === 1) return matches[0]!;
  const problem = matches.length > 1 ? "multiple matches" : "no matches";
  throw new RenderError(`${problem} for Id ${idText(id)}; failed to find unique target for patch ${idText(id)}`);
}

export function patchTransform(entry: PatchEntry, reader: PatchReader): Transform {
  const text = patchText(entry, reader);
  const described = entry.path ? `[path: "${entry.path}"]` : `[patch: ${JSON.stringify(text)}]`;
  const merges = attempt(() => reader.readPatches(text));
  const operations = attempt(() => parseJsonPatch(text));
  if (merges !== undefined && merges.length > 0 && operations !== undefined && operations.length > 0)
    throw new RenderError(`illegally qualifies as both an SM and JSON patch: ${described}`);
  if (merges === undefined && operations === undefined)
    throw new RenderError(`unable to parse SM or JSON patch from ${described}`);
  if (merges === undefined) return jsonPatchTransform(operations!, entry.target, described);
  for (const patch of merges) {
    if (entry.options?.allowNameChange === true) patch.allowNameChange();
    if (entry.options?.allowKindChange === true) patch.allowKindChange();
  }
  if (merges.length === 0) return () => {};
  return (list) => applyMerges(list, merges, entry.target, reader, described);
}

function attempt<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function patchText(entry: PatchEntry, reader: PatchReader): string {
  const inline = entry.patch?.trim() ?? "";
  const { path = "" } = entry;
  if (inline === "" && path === "") throw new RenderError("must specify one of patch and path");
  if (inline !== "" && path !== "") throw new RenderError("patch and path can't be set at the same time");
  if (inline !== "") return inline;
  return during(`failed to get the patch file from path(${path})`, () => reader.loadText(path));
}

function applyMerges(
  list: ResourceList,
  patches: readonly Resource[],
  target: Selector | undefined,
  types: MergeTypes,
  described: string,
): void {
  if (target === undefined) {
    for (const patch of patches)
      applyMergePatch(
        during(`no resource matches strategic merge patch "${idText(patch.originalId)}"`, () =>
          onlyTarget(list, patch),
        ),
        patch,
        types,
      );
    return;
  }
  if (patches.length > 1)
    throw new RenderError(
      `Multiple Strategic-Merge Patches in one \`patches\` entry is not allowed to set \`patches.target\` field: ${described}`,
    );
  const selected = during("unable to find patch target in `resources`", () => selectResources(list.items, target));
  applyToSelected(list, selected, patches[0]!, types);
}

function jsonPatchTransform(
  operations: readonly Operation[],
  target: Selector | undefined,
  described: string,
): Transform {
  return (list) => {
    if (target === undefined) throw new RenderError(`must specify a target for JSON patch ${described}`);
    for (const item of selectResources(list.items, target)) {
      item.storePreviousId();
      applyOperations(item, operations);
    }
  };
}

/** Applies the operations to the object as JSON; kustomize's own notes outlive whatever they do to annotations. */
function applyOperations(item: Resource, operations: readonly Operation[]): void {
  item.showNotes();
  const notes = item.annotations;
  const patched = during(`applying JSON patch to ${idText(item.id)}`, () =>
    applyJsonPatch(decodeMapping(item.root!), operations),
  );
  if (!isPlainMap(patched))
    throw new RenderError("json: cannot unmarshal array into Go value of type map[string]interface {}");
  item.root = nodeOfJson(patched);
  const annotations = item.annotations;
  for (const [key, value] of notes) if (key.startsWith("internal.config.kubernetes.io/")) annotations.set(key, value);
  item.setAnnotations(annotations);
  item.takeNotes();
}

/** Patches of the deprecated `patchesStrategicMerge`, each for the one object it names. */
export function legacyTransform(patches: readonly Resource[], types: MergeTypes): Transform {
  if (patches.length === 0) throw new RenderError("patch appears to be empty");
  return (list) => {
    for (const patch of patches) applyToSelected(list, [onlyTarget(list, patch)], patch, types);
  };
}

/** The deprecated `patchesJson6902`, which wants a target with a name. */
export function legacyJsonTransform(entry: PatchEntry, loadText: (path: string) => string): Transform {
  const { target, path = "", patch = "" } = entry;
  if (target === undefined || (target.name ?? "") === "") throw new RenderError("must specify the target name");
  if (path === "" && patch === "") throw new RenderError("empty file path and empty jsonOp");
  if (path !== "" && patch !== "") throw new RenderError("must specify a file path or jsonOp, not both");
  const text = path === "" ? patch : loadText(path);
  if (text === "") throw new RenderError(`patch file '${path}' empty seems to be empty`);
  const operations = parseJsonPatch(text);
  if (operations.length === 0) throw new RenderError(`patch appears to be empty; file=${path}, JsonOp=${text}`);
  return (list) => {
    for (const item of selectResources(list.items, target)) applyOperations(item, operations);
  };
}
