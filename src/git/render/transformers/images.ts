/** Changes image names, tags and digests of containers; the name in the entry is a pattern. */
import { type FieldSpec, visitFieldSpec } from "#git/render/field-spec.ts";
import { goPattern, type Pattern } from "#git/render/go-regexp.ts";
import type { ImageEntry } from "#git/render/kustomization.ts";
import type { Resource } from "#git/render/resource.ts";
import { pairsOf, requireField, requireKind, setScalar } from "#git/render/yaml/fields.ts";
import { newScalar, type YamlNode } from "#git/render/yaml/yaml-node.ts";
import type { Transform } from "./transformer.ts";

export function imageTransform(entry: ImageEntry, fieldSpecs: readonly FieldSpec[]): Transform {
  return (list) => {
    const pattern = goPattern(`^${entry.name ?? ""}(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?$`);
    const set = (node: YamlNode): void => setImage(node, entry, pattern);
    for (const item of list.items) if (item.kind !== "CustomResourceDefinition") visitContainers(item.root!, set);
    for (const item of list.items) if (item.kind !== "CustomResourceDefinition") setFields(item, fieldSpecs, set);
  };
}

function setFields(item: Resource, fieldSpecs: readonly FieldSpec[], set: (node: YamlNode) => void): void {
  for (const spec of fieldSpecs) visitFieldSpec(item.root!, spec, { set });
}

/** Every `image` in a list called containers or initContainers, wherever it stands. */
function visitContainers(node: YamlNode, set: (node: YamlNode) => void): void {
  if (node.kind === "sequence") for (const element of node.content) visitContainers(element, set);
  if (node.kind !== "mapping") return;
  for (const [key, value] of pairsOf(node)) {
    visitContainers(value, set);
    const isContainerList = key.value === "containers" || key.value === "initContainers";
    if (!isContainerList || value.kind !== "sequence") continue;
    for (const container of value.content) {
      const image = requireField(container, "image");
      if (image !== undefined) set(image);
    }
  }
}

function setImage(node: YamlNode, entry: ImageEntry, pattern: Pattern): void {
  requireKind(node, "scalar");
  if (!pattern.isFoundIn(node.value)) return;
  const image = splitImage(node.value);
  const { newName = "", newTag = "", digest = "", tagSuffix = "" } = entry;
  if (newName !== "") image.name = newName;
  if (newTag !== "" || digest !== "") Object.assign(image, { tag: newTag, digest });
  else if (tagSuffix !== "") Object.assign(image, { tag: image.tag + tagSuffix, digest: "" });
  const tagPart = image.tag === "" ? "" : `:${image.tag}`;
  const digestPart = image.digest === "" ? "" : `@${image.digest}`;
  setScalar(node, newScalar(`${image.name}${tagPart}${digestPart}`));
}

/** Takes an image apart; colons before the first slash belong to the registry. */
export function splitImage(image: string): { name: string; tag: string; digest: string } {
  const start = Math.max(image.indexOf("/"), 0);
  const at = image.indexOf("@", start);
  const colon = image.indexOf(":", start);
  if (at < 0 && colon < 0) return { name: image, tag: "", digest: "" };
  if (at >= 0 && (at < colon || colon < 0)) return { name: image.slice(0, at), tag: "", digest: image.slice(at + 1) };
  if (at >= 0) return { name: image.slice(0, colon), tag: image.slice(colon + 1, at), digest: image.slice(at + 1) };
  return { name: image.slice(0, colon), tag: image.slice(colon + 1), digest: "" };
}
