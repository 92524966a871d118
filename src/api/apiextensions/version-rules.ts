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

export function versionFieldsErrors(versions: readonly Version[]): FieldError[] {
  const errors: FieldError[] = [];
  const each = (
    part: keyof Version,
    shared: string,
    own: string,
    check: (version: Version, path: string) => FieldError[],
  ) => {
    const [first] = versions;
    if (first === undefined) return;
    const isShared = versions.every((version) => deepEqual(version[part] ?? null, first[part] ?? null));
    if (isShared) errors.push(...check(first, `spec.${shared}`));
    else
      for (const [index, version] of versions.entries())
        errors.push(...check(version, `spec.versions[${index}].${own}`));
  };
  each("schema", "validation", "schema", (version, path) => {
    const schema = version.schema?.openAPIV3Schema as JsonSchema | undefined;
    const hasStatus = version.subresources?.status !== undefined;
    return schema === undefined || Object.keys(schema).length === 0 ? [] : wholeErrors(schema, path, hasStatus);
  });
  each("additionalPrinterColumns", "additionalPrinterColumns", "additionalPrinterColumns", (version, path) =>
    columnErrors(version.additionalPrinterColumns ?? [], path),
  );
  each("subresources", "subresources", "subresources", (version, path) =>
    subresourceErrors(version.subresources ?? {}, path),
  );
  each("selectableFields", "selectableFields", "selectableFields", (version, path) =>
    selectableErrors(version.selectableFields ?? [], version.schema?.openAPIV3Schema as JsonSchema | undefined, path),
  );
  return errors;
}

function wholeErrors(schema: JsonSchema, path: string, hasStatus: boolean): FieldError[] {
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
  return [...errors, ...understood, ...schemaErrors(schema, at, understood.length === 0)];
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
