/** Requests, limits and claims of containers and pods. Upstream: validateResourceRequirements, validatePodResources. */
import type { V1PodSpec, V1ResourceRequirements } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { canonicalQuantity, compareQuantities, quantityText, toQuantity } from "#api/quantity.ts";
import { duplicate, forbidden, invalid, invalidEach, notSupported, required } from "#api/validation/field-errors.ts";
import { isQualifiedName } from "#api/validation/names.ts";
import { podRequests } from "./pod-resources.ts";
import {
  isExtendedResource,
  isHugePages,
  isNativeResource,
  isStandardResource,
  quantityValueErrors,
} from "./resource-names.ts";

type NameRule = (name: string, path: string) => FieldError[];

export function containerResourceNameErrors(name: string, path: string): FieldError[] {
  const errors = invalidEach(path, name, isQualifiedName(name));
  if (!name.includes("/")) {
    if (errors.length === 0 && !isStandardResource(name))
      errors.push(invalid(path, name, "must be a standard resource type or fully qualified"));
    if (!isContainerResource(name)) errors.push(invalid(path, name, "must be a standard resource for containers"));
  } else if (!isNativeResource(name) && !isExtendedResource(name))
    errors.push(invalid(path, name, "doesn't follow extended resource name standard"));
  return errors;
}

const isContainerResource = (name: string) =>
  name === "cpu" || name === "memory" || name === "ephemeral-storage" || isHugePages(name);

const podLevelResources = ["cpu", "hugepages-", "memory"];

function podResourceNameErrors(name: string, path: string): FieldError[] {
  const errors = invalidEach(path, name, isQualifiedName(name));
  if (name !== "cpu" && name !== "memory" && !isHugePages(name))
    errors.push(notSupported(path, name, podLevelResources));
  return errors;
}

/** What may be promised more often than it is there. */
export const isOvercommitAllowed = (name: string) => isNativeResource(name) && !isHugePages(name);
const isCpuOrMemory = (name: string) => name === "cpu" || name === "memory";

function hugePagesErrors(name: string, amount: string, path: string): FieldError[] {
  if (!isHugePages(name)) return [];
  const size = name.slice("hugepages-".length);
  let page: bigint;
  try {
    page = toQuantity(size).nanos;
  } catch {
    return [];
  }
  const { nanos } = toQuantity(amount);
  if (page > 0n && nanos % page === 0n) return [];
  return [
    invalid(
      path,
      canonicalQuantity(amount),
      `${canonicalQuantity(amount)} is not positive integer multiple of ${size}`,
    ),
  ];
}

export function requirementsErrors(
  requirements: V1ResourceRequirements | undefined,
  claimNames: ReadonlySet<string>,
  path: string,
  nameRule: NameRule = containerResourceNameErrors,
): FieldError[] {
  if (requirements === undefined) return [];
  const { limits = {}, requests = {}, claims } = requirements;
  const errors: FieldError[] = [];
  for (const name in limits) errors.push(...amountErrors(name, limits[name]!, `${path}.limits[${name}]`, nameRule));
  for (const name in requests) {
    const amount = requests[name]!;
    const at = `${path}.requests[${name}]`;
    errors.push(...nameRule(name, at), ...quantityValueErrors(name, amount, at));
    errors.push(...requestAgainstLimit(name, amount, limits[name], path), ...hugePagesErrors(name, amount, at));
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  if (names.some(isHugePages) && !names.some(isCpuOrMemory))
    errors.push(forbidden(path, "HugePages require cpu or memory"));
  return claims === undefined ? errors : [...errors, ...claimsErrors(claims, claimNames, `${path}.claims`)];
}

const amountErrors = (name: string, amount: string, path: string, nameRule: NameRule) => [
  ...nameRule(name, path),
  ...quantityValueErrors(name, amount, path),
  ...hugePagesErrors(name, amount, path),
];

function requestAgainstLimit(name: string, request: string, limit: string | undefined, path: string): FieldError[] {
  const mayDiffer = isOvercommitAllowed(name);
  if (limit === undefined)
    return mayDiffer ? [] : [required(`${path}.limits`, "Limit must be set for non overcommitable resources")];
  const order = compareQuantities(request, limit);
  if (order === 0) return [];
  const shown = canonicalQuantity(request);
  const bound = `${name} limit of ${canonicalQuantity(limit)}`;
  if (!mayDiffer) return [invalid(`${path}.requests`, shown, `must be equal to ${bound}`)];
  return order > 0 ? [invalid(`${path}.requests`, shown, `must be less than or equal to ${bound}`)] : [];
}

function claimsErrors(
  claims: readonly { name: string; request?: string }[],
  claimNames: ReadonlySet<string>,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, { name = "", request = "" }] of claims.entries()) {
    const at = `${path}[${index}]`;
    if (name === "") {
      errors.push(required(at));
      continue;
    }
    const key = request === "" ? name : `${name}/${request}`;
    if (seen.has(key)) errors.push(duplicate(at, key));
    seen.add(key);
    if (claimNames.has(name)) continue;
    const known = claimNames.size === 0 ? " which is empty" : `: ${[...claimNames].sort().join(", ")}`;
    const detail = `must be one of the names in pod.spec.resourceClaims${known}`;
    errors.push({ field: at, type: "FieldValueNotFound", message: `Not found: "${name}": ${detail}` });
  }
  return errors;
}

/** `spec.resources`: no claims, and room for what the containers ask for. */
export function podResourcesErrors(spec: V1PodSpec, claimNames: ReadonlySet<string>, path: string): FieldError[] {
  const { resources } = spec;
  if (resources === undefined) return [];
  const errors: FieldError[] = [];
  if (resources.claims !== undefined)
    errors.push(forbidden(`${path}.claims`, "claims may not be set for Resources at pod-level"));
  errors.push(...requirementsErrors(resources, claimNames, path, podResourceNameErrors));
  const asked = podRequests(spec);
  for (const name in asked) {
    if (name !== "cpu" && name !== "memory" && !isHugePages(name)) continue;
    const given = resources.requests?.[name] ?? "0";
    if (compareQuantities(asked[name]!, given) <= 0) continue;
    const text = `must be greater than or equal to aggregate container requests of ${quantityText(asked[name]!)}`;
    errors.push(invalid(`${path}.requests[${name}]`, canonicalQuantity(given), text));
  }
  for (const [index, container] of (spec.containers ?? []).entries())
    for (const [name, limit] of Object.entries(container.resources?.limits ?? {})) {
      const bound = resources.limits?.[name];
      if (bound === undefined || compareQuantities(limit, bound) <= 0) continue;
      const text = `must be less than or equal to pod limits of ${canonicalQuantity(bound)}`;
      errors.push(invalid(`${path}.containers[${index}][${name}].limits`, canonicalQuantity(limit), text));
    }
  return errors;
}

/** `spec.overhead`. */
export function overheadErrors(overhead: Record<string, string>, path: string): FieldError[] {
  return requirementsErrors({ limits: overhead }, new Set(), path).map((error) => ({
    ...error,
    field: error.field.replace(`${path}.limits`, path),
  }));
}
