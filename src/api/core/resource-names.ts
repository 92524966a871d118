/** Names of resources: which are native, extended, huge pages, whole numbers. Upstream: pkg/apis/core/helper/helpers.go. */
import type { FieldError } from "#api/field-error.ts";
import { canonicalQuantity, toQuantity } from "#api/quantity.ts";
import { invalid, invalidEach } from "#api/validation/field-errors.ts";
import { isQualifiedName } from "#api/validation/names.ts";
import { negativeError } from "#api/validation/values.ts";

const standard = new Set([
  "cpu",
  "memory",
  "ephemeral-storage",
  "requests.cpu",
  "requests.memory",
  "requests.ephemeral-storage",
  "limits.cpu",
  "limits.memory",
  "limits.ephemeral-storage",
  "pods",
  "resourcequotas",
  "services",
  "replicationcontrollers",
  "secrets",
  "configmaps",
  "persistentvolumeclaims",
  "storage",
  "requests.storage",
  "services.nodeports",
  "services.loadbalancers",
]);

const integers = new Set([
  "pods",
  "resourcequotas",
  "services",
  "replicationcontrollers",
  "secrets",
  "configmaps",
  "persistentvolumeclaims",
  "services.nodeports",
  "services.loadbalancers",
]);

export const isHugePages = (name: string): boolean => name.startsWith("hugepages-");
export const isStandardResource = (name: string): boolean =>
  standard.has(name) || isHugePages(name) || name.startsWith("requests.hugepages-");
/** Unprefixed, or in kubernetes.io. */
export const isNativeResource = (name: string): boolean => !name.includes("/") || name.includes("kubernetes.io/");
export const isExtendedResource = (name: string): boolean =>
  !isNativeResource(name) && !name.startsWith("requests.") && isQualifiedName(`requests.${name}`).length === 0;
/** Counted in whole numbers. */
export const isIntegerResource = (name: string): boolean => integers.has(name) || isExtendedResource(name);

/** Qualified, or one of those above. Upstream's ValidateResourceName. */
export function resourceNameErrors(name: string, path: string): FieldError[] {
  const errors = invalidEach(path, name, isQualifiedName(name));
  if (errors.length > 0 || name.includes("/") || isStandardResource(name)) return errors;
  return [invalid(path, name, "must be a standard resource type or fully qualified")];
}

const nanosPerUnit = 1_000_000_000n;

/** Upstream's ValidateResourceQuantityValue. */
export function quantityValueErrors(name: string, amount: string, path: string): FieldError[] {
  const { nanos } = toQuantity(amount);
  return [
    ...(nanos < 0n ? [invalid(path, canonicalQuantity(amount), negativeError)] : []),
    ...(isIntegerResource(name) && nanos % nanosPerUnit !== 0n ? [invalid(path, amount, "must be an integer")] : []),
  ];
}
