/**
 * Objects inside of custom objects (x-kubernetes-embedded-resource): their metadata has the form that all metadata has.
 * Upstream: apiextensions-apiserver/pkg/apiserver/schema/objectmeta.
 */
import { conform, ConformError } from "#api/decode/conform.ts";
import { parseGroupVersion } from "#api/decode/decode.ts";
import type { FieldError } from "#api/field-error.ts";
import { goJson } from "#api/go-text.ts";
import type { ObjectMeta } from "#api/object.ts";
import { builtInType } from "#api/schema/built-in.ts";
import { omitEmpties } from "#api/schema/empties.ts";
import { invalid, required } from "#api/validation/field-errors.ts";
import { isDns1035Label } from "#api/validation/names.ts";
import { objectMetaErrors } from "#api/validation/object-meta.ts";
import type { JsonSchema } from "./json-schema.ts";
import { markedSomewhere } from "./schema-mark.ts";
import { applyDefaults } from "./prune.ts";

type JsonObject = Record<string, unknown>;
type Visit = (resource: JsonObject, path: string) => void;

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Number);
const child = (path: string, name: string): string => (path === "" ? name : `${path}.${name}`);
const keyed = (path: string, name: string): string => `${path}[${name}]`;

/** Every embedded object below a value, outer ones first. */
function visitEmbedded(value: unknown, schema: JsonSchema | undefined, path: string, visit: Visit): void {
  if (schema === undefined) return;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) visitEmbedded(item, schema.items, `${path}[${index}]`, visit);
    return;
  }
  if (!isObject(value)) return;
  if (schema["x-kubernetes-embedded-resource"] === true) visit(value, path);
  const { properties = {}, additionalProperties } = schema;
  for (const [name, inner] of Object.entries(value)) {
    if (Object.hasOwn(properties, name)) visitEmbedded(inner, properties[name], child(path, name), visit);
    else if (typeof additionalProperties === "object")
      visitEmbedded(inner, additionalProperties, keyed(path, name), visit);
  }
}

/** Gives embedded metadata their form, in place; the paths of what that drops. Throws ConformError. */
export function shapeEmbedded(value: unknown, schema: JsonSchema | undefined): string[] {
  const gone: string[] = [];
  visitEmbedded(value, schema, "", (resource, path) => {
    const { metadata } = resource;
    if (metadata === undefined) return;
    const at = child(path, "metadata");
    resource["metadata"] = shapeMetadata(metadata, at, gone);
  });
  return gone;
}

/**
 * Puts in what a schema gives by default. Embedded metadata have their form afterwards whatever the defaults hold: what is
 * not in it goes, and with `mayDrop` (what was stored under another schema) a field that cannot be read goes too.
 */
export function applyCustomDefaults(
  value: unknown,
  schema: JsonSchema | undefined,
  { mayDrop }: { mayDrop: boolean } = { mayDrop: false },
): void {
  applyDefaults(value, schema);
  if (schema === undefined || !holdsEmbedded(schema)) return;
  visitEmbedded(value, schema, "", (resource, path) => {
    const { metadata } = resource;
    if (metadata === undefined) return;
    resource["metadata"] = shapeMetadata(mayDrop ? readable(metadata) : metadata, child(path, "metadata"), []);
  });
}

const holdsEmbedded = markedSomewhere((schema) => schema["x-kubernetes-embedded-resource"] === true);

/** The fields of metadata that have the type that they should. */
function readable(metadata: unknown): JsonObject {
  const meta = builtInType("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
  const isReadable = ([name, value]: [string, unknown]): boolean => {
    try {
      conform({ [name]: value }, meta);
      return true;
    } catch (error) {
      if (error instanceof ConformError) return false;
      throw error;
    }
  };
  return isObject(metadata) ? Object.fromEntries(Object.entries(metadata).filter(isReadable)) : {};
}

/** "name" of `unknown field "name"`. */
const quotedName = (text: string): string => text.slice(text.indexOf('"') + 1, -1);

function shapeMetadata(metadata: unknown, path: string, gone: string[]): unknown {
  try {
    const meta = builtInType("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
    const { object, strictErrors, holdsEmpties } = conform(metadata, meta);
    if (holdsEmpties) omitEmpties(object, meta);
    for (const text of strictErrors) gone.push(child(path, quotedName(text)));
    return object;
  } catch (error) {
    if (!(error instanceof ConformError)) throw error;
    throw new ConformError(`${path}: Invalid value: ${goJson(metadata)}: ${error.message}`);
  }
}

/** Faults of what embedded objects say of themselves. */
export function embeddedErrors(value: unknown, schema: JsonSchema | undefined, path = ""): FieldError[] {
  const errors: FieldError[] = [];
  visitEmbedded(value, schema, path, (resource, at) => errors.push(...resourceErrors(resource, at)));
  return errors;
}

function resourceErrors({ apiVersion, kind, metadata }: JsonObject, path: string): FieldError[] {
  const errors = [...apiVersionErrors(apiVersion, child(path, "apiVersion")), ...kindErrors(kind, child(path, "kind"))];
  if (!isObject(metadata)) return errors;
  const meta = { name: "fakename", ...(metadata as ObjectMeta) };
  const faults = objectMetaErrors(meta, {
    namespaced: meta.namespace !== undefined && meta.namespace !== "",
    nameRule: pathSegmentFaults,
    builtIn: false,
  });
  return [...errors, ...faults.map((fault) => ({ ...fault, field: child(path, fault.field) }))];
}

function apiVersionErrors(apiVersion: unknown, path: string): FieldError[] {
  if (apiVersion === undefined) return [required(path)];
  if (typeof apiVersion !== "string") return [invalid(path, apiVersion, "must be a string")];
  if (apiVersion === "") return [invalid(path, apiVersion, "must not be empty")];
  try {
    parseGroupVersion(apiVersion);
    return [];
  } catch (error) {
    return [invalid(path, apiVersion, (error as Error).message)];
  }
}

function kindErrors(kind: unknown, path: string): FieldError[] {
  if (kind === undefined) return [required(path)];
  if (typeof kind !== "string") return [invalid(path, kind, "must be a string")];
  if (kind === "") return [invalid(path, kind, "must not be empty")];
  const faults = isDns1035Label(kind.toLowerCase());
  const text = `may have mixed case, but should otherwise match: ${faults.join(",")}`;
  return faults.length === 0 ? [] : [invalid(path, kind, text)];
}

/** Upstream: path.ValidatePathSegmentName. */
function pathSegmentFaults(name: string): string[] {
  if (name === "." || name === "..") return [`may not be '${name}'`];
  return ["/", "%"].filter((part) => name.includes(part)).map((part) => `may not contain '${part}'`);
}
