/** Printed columns, selectable fields and the scale subresource of a version. Upstream: apiextensions/validation/validation.go. */
import type { FieldError } from "#api/field-error.ts";
import type {
  V1CustomResourceColumnDefinition,
  V1CustomResourceSubresources,
  V1SelectableField,
} from "#api/generated/types.ts";
import { duplicate, invalid, required, tooMany } from "#api/validation/field-errors.ts";
import { type FieldPath, fieldPathIn } from "./field-path.ts";
import type { JsonSchema } from "./json-schema.ts";

const columnTypes = ["boolean", "date", "integer", "number", "string"];
const columnFormats = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
const selectableFieldsMax = 8;

export const columnErrors = (columns: readonly V1CustomResourceColumnDefinition[], path: string): FieldError[] =>
  columns.flatMap(({ name = "", type = "", format = "", jsonPath = "" }, index) => {
    const at = `${path}[${index}]`;
    return [
      ...(name === "" ? [required(`${at}.name`)] : []),
      ...(type === "" ? [required(`${at}.type`, `must be one of ${columnTypes.join(",")}`)] : []),
      ...(type !== "" && !columnTypes.includes(type)
        ? [invalid(`${at}.type`, type, `must be one of ${columnTypes.join(",")}`)]
        : []),
      ...(format !== "" && !columnFormats.includes(format)
        ? [invalid(`${at}.format`, format, `must be one of ${columnFormats.join(",")}`)]
        : []),
      ...(jsonPath === "" ? [required(`${at}.JSONPath`)] : pathErrors(`${at}.JSONPath`, jsonPath)),
    ];
  });

/** A dot first, and braces nowhere. */
function pathErrors(field: string, path: string): FieldError[] {
  return path.startsWith(".") ? [] : [invalid(field, path, "must be a simple json path starting with .")];
}

export function subresourceErrors({ scale }: V1CustomResourceSubresources, path: string): FieldError[] {
  if (scale === undefined) return [];
  const at = `${path}.scale`;
  const { specReplicasPath = "", statusReplicasPath = "", labelSelectorPath = "" } = scale;
  return [
    ...fixedPathErrors(`${at}.specReplicasPath`, specReplicasPath, [".spec."]),
    ...fixedPathErrors(`${at}.statusReplicasPath`, statusReplicasPath, [".status."]),
    ...(labelSelectorPath === ""
      ? []
      : fixedPathErrors(`${at}.labelSelectorPath`, labelSelectorPath, [".spec.", ".status."])),
  ];
}

function fixedPathErrors(field: string, path: string, roots: readonly string[]): FieldError[] {
  if (path === "") return [required(field)];
  const errors = pathErrors(field, path);
  if (errors.length > 0 || roots.some((root) => path.startsWith(root))) return errors;
  const named = roots.map((root) => root.slice(0, -1));
  const text =
    named.length === 1
      ? `should be a json path under ${named[0]}`
      : `should be a json path under either ${named.join(" or ")}`;
  return [invalid(field, path, text)];
}

export function selectableErrors(fields: readonly V1SelectableField[], schema: JsonSchema, path: string): FieldError[] {
  const seen = new Set<string>();
  const errors = fields.flatMap(({ jsonPath = "" }, index) => {
    const at = `${path}[${index}].jsonPath`;
    if (jsonPath === "") return [required(at)];
    const found = fieldPathIn(jsonPath, schema, false);
    if (typeof found === "string") return [invalid(at, jsonPath, `is an invalid path: ${found}`)];
    const own = selectableFieldErrors(found, jsonPath, at);
    if (seen.has(found.text)) own.push(duplicate(at, jsonPath));
    seen.add(found.text);
    return own;
  });
  return seen.size > selectableFieldsMax ? [...errors, tooMany(path, seen.size, selectableFieldsMax)] : errors;
}

function selectableFieldErrors({ text, schema }: FieldPath, jsonPath: string, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (/^metadata(?:[.[]|$)/.test(text)) errors.push(invalid(field, jsonPath, "must not point to fields in metadata"));
  if (!["string", "boolean", "integer"].includes(schema?.type ?? "")) {
    const allowed =
      "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.";
    errors.push(invalid(field, jsonPath, allowed));
  }
  return errors;
}
