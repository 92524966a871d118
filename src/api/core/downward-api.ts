/** References of a pod to its own fields and resources, in environment variables and volumes. */
import type { V1ObjectFieldSelector, V1ResourceFieldSelector } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { canonicalQuantity, isZeroQuantity } from "#api/quantity.ts";
import { invalid, invalidEach, notSupported, required } from "#api/validation/field-errors.ts";
import { isQualifiedName } from "#api/validation/names.ts";

export const environmentFieldPaths = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];

export const volumeFieldPaths = [
  "metadata.annotations",
  "metadata.labels",
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
];

/** What a pod's field paths may name at all; which of them is fine depends on the place. */
const convertible = new Set([
  ...environmentFieldPaths,
  ...volumeFieldPaths,
  "spec.restartPolicy",
  "spec.schedulerName",
  "status.phase",
  "spec.host",
]);

/** The parts of `field['key']`. Upstream: SplitMaybeSubscriptedPath. */
function subscript(fieldPath: string): { field: string; key: string } | undefined {
  const open = fieldPath.slice(0, -2);
  const at = open.indexOf("['");
  if (!fieldPath.endsWith("']") || at < 1) return undefined;
  return { field: open.slice(0, at), key: open.slice(at + 2) };
}

export function fieldRefErrors(
  { apiVersion = "", fieldPath = "" }: Partial<V1ObjectFieldSelector>,
  allowed: readonly string[],
  path: string,
): FieldError[] {
  if (apiVersion === "") return [required(`${path}.apiVersion`)];
  if (fieldPath === "") return [required(`${path}.fieldPath`)];
  const fault = conversionFault(apiVersion, fieldPath);
  if (fault !== undefined) return [invalid(`${path}.fieldPath`, fieldPath, `error converting fieldPath: ${fault}`)];
  const parts = subscript(fieldPath);
  if (parts !== undefined) {
    const { field, key } = parts;
    if (field === "metadata.annotations") return invalidEach(path, key, isQualifiedName(key.toLowerCase()));
    if (field === "metadata.labels") return invalidEach(path, key, isQualifiedName(key));
    return [invalid(path, field, "does not support subscript")];
  }
  const current = fieldPath === "spec.host" ? "spec.nodeName" : fieldPath;
  return allowed.includes(current) ? [] : [notSupported(`${path}.fieldPath`, current, allowed)];
}

function conversionFault(apiVersion: string, fieldPath: string): string | undefined {
  if (apiVersion !== "v1") return `unsupported pod version: ${apiVersion}`;
  const parts = subscript(fieldPath);
  if (parts !== undefined)
    return parts.field === "metadata.annotations" || parts.field === "metadata.labels"
      ? undefined
      : `field label does not support subscript: ${fieldPath}`;
  return convertible.has(fieldPath) ? undefined : `field label not supported: ${fieldPath}`;
}

const resourcePaths = [
  "limits.cpu",
  "limits.ephemeral-storage",
  "limits.memory",
  "requests.cpu",
  "requests.ephemeral-storage",
  "requests.memory",
];
const hugePages = /^(limits|requests)\.hugepages-/;
const bytesDivisors = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];

/** `inVolume`: the container must be named. */
export function resourceFieldRefErrors(
  { containerName = "", resource = "", divisor }: Partial<V1ResourceFieldSelector>,
  path: string,
  inVolume: boolean,
): FieldError[] {
  const errors: FieldError[] = [];
  if (inVolume && containerName === "") errors.push(required(`${path}.containerName`));
  else if (resource === "") errors.push(required(`${path}.resource`));
  else if (!resourcePaths.includes(resource) && !hugePages.test(resource))
    errors.push(notSupported(`${path}.resource`, resource, resourcePaths));
  return [...errors, ...divisorErrors(resource, divisor, path)];
}

function divisorErrors(resource: string, divisor: string | undefined, path: string): FieldError[] {
  if (divisor === undefined || isZeroQuantity(divisor)) return [];
  const text = canonicalQuantity(divisor);
  const name = hugePages.test(resource) ? "hugepages" : (/^(?:limits|requests)\.(.*)$/.exec(resource)?.[1] ?? "");
  const fault = (what: string) => [invalid(`${path}.divisor`, resource, `only divisor's values ${what} resource`)];
  if (name === "cpu") return text === "1" || text === "1m" ? [] : fault("1m and 1 are supported with the cpu");
  const words = { memory: "memory", "ephemeral-storage": "local ephemeral storage", hugepages: "hugepages" }[name];
  if (words === undefined || bytesDivisors.includes(text)) return [];
  return fault(`${bytesDivisors.join(", ")} are supported with the ${words}`);
}
