/**
 * The forms in which objects are shown: as they are (in the version asked for), as rows of a Table, as metadata only.
 * Upstream: apiserver/pkg/endpoints/handlers/response.go, registry/rest/table.go.
 */
import type { KubernetesObject, ObjectMeta } from "#api/object.ts";
import { defaultColumns } from "#api/columns.ts";
import { goQuote } from "#api/go-text.ts";
import { badRequest } from "#api/status-catalogue.ts";
import type { Column, ResourceDefinition } from "#api/resource.ts";
import { type Bytes, type ObjectAnswer, objectAnswer, oneBytes } from "#apiserver/answer.ts";
import type { Entry } from "#apiserver/cache/entry.ts";
import type { ServedResource } from "#apiserver/catalogue.ts";
import type { Form } from "#apiserver/http/negotiate.ts";
import { Pieces, pieceBytesMax, spareOf } from "./pieces.ts";

export interface ViewRequest {
  readonly resource: ServedResource;
  readonly form: Form;
  readonly now: number;
  /** The query's includeObject, for Tables. */
  readonly includeObject: string | undefined;
  /** Of a form that is not the resource's own: a Scale. */
  readonly columns?: readonly Column<KubernetesObject>[];
}

export interface ListMeta {
  resourceVersion: string;
  continue?: string;
  remainingItemCount?: number;
}

/** One object of the cache. Plain JSON of the stored version is sent as the bytes that are there. */
export function viewEntry(view: ViewRequest, entry: Entry, code = 200): ObjectAnswer {
  if (view.form.as === "object" && view.resource.conversion === undefined)
    return { type: "object", code, bytes: oneBytes(entry.bytes), object: () => entry.object };
  return viewObject(view, entry.object, code);
}

/** One object in its stored version. */
export function viewObject(view: ViewRequest, stored: KubernetesObject, code = 200): ObjectAnswer {
  return objectAnswer(formed(view, stored, { withColumns: true }), code);
}

export function formed(view: ViewRequest, stored: KubernetesObject, table: { withColumns: boolean }): unknown {
  switch (view.form.as) {
    case "Table":
      return tableOf(view, [stored], { resourceVersion: stored.metadata.resourceVersion ?? "" }, table.withColumns);
    case "PartialObjectMetadata":
    case "PartialObjectMetadataList":
      return partialOf(view.resource, stored, view.form.version);
    default:
      return converted(view.resource, stored);
  }
}

export function converted(resource: ServedResource, stored: KubernetesObject): KubernetesObject {
  return resource.conversion === undefined ? stored : resource.conversion.fromStored(stored);
}

/** A list. Items of built-in kinds carry no kind and apiVersion of their own; those of custom kinds do. */
export function viewList(view: ViewRequest, entries: readonly Entry[], meta: ListMeta): ObjectAnswer {
  const { resource, form } = view;
  switch (form.as) {
    case "Table": {
      const objects = () => entries.map((entry) => entry.object);
      const table = () => tableOf(view, objects(), meta, true);
      if (!["", "Metadata", undefined].includes(view.includeObject)) return objectAnswer(table());
      return { type: "object", code: 200, object: table, bytes: tableBytes(view, entries, meta) };
    }
    case "PartialObjectMetadata":
    case "PartialObjectMetadataList": {
      const head = { kind: "PartialObjectMetadataList", apiVersion: `meta.k8s.io/${form.version}`, metadata: meta };
      if (entries.length === 0) return objectAnswer({ ...head, items: null });
      const object = () => ({ ...head, items: entries.map((one) => partialOf(resource, one.object, form.version)) });
      return { type: "object", code: 200, object, bytes: partialListBytes(view, head, entries) };
    }
    default:
      break;
  }
  const kind = resource.custom?.listKind ?? `${resource.kind}List`;
  const head = { kind, apiVersion: resource.apiVersion, metadata: listMeta(resource, meta) };
  const object = () => ({ ...head, items: entries.map((entry) => converted(resource, entry.object)) });
  if (resource.conversion !== undefined) return { type: "object", code: 200, object: () => withoutTypes(object()) };
  return { type: "object", code: 200, object, bytes: listBytes(resource, head, entries) };
}

/** Lists of custom objects are made without Go structs: what is empty shows. */
const listMeta = ({ custom }: ServedResource, meta: ListMeta): ListMeta =>
  custom === undefined ? meta : { ...meta, continue: meta.continue ?? "" };

/** The items' bytes as they are, without the fields that lists leave out; made while they are sent. */
function listBytes(resource: ServedResource, head: object, entries: readonly Entry[]): Bytes {
  const skipped =
    resource.custom === undefined
      ? Buffer.byteLength(`{"kind":"${resource.kind}","apiVersion":"${resource.apiVersion}",`)
      : 1;
  const start = Buffer.from(`${JSON.stringify(head).slice(0, -1)},"items":[`);
  const commas = Math.max(0, entries.length - 1);
  const itemBytes = entries.reduce((sum, entry) => sum + entry.byteLength - skipped + 1, commas);
  const byteLength = start.byteLength + itemBytes + listEnd.length;
  const spare: Buffer[] = [];
  return {
    byteLength,
    [Symbol.iterator]: () => listPieces(start, entries, skipped, new Pieces(byteLength, spare)),
    recycle(piece) {
      const memory = spareOf(piece);
      if (memory !== undefined) spare.push(memory);
    },
  };
}

const listEnd = "]}\n";

function* listPieces(start: Buffer, entries: readonly Entry[], skipped: number, pieces: Pieces) {
  pieces.bytes(start);
  let isFirst = true;
  for (const entry of entries) {
    pieces.text(isFirst ? "{" : ",{");
    isFirst = false;
    pieces.copy(entry, skipped);
    for (const piece of pieces.take()) yield piece;
  }
  pieces.text(listEnd);
  for (const piece of pieces.finish()) yield piece;
}

function withoutTypes(list: { items: KubernetesObject[] }) {
  const bare = (item: KubernetesObject) =>
    Object.fromEntries(Object.entries(item).filter(([name]) => name !== "kind" && name !== "apiVersion"));
  return { ...list, items: list.items.map(bare) };
}

function partialOf({ definition }: ServedResource, { metadata }: KubernetesObject, version: string) {
  const shown = definition.hiddenAnnotations === undefined ? metadata : withoutHidden(definition, metadata);
  return { kind: "PartialObjectMetadata", apiVersion: `meta.k8s.io/${version}`, metadata: shown };
}

function withoutHidden({ hiddenAnnotations = [] }: ResourceDefinition, metadata: ObjectMeta): ObjectMeta {
  const { annotations, ...rest } = metadata;
  const shown = Object.entries(annotations ?? {}).filter(([name]) => !hiddenAnnotations.includes(name));
  return shown.length === 0 ? rest : { ...rest, annotations: Object.fromEntries(shown) };
}

function tableOf(view: ViewRequest, objects: readonly KubernetesObject[], meta: ListMeta, withColumns: boolean) {
  const { resource, form, includeObject = "Metadata" } = view;
  const columns = columnsOf(view);
  const rows = objects.map((object) => ({
    ...rowOf(view, columns, object),
    object: rowObject(resource, object, includeObject, form.version),
  }));
  return { ...tableHead(view, columns, meta, withColumns), rows };
}

type Columns = readonly Column<KubernetesObject>[];

function columnsOf({ resource, columns }: ViewRequest): Columns {
  return (columns ??
    resource.custom?.columnsOf(resource.version) ??
    resource.definition.columns ??
    defaultColumns) as Columns;
}

function tableHead({ form }: ViewRequest, columns: Columns, meta: ListMeta, withColumns: boolean) {
  return {
    kind: "Table",
    apiVersion: `meta.k8s.io/${form.version}`,
    metadata: meta,
    columnDefinitions: withColumns ? columns.filter((one) => one.isUndescribed !== true).map(columnDefinition) : null,
  };
}

function rowOf({ resource, now }: ViewRequest, columns: Columns, object: KubernetesObject) {
  const conditions = resource.definition.rowConditions?.(object) ?? [];
  const cells = columns.map((column) => column.value(object, now) ?? null);
  return conditions.length === 0 ? { cells } : { cells, conditions };
}

/** A Table whose rows have their objects' metadata as the bytes that are there. */
function tableBytes(view: ViewRequest, entries: readonly Entry[], meta: ListMeta): Bytes {
  const columns = columnsOf(view);
  return joined({ ...tableHead(view, columns, meta, true), rows: [] }, entries, (pieces, entry) => {
    pieces.bytes(Buffer.from(`${JSON.stringify(rowOf(view, columns, entry.object)).slice(0, -1)},"object":`));
    partialBytes(pieces, view, entry);
    pieces.text("}");
  });
}

function partialListBytes(view: ViewRequest, head: object, entries: readonly Entry[]): Bytes {
  return joined({ ...head, items: [] }, entries, (pieces, entry) => partialBytes(pieces, view, entry));
}

/** The bytes of an object whose last field is a list, with what is written for each entry in the list. */
function joined(head: object, entries: readonly Entry[], write: (pieces: Pieces, entry: Entry) => void): Bytes {
  const pieces = new Pieces(pieceBytesMax);
  pieces.bytes(Buffer.from(JSON.stringify(head).slice(0, -"]}".length)));
  for (const [at, entry] of entries.entries()) {
    if (at > 0) pieces.text(",");
    write(pieces, entry);
  }
  pieces.text(listEnd);
  const all = pieces.finish();
  return { byteLength: all.reduce((sum, piece) => sum + piece.byteLength, 0), [Symbol.iterator]: () => all.values() };
}

function partialBytes(pieces: Pieces, { resource, form }: ViewRequest, entry: Entry): void {
  if (resource.definition.hiddenAnnotations !== undefined)
    return pieces.bytes(Buffer.from(JSON.stringify(partialOf(resource, entry.object, form.version))));
  pieces.text(`{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/${form.version}","metadata":`);
  pieces.bytes(entry.metadataBytes());
  pieces.text("}");
}

function rowObject(resource: ServedResource, object: KubernetesObject, include: string, version: string): unknown {
  switch (include) {
    case "None":
      return null;
    case "Object":
      return converted(resource, object);
    case "":
    case "Metadata":
      return partialOf(resource, object, version);
    default: {
      const fault = `includeObject: Invalid value: ${goQuote(include)}: must be 'Metadata', 'Object', 'None', or empty`;
      throw badRequest(`Unable to convert to Table as requested: ${fault}`);
    }
  }
}

function columnDefinition({ name, type, format = "", description = "", priority = 0 }: Column<never>) {
  return { name, type, format, description, priority };
}

/** Refuses a bad includeObject before anything is streamed. */
export function checkIncludeObject({ form, includeObject }: ViewRequest): void {
  if (form.as === "Table" && includeObject !== undefined && !["", "None", "Metadata", "Object"].includes(includeObject))
    rowObject(undefined as never, undefined as never, includeObject, form.version);
}
