/** The rules of storage capacities. Upstream: ValidateCSIStorageCapacity, ValidateCSIStorageCapacityUpdate. */
import type { V1CSIStorageCapacity } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { labelSelectorErrors } from "#api/label-selector.ts";
import { canonicalQuantity, toQuantity } from "#api/quantity.ts";
import { invalid } from "#api/validation/field-errors.ts";
import { dnsSubdomain, immutable, negativeError } from "#api/validation/values.ts";

export function storageCapacityErrors(
  { nodeTopology, storageClassName = "", capacity }: V1CSIStorageCapacity,
  old: V1CSIStorageCapacity | undefined,
): FieldError[] {
  return [
    ...(nodeTopology === undefined ? [] : labelSelectorErrors(nodeTopology, "nodeTopology")),
    ...dnsSubdomain("storageClassName", storageClassName),
    ...amountErrors("capacity", capacity),
    ...(old === undefined
      ? []
      : [
          ...immutable("nodeTopology", nodeTopology, old.nodeTopology),
          ...immutable("storageClassName", storageClassName, old.storageClassName),
        ]),
  ];
}

const amountErrors = (field: string, amount: string | undefined): FieldError[] =>
  amount !== undefined && toQuantity(amount).nanos < 0n
    ? [invalid(field, canonicalQuantity(amount), negativeError)]
    : [];
