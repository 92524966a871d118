/** What a pod's status may say. Upstream: ValidatePodStatusUpdate. Its containers' part is in container-status.ts. */
import type { V1Pod, V1PodExtendedResourceClaimStatus, V1PodSpec, V1PodStatus } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { duplicate, forbidden, invalid, invalidEach, required } from "#api/validation/field-errors.ts";
import { familiesErrors, ipErrors, ipWarnings } from "#api/validation/ip.ts";
import { isDns1123Subdomain, isQualifiedName } from "#api/validation/names.ts";
import { dnsLabel, immutable } from "#api/validation/values.ts";
import { allocatedErrors, transitionErrors, userErrors } from "./container-status.ts";

export function podStatusErrors(pod: V1Pod, old: V1Pod): FieldError[] {
  const status = pod.status ?? {};
  const spec = old.spec ?? { containers: [] };
  return [
    ...conditionsErrors(status.conditions ?? [], "status.conditions"),
    ...nominationErrors(status, old),
    ...generationErrors(status.observedGeneration, "status.observedGeneration"),
    ...immutable("status.qosClass", status.qosClass ?? "", old.status?.qosClass ?? ""),
    ...transitionErrors(status, old.status ?? {}, spec),
    ...claimStatusErrors(status.resourceClaimStatuses ?? [], spec),
    ...extendedClaimErrors(status.extendedResourceClaimStatus, spec, "status.extendedResourceClaimStatus"),
    ...addressesErrors(status.podIPs ?? [], "status.podIPs"),
    ...hostAddressesErrors(status),
    ...userErrors(status, spec.os?.name),
    ...allocatedErrors(status, spec),
  ];
}

const systemConditions = new Set(["PodScheduled", "Ready", "Initialized"]);

function conditionsErrors(conditions: NonNullable<V1PodStatus["conditions"]>, path: string): FieldError[] {
  return conditions.flatMap(
    ({ type = "", observedGeneration }: { type?: string; observedGeneration?: number }, index) => [
      ...generationErrors(observedGeneration, `${path}[${index}].observedGeneration`),
      ...(systemConditions.has(type) ? [] : invalidEach(`${path}[${index}].Type`, type, isQualifiedName(type))),
    ],
  );
}

const generationErrors = (generation: number | undefined, field: string) =>
  generation !== undefined && generation < 0 ? [invalid(field, generation, "must be a non-negative integer")] : [];

/** A node is nominated until the pod is bound. */
function nominationErrors({ nominatedNodeName: name = "" }: V1PodStatus, old: V1Pod): FieldError[] {
  if (name === "" || name === (old.status?.nominatedNodeName ?? "")) return [];
  const field = "status.nominatedNodeName";
  const text = "may not be set on pods that are already bound to a node";
  return [
    ...invalidEach(field, name, isDns1123Subdomain(name)),
    ...(old.spec?.nodeName ? [forbidden(field, text)] : []),
  ];
}

function claimStatusErrors(
  statuses: readonly { name?: string; resourceClaimName?: string }[],
  spec: V1PodSpec,
): FieldError[] {
  const errors: FieldError[] = [];
  const known = new Set((spec.resourceClaims ?? []).map(({ name }) => name));
  const seen = new Set<string>();
  for (const [index, { name = "", resourceClaimName }] of statuses.entries()) {
    const at = `status.resourceClaimStatuses[${index}]`;
    const text = "must match the name of an entry in `spec.resourceClaims`";
    if (!known.has(name)) errors.push(invalid(`${at}.name`, name, text));
    if (seen.has(name)) errors.push(duplicate(`${at}.name`, name));
    seen.add(name);
    if (resourceClaimName !== undefined)
      errors.push(...invalidEach(`${at}.resourceClaimName`, resourceClaimName, isDns1123Subdomain(resourceClaimName)));
  }
  return errors;
}

/** The claim that was made for extended resources of the containers. */
function extendedClaimErrors(
  status: V1PodExtendedResourceClaimStatus | undefined,
  { containers, initContainers }: Partial<V1PodSpec>,
  path: string,
): FieldError[] {
  if (status === undefined) return [];
  const { resourceClaimName = "" } = status as Partial<V1PodExtendedResourceClaimStatus>;
  const requestMappings = status.requestMappings ?? [];
  const byName = new Map(
    [...(initContainers ?? []), ...(containers ?? [])].map((container) => [container.name, container]),
  );
  const at = `${path}.requestMappings`;
  const errors = requestMappings.length === 0 ? [required(at, "at least one request mapping is required")] : [];
  const seen = new Set<string>();
  for (const [index, { containerName = "", resourceName = "", requestName = "" }] of requestMappings.entries()) {
    const item = `${at}[${index}]`;
    const container = byName.get(containerName);
    if (container === undefined) errors.push(invalid(`${item}.containerName`, containerName, unknownContainer));
    else if (container.resources?.requests?.[resourceName] === undefined)
      errors.push(invalid(`${item}.resourceName`, resourceName, unknownResource));
    errors.push(...dnsLabel(`${path}.requestName`, requestName));
    const key = JSON.stringify([containerName, resourceName, requestName]);
    if (seen.has(key))
      errors.push(
        duplicate(`${item}.containerName`, containerName),
        duplicate(`${item}.resourceName`, resourceName),
        duplicate(`${item}.requestName`, requestName),
      );
    seen.add(key);
  }
  const field = `${path}.resourceClaimName`;
  if (resourceClaimName === "") return [...errors, required(field)];
  return [...errors, ...invalidEach(field, resourceClaimName, isDns1123Subdomain(resourceClaimName))];
}

const unknownContainer = "must match the name of an entry in spec.initContainers.name or spec.containers.name";
const unknownResource =
  "must match the extended resource name of an entry in spec.initContainers.resources.requests or spec.containers.resources.requests";

function addressesErrors(addresses: readonly { ip?: string }[], path: string): FieldError[] {
  const ips = addresses.map(({ ip = "" }) => ip);
  return [...ips.flatMap((ip, index) => ipErrors(`${path}[${index}]`, ip)), ...familiesErrors(path, ips, addresses)];
}

function hostAddressesErrors({ hostIP = "", hostIPs = [] }: V1PodStatus): FieldError[] {
  const first = hostIPs[0]?.ip ?? "";
  const isSame = hostIPs.length === 0 || first === hostIP;
  return [
    ...(isSame ? [] : [invalid("status.hostIPs[0].ip", first, "must be equal to `hostIP`")]),
    ...addressesErrors(hostIPs, "status.hostIPs"),
  ];
}

export function podStatusWarnings({ status = {} }: V1Pod): string[] {
  return (["podIPs", "hostIPs"] as const).flatMap((field) =>
    (status[field] ?? []).flatMap(({ ip = "" }, index) => ipWarnings(`status.${field}[${index}].ip`, ip)),
  );
}

/** What an update of the status leaves out of what was observed stays. Changes `status`. */
export function keepObservedGenerations(status: V1PodStatus, old: V1PodStatus | undefined): void {
  if (!status.observedGeneration && old?.observedGeneration) status.observedGeneration = old.observedGeneration;
  // Several conditions may have one type: the first stands for the first, and so on.
  const byType = Map.groupBy(old?.conditions ?? [], ({ type }) => type);
  for (const condition of status.conditions ?? []) {
    const before = byType.get(condition.type)?.shift();
    if (!condition.observedGeneration && before?.observedGeneration)
      condition.observedGeneration = before.observedGeneration;
  }
}

/** Fields whose features are off in this release. Changes `status`. */
export function dropDisabledStatusFields(status: V1PodStatus): void {
  delete status.nodeAllocatableResourceClaimStatuses;
  for (const field of ["initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"] as const)
    for (const { volumeMounts } of status[field] ?? [])
      for (const mount of volumeMounts ?? []) delete mount.volumeStatus;
}
