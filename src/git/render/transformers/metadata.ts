/** Adds labels or annotations at the fields their specs name. */
import { type FieldSpec, visitFieldSpec } from "#git/render/field-spec.ts";
import type { Resource } from "#git/render/resource.ts";
import { compareText, setField } from "#git/render/yaml/fields.ts";
import { newScalar, type YamlNode } from "#git/render/yaml/yaml-node.ts";
import type { Transform } from "./transformer.ts";

export function metadataTransform(pairs: ReadonlyMap<string, string>, fieldSpecs: readonly FieldSpec[]): Transform {
  const sorted = [...pairs].sort(([left], [right]) => compareText(left, right));
  return (list) => {
    for (const item of list.items) for (const [key, value] of sorted) setPair(item, key, value, fieldSpecs);
  };
}

function setPair(item: Resource, key: string, value: string, fieldSpecs: readonly FieldSpec[]): void {
  // One node for all fields of an object: a later write to one of them is seen in all, as in kustomize.
  const node = newScalar(value, "!!str");
  const set = (target: YamlNode): void => setField(target, key, node);
  for (const spec of fieldSpecs) visitFieldSpec(item.root!, spec, { set, createKind: "mapping", createTag: "!!map" });
}
