/** Sets the replica count of the objects of one name; a name that no scalable object has is refused. */
import { type FieldSpec, visitFieldSpec } from "#git/render/field-spec.ts";
import { gvkText, isGvkSelected } from "#git/render/gvk.ts";
import type { ReplicaEntry } from "#git/render/kustomization.ts";
import { RenderError } from "#git/render/render-error.ts";
import { setScalar } from "#git/render/yaml/fields.ts";
import { newScalar } from "#git/render/yaml/yaml-node.ts";
import type { Transform } from "./transformer.ts";

export function replicaTransform({ name = "", count = 0 }: ReplicaEntry, fieldSpecs: readonly FieldSpec[]): Transform {
  return (list) => {
    let isFound = false;
    for (const spec of fieldSpecs) {
      const items = list.whereAnyId((id) => id.name === name && isGvkSelected(id, spec));
      isFound ||= items.length > 0;
      for (const item of items)
        visitFieldSpec(item.root!, spec, {
          set: (node) => setScalar(node, newScalar(String(count), "!!int")),
          createKind: "scalar",
          createTag: "!!int",
        });
    }
    if (!isFound)
      throw new RenderError(
        `resource with name ${name} does not match a config with the following GVK [${fieldSpecs.map(gvkText).join(" ")}]`,
      );
  };
}
