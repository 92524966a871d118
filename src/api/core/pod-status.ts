/** What a pod's status may say. Upstream: ValidatePodStatusUpdate. */
import type { V1ContainerStatus, V1Pod, V1PodSpec } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { duplicate, forbidden, invalid, invalidEach } from "#api/validation/field-errors.ts";
import { familyOf, ipErrors } from "#api/validation/ip.ts";
import { isDns1123Subdomain, isQualifiedName } from "#api/validation/names.ts";
import { immutable } from "#api/validation/values.ts";
import { isSidecar } from "./pod-resources.ts";

const systemConditions = new Set(["PodScheduled", "Ready", "Initialized"]);

export function podStatusErrors(pod: V1Pod, old: V1Pod): FieldError[] {
  const status = pod.status ?? {};
  const oldStatus = old.status ?? {};
  const errors: FieldError[] = [];
  for (const [index, { type }] of (status.conditions ?? []).entries())
    if (!systemConditions.has(type))
      errors.push(...invalidEach(`metadata.conditions[${index}].Type`, type, isQualifiedName(type)));
  const { nominatedNodeName: nominated = "", observedGeneration } = status;
  if (observedGeneration !== undefined && observedGeneration < 0)
    errors.push(invalid("status.observedGeneration", observedGeneration, "must be a non-negative integer"));
  if (nominated !== "" && nominated !== oldStatus.nominatedNodeName)
    errors.push(...invalidEach("status.nominatedNodeName", nominated, isDns1123Subdomain(nominated)));
  errors.push(...immutable("status.qosClass", status.qosClass ?? "", oldStatus.qosClass ?? ""));
  const { restartPolicy = "Always" } = old.spec ?? {};
  const none = new Set<string>();
  const all = [...(old.spec?.initContainers ?? []), ...(old.spec?.containers ?? [])];
  const restartsAll = all.some((one) =>
    one.restartPolicyRules?.some(({ action }) => action === "RestartAllContainers"),
  );
  const namesOf = (containers: typeof all): Set<string> => new Set(containers.map(({ name }) => name));
  const sidecars = namesOf((old.spec?.initContainers ?? []).filter((one) => restartsAll || isSidecar(one)));
  const restartable = namesOf(
    (old.spec?.containers ?? []).filter((one) => restartsAll || one.restartPolicy !== undefined),
  );
  errors.push(
    ...transitionErrors(
      status.containerStatuses,
      oldStatus.containerStatuses,
      "containerStatuses",
      restartPolicy,
      restartable,
    ),
  );
  errors.push(
    ...transitionErrors(
      status.initContainerStatuses,
      oldStatus.initContainerStatuses,
      "initContainerStatuses",
      restartPolicy,
      sidecars,
    ),
  );
  errors.push(
    ...transitionErrors(
      status.ephemeralContainerStatuses,
      oldStatus.ephemeralContainerStatuses,
      "ephemeralContainerStatuses",
      "Never",
      none,
    ),
  );
  errors.push(...claimStatusErrors(status.resourceClaimStatuses ?? [], pod.spec!));
  return [...errors, ...addressErrors("podIPs", status.podIPs ?? []), ...hostAddressErrors(pod)];
}

/** A container that ended for good does not come back. */
function transitionErrors(
  statuses: readonly V1ContainerStatus[] | undefined,
  old: readonly V1ContainerStatus[] | undefined,
  field: string,
  restartPolicy: string,
  mayRestart: ReadonlySet<string>,
): FieldError[] {
  if (restartPolicy === "Always") return [];
  return (old ?? []).flatMap(({ name, state }, index) => {
    if (state?.terminated === undefined || mayRestart.has(name)) return [];
    if (state.terminated.exitCode !== 0 && restartPolicy === "OnFailure") return [];
    const now = statuses?.find((status) => status.name === name);
    if (now === undefined || now.state?.terminated !== undefined) return [];
    return [forbidden(`status.${field}[${index}].state`, "may not be transitioned to non-terminated state")];
  });
}

function claimStatusErrors(
  statuses: readonly { name: string; resourceClaimName?: string }[],
  spec: V1PodSpec,
): FieldError[] {
  const errors: FieldError[] = [];
  const known = new Set((spec.resourceClaims ?? []).map(({ name }) => name));
  const seen = new Set<string>();
  for (const [index, { name, resourceClaimName }] of statuses.entries()) {
    const at = `status.resourceClaimStatuses[${index}].name`;
    if (!known.has(name)) errors.push(invalid(at, name, "must match the name of an entry in `spec.resourceClaims`"));
    if (seen.has(name)) errors.push(duplicate(at, name));
    seen.add(name);
    if (resourceClaimName !== undefined)
      errors.push(...invalidEach(at, resourceClaimName, isDns1123Subdomain(resourceClaimName)));
  }
  return errors;
}

function addressErrors(field: "podIPs" | "hostIPs", addresses: readonly { ip?: string }[]): FieldError[] {
  const path = `status.${field}`;
  const errors = addresses.flatMap(({ ip = "" }, index) => ipErrors(`${path}[${index}]`, ip));
  if (addresses.length < 2) return errors;
  const families = new Set(addresses.map(({ ip = "" }) => familyOf(ip)));
  if (addresses.length > 2 || families.size < 2)
    errors.push(invalid(path, addresses, "may specify no more than one IP for each IP family"));
  const seen = new Set<string>();
  for (const [index, address] of addresses.entries()) {
    const { ip = "" } = address;
    if (seen.has(ip)) errors.push(duplicate(`${path}[${index}]`, address));
    seen.add(ip);
  }
  return errors;
}

function hostAddressErrors({ status }: V1Pod): FieldError[] {
  const addresses = status?.hostIPs ?? [];
  if (addresses.length === 0) return [];
  const { ip = "" } = addresses[0]!;
  const errors =
    ip === (status?.hostIP ?? "") ? [] : [invalid("status.hostIPs[0].ip", ip, "must be equal to `hostIP`")];
  return [...errors, ...addressErrors("hostIPs", addresses)];
}
