/** Orders objects for output: by kind (namespaces and definitions first, webhooks last), or as they came. */
import { gvkSortText, gvkText, isSameGvk, kindRanks, kindsFirst, kindsLast, type ObjectId } from "#git/render/gvk.ts";
import type { SortOptions } from "#git/render/kustomization.ts";
import { RenderError } from "#git/render/render-error.ts";
import { ResourceList } from "#git/render/resource-list.ts";
import { compareText } from "#git/render/yaml/fields.ts";
import type { Transform } from "./transformer.ts";

export function sortTransform({ order = "", legacySortOptions }: SortOptions): Transform {
  if (order !== "legacy" && order !== "fifo")
    throw new RenderError("the field 'sortOptions.order' must be one of [fifo, legacy]");
  if (order === "fifo") {
    if (legacySortOptions !== undefined)
      throw new RenderError(
        "the field 'sortOptions.legacySortOptions' is set but the selected sort order is 'fifo', not 'legacy'",
      );
    return () => {};
  }
  const ranks =
    legacySortOptions === undefined
      ? kindRanks(kindsFirst, kindsLast)
      : kindRanks(legacySortOptions.orderFirst ?? [], legacySortOptions.orderLast ?? []);
  return (list) => {
    const keyed = list.items.map((item) => ({ item, id: item.id }));
    keyed.sort((left, right) => compareIds(left.id, right.id, ranks));
    list.items = ResourceList.of(keyed.map(({ item }) => item)).items;
  };
}

function compareIds(left: ObjectId, right: ObjectId, ranks: ReadonlyMap<string, number>): number {
  if (isSameGvk(left, right)) return compareText(idSortText(left), idSortText(right));
  const difference = (ranks.get(left.kind) ?? 0) - (ranks.get(right.kind) ?? 0);
  if (difference !== 0) return difference;
  const compared = compareText(gvkSortText(left), gvkSortText(right));
  const areNamespaces = left.kind === "Namespace" && right.kind === "Namespace";
  return areNamespaces && (left.group === "" || right.group === "") ? -compared : compared;
}

const idSortText = (id: ObjectId): string => `${gvkText(id)}|${id.namespace || "~X"}|${id.name || "~N"}`;
