/** The rules of the drivers of a node. Upstream: ValidateCSINode, ValidateCSINodeUpdate. */
import { csiDriverErrors } from "#api/core/volume-sources.ts";
import type { V1CSINode, V1CSINodeDriver } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { isLongerThan } from "#api/go-text.ts";
import { duplicate, invalid, invalidEach, required } from "#api/validation/field-errors.ts";
import { isQualifiedName } from "#api/validation/names.ts";
import { immutableError, nonNegative, semanticEqual } from "#api/validation/values.ts";

const nodeIdBytesMax = 256;

/** Empty lists do not survive upstream's storage; the field is always written. After managed fields are known. */
export function nullEmptyLists({ spec }: V1CSINode): void {
  if (spec !== undefined && (spec.drivers ?? []).length === 0) (spec as { drivers: unknown }).drivers = null;
}

export function csiNodeErrors({ spec }: V1CSINode, old: V1CSINode | undefined): FieldError[] {
  const drivers = spec?.drivers ?? [];
  const names = new Set<string>();
  const errors = drivers.flatMap((driver, index) => driverErrors(driver, names, `spec.drivers[${index}]`));
  if (old === undefined) return errors;
  // Upstream looks at a changed node twice.
  return [...errors, ...errors, ...(old.spec?.drivers ?? []).flatMap((before) => changeErrors(drivers, before))];
}

/** Only what a node can hold may change; drivers come and go as a whole. */
function changeErrors(drivers: readonly V1CSINodeDriver[], old: V1CSINodeDriver): FieldError[] {
  return drivers
    .filter((now) => now.name === old.name && !semanticEqual({ ...now, allocatable: old.allocatable }, old))
    .map((now) => invalid("spec.drivers", now, immutableError));
}

function driverErrors(driver: V1CSINodeDriver, names: Set<string>, path: string): FieldError[] {
  const { name = "", nodeID = "", topologyKeys, allocatable } = driver as Partial<V1CSINodeDriver>;
  const errors = csiDriverErrors(name, `${path}.name`);
  if (nodeID === "") errors.push(required(`${path}.nodeID`));
  if (isLongerThan(nodeID, nodeIdBytesMax))
    errors.push(invalid(`${path}.nodeID`, nodeID, `must be ${nodeIdBytesMax} characters or less`));
  errors.push(...nonNegative(`${path}.allocatable.count`, allocatable?.count));
  if (names.has(name)) errors.push(duplicate(`${path}.name`, name));
  names.add(name);
  return [...errors, ...topologyKeysErrors(topologyKeys ?? [], path)];
}

const topologyKeysErrors = (keys: readonly string[], path: string): FieldError[] =>
  keys.flatMap((key, index) => [
    ...(key === "" ? [required(path)] : []),
    ...(keys.indexOf(key) < index ? [duplicate(path, key)] : []),
    ...invalidEach(path, key, isQualifiedName(key)),
  ]);
