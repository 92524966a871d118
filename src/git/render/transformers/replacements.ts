/** Copies the value of a field of one object into fields of others. */
import { idText, isGvkSelected, makeId, type ObjectId } from "#git/render/gvk.ts";
import type { ReplacementEntry } from "#git/render/kustomization.ts";
import { during, RenderError } from "#git/render/render-error.ts";
import type { Resource } from "#git/render/resource.ts";
import { idPatterns, isChosenByLabels } from "#git/render/selector.ts";
import { lookup } from "#git/render/yaml/fields.ts";
import { copyNode, isEmptyNode, newScalar, overwriteNode, textOf, type YamlNode } from "#git/render/yaml/yaml-node.ts";
import { matchFields, smartPath } from "./field-path.ts";
import { setInsideText } from "./structured-text.ts";
import type { Transform } from "./transformer.ts";

const defaultPath = "metadata.name";
type Source = NonNullable<ReplacementEntry["source"]>;
type Target = NonNullable<ReplacementEntry["targets"]>[number];
type FieldOptions = Target["options"];

export function replacementTransform(entries: readonly ReplacementEntry[]): Transform {
  return (list) => {
    for (const entry of entries) {
      const { source, sourceValue, targets } = entry;
      if ((source === undefined && sourceValue === undefined) || targets === undefined)
        throw new RenderError("replacements must specify a source and at least one target");
      if (source !== undefined && sourceValue !== undefined)
        throw new RenderError("value and resource selectors are mutually exclusive");
      const value = source === undefined ? newScalar(sourceValue!) : sourceNode(list.items, source);
      for (const target of targets) applyTo(list.items, value, target);
    }
  };
}

/** Identities as replacements see them: kinds are not looked up, so none is cluster-scoped. */
const namespacedOnly = { isClusterScoped: (): boolean => false };
const idsOf = (item: Resource): ObjectId[] =>
  [item.id, ...item.previousIds].map((id) => makeId(id, id.name, id.namespace, namespacedOnly));

function sourceNode(items: readonly Resource[], source: Source): YamlNode {
  const found = items.filter((item) => idsOf(item).some((id) => isSelected(id, source)));
  const described = `${idText({ group: source.group ?? "", version: source.version ?? "", kind: source.kind ?? "", name: source.name ?? "", namespace: source.namespace ?? "" })}${source.fieldPath ? `:${source.fieldPath}` : ""}`;
  if (found.length > 1) throw new RenderError(`multiple matches for selector ${described}`);
  if (found[0] === undefined) throw new RenderError(`nothing selected by ${described}`);
  const path = source.fieldPath || defaultPath;
  const node = during("error looking up replacement source", () => lookup(found[0]!.root!, smartPath(path)));
  if (isEmptyNode(node)) throw new RenderError(`fieldPath \`${path}\` is missing for replacement source ${described}`);
  return refined(node!, source.options);
}

function isSelected(id: ObjectId, source: Source): boolean {
  if (source.name && source.name !== id.name) return false;
  if (source.namespace && source.namespace !== id.effectiveNamespace) return false;
  return isGvkSelected(id, source);
}

function refined(node: YamlNode, options: FieldOptions): YamlNode {
  const delimiter = options?.delimiter ?? "";
  if (delimiter === "") return node;
  if (node.kind !== "scalar") throw new RenderError("delimiter option can only be used with scalar nodes");
  const part = textOf(node).split(delimiter)[Number(options?.index ?? 0)];
  if (part === undefined)
    throw new RenderError(`options.index ${options?.index ?? 0} is out of bounds for value ${textOf(node)}`);
  const copy = copyNode(node);
  copy.value = part;
  return copy;
}

function applyTo(items: readonly Resource[], value: YamlNode, target: Target): void {
  const { select, reject = [] } = target;
  if (select === undefined) throw new RenderError("target must specify resources to select");
  const chosen = idPatterns(select);
  const rejected = reject.map((selector) => ({ selector, patterns: idPatterns(selector) }));
  const paths = target.fieldPaths === undefined || target.fieldPaths.length === 0 ? [defaultPath] : target.fieldPaths;
  for (const item of items) {
    if (!isChosenByLabels(item, select) || reject.some((selector) => isRejectedByLabels(item, selector))) continue;
    const ids = idsOf(item);
    const matches = (patterns: typeof chosen, id: ObjectId): boolean =>
      patterns.matchesGvk(id) && patterns.matchesName(id.name) && patterns.matchesNamespace(id.namespace);
    const isRejected = rejected.some(
      ({ selector, patterns }) => namesAnything(selector) && ids.some((id) => matches(patterns, id)),
    );
    if (isRejected || !ids.some((id) => matches(chosen, id))) continue;
    for (const path of paths) copyInto(item.root!, value, path, target.options);
  }
}

type SelectorEntry = NonNullable<Target["select"]>;

const isRejectedByLabels = (item: Resource, selector: SelectorEntry): boolean =>
  Boolean(selector.annotationSelector || selector.labelSelector) && isChosenByLabels(item, selector);

const namesAnything = ({ group, version, kind, name, namespace }: SelectorEntry): boolean =>
  Boolean(group || version || kind || name || namespace);

function copyInto(root: YamlNode, value: YamlNode, path: string, options: FieldOptions): void {
  const create = options?.create === true ? value.kind : undefined;
  if (setInsideText(root, value, path, create)) return;
  const problem = `unable to find ${create === undefined ? "" : "or create "}field "${path}" in replacement target`;
  const fields = during(problem, () => matchFields(root, smartPath(path), create));
  if (fields.length === 0) throw new RenderError(problem);
  for (const field of fields) setValue(field, value, options);
}

/** A scalar takes the text alone and keeps its type and style; anything else is replaced. */
function setValue(field: YamlNode, value: YamlNode, options: FieldOptions): void {
  const copy = copyNode(value);
  const delimiter = options?.delimiter ?? "";
  if (delimiter !== "") {
    if (field.kind !== "scalar") throw new RenderError("delimiter option can only be used with scalar nodes");
    copy.value = spliced(field.value.split(delimiter), textOf(copy), Number(options?.index ?? 0)).join(delimiter);
  }
  if (field.kind === "scalar") field.value = copy.value;
  else overwriteNode(field, copy);
}

function spliced(parts: readonly string[], value: string, index: number): readonly string[] {
  if (index < 0) return [value, ...parts];
  return index >= parts.length ? [...parts, value] : parts.with(index, value);
}
