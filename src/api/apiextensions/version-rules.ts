/**
 * Schema, subresources, columns and selectable fields of the versions. What all versions have alike is told once, under the
 * fields that an old version of this API had for it. Upstream: apiextensions/v1/conversion.go, validation/validation.go.
 */
import { deepEqual } from "#api/apply/typed.ts";
import type { FieldError } from "#api/field-error.ts";
import type { V1CustomResourceDefinitionVersion } from "#api/generated/types.ts";
import { forbidden, invalid, raw } from "#api/validation/field-errors.ts";
import { defaultErrors } from "./default-rules.ts";
import { columnErrors, selectableErrors, subresourceErrors } from "./field-rules.ts";
import type { JsonSchema } from "./json-schema.ts";
import { isKnownFormat } from "./formats.ts";
import { schemaErrors } from "./schema-rules.ts";
import { structuralErrors, unstructured } from "./structural-rules.ts";

type Version = V1CustomResourceDefinitionVersion;

/** `old`: the versions that an update finds. */
export function versionFieldsErrors(versions: readonly Version[], old: readonly Version[] = []): FieldError[] {
  const errors: FieldError[] = [];
  const each = (
    part: keyof Version,
    shared: string,
    own: string,
    check: (version: Version, path: string, isShared: boolean) => FieldError[],
  ) => {
    const [first] = versions;
    if (first === undefined) return;
    const isShared = versions.every((version) => deepEqual(version[part] ?? null, first[part] ?? null));
    if (isShared) errors.push(...check(first, `spec.${shared}`, true));
    else
      for (const [index, version] of versions.entries())
        errors.push(...check(version, `spec.versions[${index}].${own}`, false));
  };
  each("schema", "validation", "schema", (version, path, isShared) => {
    const schema = schemaOf(version);
    if (schema === undefined || Object.keys(schema).length === 0) return [];
    const those = isShared ? versions : [version];
    const before = old.find(({ name }) => name === version.name);
    const isOld = before !== undefined && deepEqual(schemaOf(before) ?? null, schema);
    const hasStatus = those.some(({ subresources }) => subresources?.status !== undefined);
    return wholeErrors(schema, path, { hasStatus, isOld });
  });
  each("subresources", "subresources", "subresources", (version, path) =>
    subresourceErrors(version.subresources ?? {}, path),
  );
  each("additionalPrinterColumns", "additionalPrinterColumns", "additionalPrinterColumns", (version, path) =>
    columnErrors(version.additionalPrinterColumns ?? [], path),
  );
  each("selectableFields", "selectableFields", "selectableFields", (version, path, isShared) => {
    const { selectableFields = [] } = version;
    const schema = schemaOf(version);
    if (selectableFields.length === 0) return [];
    if (schema !== undefined) return selectableErrors(selectableFields, schema, path);
    // Upstream's words.
    const text = isShared
      ? "may only be set when validations.schema is included"
      : "may only be set when `version.schema.openAPIV3Schema` is not included";
    return [invalid(path, "", text)];
  });
  return errors;
}

const schemaOf = ({ schema }: Version): JsonSchema | undefined => schema?.openAPIV3Schema as JsonSchema | undefined;

function wholeErrors(
  schema: JsonSchema,
  path: string,
  { hasStatus, isOld }: { hasStatus: boolean; isOld: boolean },
): FieldError[] {
  const at = `${path}.openAPIV3Schema`;
  const errors = hasStatus ? statusRootErrors(schema, at) : [];
  if (schema.nullable === true) errors.push(forbidden(`${at}.nullable`, "nullable cannot be true at the root"));
  const refusal = unstructured(schema);
  if (refusal !== undefined) {
    // What cannot be structured is refused by name below, mostly.
    const named = [...errors, ...schemaErrors(schema, at, false)];
    return named.length > 0 ? named : [invalid(at, "", refusal)];
  }
  const structural = structuralErrors(schema, at);
  const understood = structural.length > 0 ? structural : defaultErrors(schema, at);
  return [...errors, ...understood, ...schemaErrors(schema, at, understood.length === 0, isOld)];
}

/** Names of Go fields, as the error shows them, and their JSON names. */
const rootFields: readonly (readonly [string, string])[] = [
  ["Description", "description"],
  ["Type", "type"],
  ["Format", "format"],
  ["Title", "title"],
  ["Maximum", "maximum"],
  ["ExclusiveMaximum", "exclusiveMaximum"],
  ["Minimum", "minimum"],
  ["ExclusiveMinimum", "exclusiveMinimum"],
  ["MaxLength", "maxLength"],
  ["MinLength", "minLength"],
  ["Pattern", "pattern"],
  ["MaxItems", "maxItems"],
  ["MinItems", "minItems"],
  ["UniqueItems", "uniqueItems"],
  ["MultipleOf", "multipleOf"],
  ["Required", "required"],
  ["Items", "items"],
  ["Properties", "properties"],
  ["ExternalDocs", "externalDocs"],
  ["Example", "example"],
  ["XPreserveUnknownFields", "x-kubernetes-preserve-unknown-fields"],
  ["XValidations", "x-kubernetes-validations"],
];
const rootNames = new Set(rootFields.map(([, name]) => name));
const rootText = rootFields.map(([name]) => name).join(" ");

/** The status endpoint reads the schema's root field by field. */
function statusRootErrors(schema: JsonSchema, path: string): FieldError[] {
  if (schema.type !== "object" && schema.type !== undefined && schema.type !== "") {
    const text = `only "object" is allowed as the type at the root of the schema if the status subresource is enabled`;
    return [invalid(`${path}.type`, schema.type, text)];
  }
  const isSet = (value: unknown) => value !== undefined && value !== null && value !== false && value !== "";
  const isForeign = Object.entries(schema).some(([name, value]) => isSet(value) && !rootNames.has(name));
  const text = `only [${rootText}] fields are allowed at the root of the schema if the status subresource is enabled`;
  return isForeign ? [invalid(path, raw("{}"), text)] : [];
}

/** Formats that no string is checked against. */
export const formatWarnings = (versions: readonly Version[]): string[] =>
  [...new Set(versions.flatMap(({ schema }) => unknownFormats(schema?.openAPIV3Schema as JsonSchema | undefined)))].map(
    (format) => `unrecognized format "${format}"`,
  );

function unknownFormats(schema: JsonSchema | undefined): string[] {
  if (schema === undefined) return [];
  const { type, format = "", properties = {}, items, additionalProperties } = schema;
  const own = type === "string" && format !== "" && !isKnownFormat(format) ? [format] : [];
  const inner = [
    ...Object.values(properties),
    ...(items !== undefined && !Array.isArray(items) ? [items] : []),
    ...(typeof additionalProperties === "object" ? [additionalProperties] : []),
  ];
  return [...own, ...inner.flatMap(unknownFormats)];
}
