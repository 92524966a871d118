/** Relative paths inside a volume, and file modes. */
import type { FieldError } from "#api/field-error.ts";
import { invalid } from "#api/validation/field-errors.ts";

/** Upstream's validatePathNoBacksteps. */
export const noBackstepsErrors = (field: string, path: string): FieldError[] =>
  path.split("/").includes("..") ? [invalid(field, path, "must not contain '..'")] : [];

/** Upstream's validateLocalDescendingPath. */
export const descendingPathErrors = (field: string, path: string): FieldError[] => [
  ...(path.startsWith("/") ? [invalid(field, path, "must be a relative path")] : []),
  ...noBackstepsErrors(field, path),
];

/** Upstream's validateLocalNonReservedPath: names that start with ".." belong to the atomic writer. */
export function nonReservedPathErrors(field: string, path: string): FieldError[] {
  const errors = descendingPathErrors(field, path);
  if (path.startsWith("..") && !path.startsWith("../")) errors.push(invalid(field, path, "must not start with '..'"));
  return errors;
}

const modeMax = 0o777;

export const modeErrors = (field: string, mode: number | undefined): FieldError[] =>
  mode !== undefined && (mode < 0 || mode > modeMax)
    ? [invalid(field, mode, "must be a number between 0 and 0777 (octal), both inclusive")]
    : [];
