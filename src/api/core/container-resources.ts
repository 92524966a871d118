/** Requests, limits and claims of containers and pods. Upstream: validateResourceRequirements, validatePodResources. */
import type { V1PodSpec, V1ResourceRequirements } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { canonicalQuantity, compareQuantities, quantityText, toQuantity } from "#api/quantity.ts";
import { duplicate, forbidden, invalid, invalidEach, notSupported, required } from "#api/validation/field-errors.ts";
import { isQualifiedName } from "#api/validation/names.ts";
import { dnsLabel } from "#api/validation/values.ts";
import { type Amounts, podLimits, podRequests } from "./pod-resources.ts";
import {
  isExtendedResource,
  isHugePages,
  isNativeResource,
  isStandardResource,
  quantityValueErrors,
  resourceNameErrors,
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
  const errors = resourceNameErrors(name, path);
  if (errors.length > 0 || isCpuOrMemory(name) || isHugePages(name)) return errors;
  return [notSupported(path, name, podLevelResources)];
}

/** What may be promised more often than it is there. */
export const isOvercommitAllowed = (name: string) => isNativeResource(name) && !isHugePages(name);
const isCpuOrMemory = (name: string) => name === "cpu" || name === "memory";

/** Whole pages only. */
function hugePagesErrors(name: string, amount: string, path: string): FieldError[] {
  if (!isHugePages(name)) return [];
  const page = pageNanos(name.slice("hugepages-".length));
  if (page > 0n && page % nanosPerUnit === 0n && toQuantity(amount).nanos % page === 0n) return [];
  const shown = canonicalQuantity(amount);
  return [invalid(path, shown, `${shown} is not positive integer multiple of ${name}`)];
}

const nanosPerUnit = 1_000_000_000n;

/** 0 where it is no quantity. */
function pageNanos(size: string): bigint {
  try {
    return toQuantity(size).nanos;
  } catch {
    return 0n;
  }
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
    errors.push(
      ...requestAgainstLimit(name, amount, amountOf(limits, name), path),
      ...hugePagesErrors(name, amount, at),
    );
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  if (names.some(isHugePages) && !names.some(isCpuOrMemory))
    errors.push(forbidden(path, "HugePages require cpu or memory"));
  return claims === undefined ? errors : [...errors, ...claimsErrors(claims, claimNames, `${path}.claims`)];
}

/** Names are any text here, those of an object's own parts among them: "constructor". */
const amountOf = (amounts: Record<string, string> | undefined, name: string): string | undefined =>
  amounts !== undefined && Object.hasOwn(amounts, name) ? amounts[name] : undefined;

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
  const inPart = new Set<string>();
  for (const [index, { name = "", request = "" }] of claims.entries()) {
    const at = `${path}[${index}]`;
    if (name === "") {
      errors.push(required(at));
      continue;
    }
    if (request !== "") errors.push(...dnsLabel(`${at}.request`, request));
    errors.push(...repeatedClaimErrors(seen, inPart, name, request, at));
    if (claimNames.has(name)) continue;
    const known = claimNames.size === 0 ? " which is empty" : `: ${[...claimNames].sort().join(", ")}`;
    const detail = `must be one of the names in pod.spec.resourceClaims${known}`;
    errors.push({ field: at, type: "FieldValueNotFound", message: `Not found: "${name}": ${detail}` });
  }
  return errors;
}

/**
 * A whole claim covers its requests: one name goes with the whole claim or with requests of it. Adds to `seen` and, if it
 * is a request, to the names used in part.
 */
function repeatedClaimErrors(
  seen: Set<string>,
  inPart: Set<string>,
  name: string,
  request: string,
  path: string,
): FieldError[] {
  const key = request === "" ? name : `${name}/${request}`;
  if (seen.has(name)) return [duplicate(path, name)];
  if (seen.has(key)) return [duplicate(path, key)];
  seen.add(key);
  if (request !== "") inPart.add(name);
  return request === "" && inPart.has(name) ? [duplicate(path, name)] : [];
}

/** `spec.resources`: no claims, and room for what the containers ask for. */
export function podResourcesErrors(spec: V1PodSpec, claimNames: ReadonlySet<string>, path: string): FieldError[] {
  const { resources } = spec;
  if (resources === undefined) return [];
  if (spec.os?.name === "windows") return [forbidden(path, "may not be set for a windows pod")];
  return [
    ...(resources.claims === undefined
      ? []
      : [forbidden(`${path}.claims`, "claims may not be set for Resources at pod-level")]),
    ...requirementsErrors(resources, claimNames, path, podResourceNameErrors),
    ...aggregateErrors(resources.requests, podRequests(spec), () => true, `${path}.requests`, "requests"),
    ...aggregateErrors(resources.limits, podLimits(spec), isHugePages, `${path}.limits`, "limits"),
    ...containerLimitsErrors(spec, resources, path),
  ];
}

/** What the pod has must cover what its containers have together. */
function aggregateErrors(
  given: Record<string, string> | undefined,
  asked: Amounts,
  applies: (name: string) => boolean,
  path: string,
  what: string,
): FieldError[] {
  return Object.keys(asked).flatMap((name) => {
    const own = amountOf(given, name);
    if (own === undefined || !applies(name) || compareQuantities(asked[name]!, own) <= 0) return [];
    const text = `must be greater than or equal to aggregate container ${what} of ${quantityText(asked[name]!)}`;
    return [invalid(`${path}[${name}]`, canonicalQuantity(own), text)];
  });
}

function containerLimitsErrors(
  { containers }: Partial<V1PodSpec>,
  { limits }: V1ResourceRequirements,
  path: string,
): FieldError[] {
  return (containers ?? []).flatMap(({ resources }, index) =>
    Object.entries(resources?.limits ?? {}).flatMap(([name, limit]) => {
      const bound = amountOf(limits, name);
      if (bound === undefined || compareQuantities(limit, bound) <= 0) return [];
      const text = `must be less than or equal to pod limits of ${canonicalQuantity(bound)}`;
      return [invalid(`${path}.containers[${index}][${name}].limits`, canonicalQuantity(limit), text)];
    }),
  );
}

/** `spec.overhead`. */
export const overheadErrors = (overhead: Record<string, string>, path: string): FieldError[] =>
  requirementsErrors({ limits: overhead }, new Set(), path);
