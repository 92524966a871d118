/** Puts a prefix before or a suffix behind names; CustomResourceDefinitions, APIServices and Namespaces keep theirs. */
import { type FieldSpec, visitFieldSpec } from "#git/render/field-spec.ts";
import { type Gvk, isGvkSelected } from "#git/render/gvk.ts";
import type { Resource } from "#git/render/resource.ts";
import { setScalar } from "#git/render/yaml/fields.ts";
import { newScalar } from "#git/render/yaml/yaml-node.ts";
import type { Transform } from "./transformer.ts";

const keptNames: readonly Partial<Gvk>[] = [
  { kind: "CustomResourceDefinition" },
  { group: "apiregistration.k8s.io", kind: "APIService" },
  { kind: "Namespace" },
];

export const prefixTransform = (prefix: string, fieldSpecs: readonly FieldSpec[]): Transform =>
  affixTransform(prefix, "", fieldSpecs);

export const suffixTransform = (suffix: string, fieldSpecs: readonly FieldSpec[]): Transform =>
  affixTransform("", suffix, fieldSpecs);

function affixTransform(prefix: string, suffix: string, fieldSpecs: readonly FieldSpec[]): Transform {
  return (list) => {
    for (const item of list.items) {
      const { originalId } = item;
      if (keptNames.some((kept) => isGvkSelected(originalId, kept))) continue;
      for (const spec of fieldSpecs) if (isGvkSelected(originalId, spec)) applyAffix(item, spec, prefix, suffix);
    }
  };
}

function applyAffix(item: Resource, spec: FieldSpec, prefix: string, suffix: string): void {
  if (spec.path === "metadata/name" && (prefix !== "" || suffix !== "")) {
    item.addPrefix(prefix);
    item.addSuffix(suffix);
    item.storePreviousId();
  }
  visitFieldSpec(item.root!, spec, {
    set: (node) => setScalar(node, newScalar(`${prefix}${node.value}${suffix}`)),
    createKind: "scalar",
    createTag: "!!str",
  });
}
