/** The objects of a kustomization in the order they were added; no two of them may be the same object. */
import { idKey, idText, type ObjectId } from "./gvk.ts";
import { RenderError } from "./render-error.ts";
import type { Resource } from "./resource.ts";
import { originAnnotation } from "./resource.ts";
import { fieldOf, setField, stringMapOf } from "./yaml/fields.ts";
import { setDataField } from "./data-fields.ts";
import type { YamlNode } from "./yaml/yaml-node.ts";

export class ResourceList {
  items: Resource[] = [];

  static of(items: readonly Resource[]): ResourceList {
    const list = new ResourceList();
    list.append(items);
    return list;
  }

  append(added: readonly Resource[]): void {
    const known = new Set(this.items.map((item) => idKey(item.id)));
    for (const item of added) {
      const key = idKey(item.id);
      if (known.has(key))
        throw new RenderError(`may not add resource with an already registered id: ${idText(item.id)}`);
      known.add(key);
    }
    this.items.push(...added);
  }

  /** Adds generated objects; one with behaviour merge or replace goes into the object of that id. */
  absorb(added: readonly Resource[]): void {
    for (const item of added) this.#absorbOne(item);
  }

  #absorbOne(item: Resource): void {
    const { id, behavior } = item;
    const matches = this.withAnyId(id);
    if (matches.length > 1) throw new RenderError(`found multiple objects that could accept merge of ${idText(id)}`);
    const old = matches[0];
    if (old === undefined) {
      if (behavior === "merge" || behavior === "replace")
        throw new RenderError(`id ${idText(id)} does not exist; cannot merge or replace`);
      this.append([item]);
      return;
    }
    if (behavior === "merge") mergeGenerated(item, old);
    else if (behavior === "replace") item.inheritMetadata(old);
    else
      throw new RenderError(
        `id ${idText(id)} exists; can not use behavior: '${behavior}', behavior must be merge or replace`,
      );
    this.#replace(item, old);
  }

  #replace(item: Resource, old: Resource): void {
    const key = idKey(item.id);
    const places = this.items.flatMap((other, index) => (idKey(other.id) === key ? [index] : []));
    if (places.length > 1) throw new RenderError(`in Replace: id matched ${places.length} resources`);
    const place = places[0];
    if (place === undefined) throw new RenderError(`cannot find resource with id ${idText(item.id)} to replace`);
    if (this.items[place] !== old) throw new RenderError("unexpected target index in replacement");
    this.items[place] = item;
  }

  withCurrentId(id: ObjectId): Resource[] {
    const key = idKey(id);
    return this.items.filter((item) => idKey(item.id) === key);
  }

  withAnyId(id: ObjectId): Resource[] {
    const key = idKey(id);
    return this.whereAnyId((other) => idKey(other) === key);
  }

  whereAnyId(matches: (id: ObjectId) => boolean): Resource[] {
    return this.items.filter((item) => !item.isEmpty && (item.previousIds.some(matches) || matches(item.id)));
  }

  dropEmpty(): void {
    this.items = this.items.filter((item) => !item.isEmpty);
  }
}

function mergeGenerated(item: Resource, old: Resource): void {
  const origin = old.annotations.get(originAnnotation);
  item.inheritMetadata(old);
  for (const field of ["data", "binaryData"] as const) mergeDataField(item.root!, old.root!, field);
  if (origin !== undefined) item.setAnnotations(new Map([...item.annotations, [originAnnotation, origin]]));
}

/** The values of both, the item's winning; the field is rewritten as strings. */
function mergeDataField(item: YamlNode, old: YamlNode, field: "data" | "binaryData"): void {
  const merged = new Map([...stringMapOf(fieldOf(old, field)), ...stringMapOf(fieldOf(item, field))]);
  setField(item, field, undefined);
  setDataField(item, field, merged);
}
