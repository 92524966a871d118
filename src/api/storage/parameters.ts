/** What classes of storage hand to their driver. Upstream: validateProvisioner, validateParameters. */
import type { FieldError } from "#api/field-error.ts";
import { invalid, invalidEach, required, tooLong } from "#api/validation/field-errors.ts";
import { isQualifiedName } from "#api/validation/names.ts";

const parametersMax = 512;
const parametersBytesMax = 256 * 1024;

/** Shown in lower case, as upstream does. */
export function provisionerErrors(provisioner: string | undefined, field: string): FieldError[] {
  const name = (provisioner ?? "").toLowerCase();
  return name === "" ? [required(field)] : invalidEach(field, name, isQualifiedName(name));
}

export function parametersErrors(
  parameters: Readonly<Record<string, string>> | undefined,
  { mayBeEmpty }: { mayBeEmpty: boolean },
): FieldError[] {
  const field = "parameters";
  const entries = Object.entries(parameters ?? {});
  if (entries.length > parametersMax) return [tooLong(field, parametersMax)];
  const errors: FieldError[] = [];
  let bytes = 0;
  for (const [key, value] of entries) {
    if (key === "") errors.push(invalid(field, key, "field can not be empty."));
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (bytes > parametersBytesMax) errors.push(tooLong(field, parametersBytesMax));
  if (!mayBeEmpty && entries.length === 0) errors.push(required(field, "must contain at least one key/value pair"));
  return errors;
}
