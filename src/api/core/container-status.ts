/** What a pod's status may say of its containers. Upstream: ValidateContainerStateTransition and its relatives. */
import type { V1Container, V1ContainerStatus, V1PodSpec, V1PodStatus, V1ResourceStatus } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import {
  duplicate,
  forbidden,
  invalid,
  invalidEach,
  notSupported,
  required,
  tooLong,
} from "#api/validation/field-errors.ts";
import { isGroupId, isUserId } from "#api/validation/formats.ts";

const lists = ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"] as const;

type Statuses = readonly V1ContainerStatus[];

/** A container that ended for good does not come back. */
export function transitionErrors(status: V1PodStatus, old: V1PodStatus, spec: V1PodSpec): FieldError[] {
  const containersOf = { containerStatuses: spec.containers, initContainerStatuses: spec.initContainers };
  const isWholePodRestarted = [...(spec.initContainers ?? []), ...(spec.containers ?? [])].some((container) =>
    container.restartPolicyRules?.some(({ action }) => action === "RestartAllContainers"),
  );
  return lists.flatMap((list) => {
    const isEphemeral = list === "ephemeralContainerStatuses";
    if (isWholePodRestarted && !isEphemeral) return [];
    const containers = isEphemeral ? [] : (containersOf[list] ?? []);
    return stateErrors(status[list] ?? [], old[list] ?? [], containers, spec, `status.${list}`);
  });
}

function stateErrors(
  statuses: Statuses,
  old: Statuses,
  containers: readonly V1Container[],
  spec: V1PodSpec,
  path: string,
): FieldError[] {
  const back = new Set(statuses.filter(({ state }) => state?.terminated === undefined).map(({ name }) => name));
  const byName = new Map(containers.map((container) => [container.name, container]));
  return old.flatMap(({ name, state }, index) => {
    if (state?.terminated === undefined) return [];
    const container = byName.get(name);
    if (!back.has(name) || (container !== undefined && restarts(container, spec, state.terminated.exitCode ?? 0)))
      return [];
    return [forbidden(`${path}[${index}].state`, "may not be transitioned to non-terminated state")];
  });
}

/** The container's rules come first, then its policy, then the pod's. Upstream: ContainerShouldRestart. */
function restarts({ restartPolicy, restartPolicyRules = [] }: V1Container, spec: V1PodSpec, exitCode: number): boolean {
  const isRuled = restartPolicyRules.some(({ exitCodes }) => {
    const isListed = exitCodes?.values?.includes(exitCode) ?? false;
    return exitCodes !== undefined && isListed === (exitCodes.operator === "In");
  });
  const policy = restartPolicy ?? spec.restartPolicy;
  return isRuled || policy === "Always" || (policy === "OnFailure" && exitCode !== 0);
}

/** Users that containers run as. */
export function userErrors(status: V1PodStatus, os: string | undefined): FieldError[] {
  return lists.flatMap((list) =>
    (status[list] ?? []).flatMap(({ user }, index) => {
      const at = `status.${list}[${index}].user.linux`;
      const linux = user?.linux;
      if (linux === undefined) return [];
      if (os === "windows") return [forbidden(at, "cannot be set for a windows pod")];
      const { uid = 0, gid = 0, supplementalGroups = [] } = linux as Partial<typeof linux>;
      return [
        ...invalidEach(`${at}.uid`, uid, isUserId(uid)),
        ...invalidEach(`${at}.gid`, gid, isGroupId(gid)),
        ...supplementalGroups.flatMap((group, item) =>
          invalidEach(`${at}.supplementalGroups[${item}]`, group, isGroupId(group)),
        ),
      ];
    }),
  );
}

/** Health of devices that containers have. */
export function allocatedErrors(status: V1PodStatus, spec: V1PodSpec): FieldError[] {
  return [
    ...allocatedListErrors(status.containerStatuses ?? [], spec.containers ?? [], "status.containerStatuses"),
    ...allocatedListErrors(
      status.initContainerStatuses ?? [],
      spec.initContainers ?? [],
      "status.initContainerStatuses",
    ),
    ...(status.ephemeralContainerStatuses ?? []).flatMap(({ allocatedResourcesStatus = [] }, index) =>
      allocatedResourcesStatus.length === 0
        ? []
        : [
            forbidden(
              `status.ephemeralContainerStatuses[${index}].allocatedResourcesStatus`,
              "must not be specified in container status",
            ),
          ],
    ),
  ];
}

function allocatedListErrors(statuses: Statuses, containers: readonly V1Container[], path: string): FieldError[] {
  const byName = new Map(containers.map((container) => [container.name, container]));
  return statuses.flatMap(({ name, allocatedResourcesStatus = [] }, index) => {
    const container = byName.get(name);
    return allocatedResourcesStatus.flatMap((resource, item) => {
      const at = `${path}[${index}].allocatedResourcesStatus[${item}]`;
      return [
        ...(container === undefined ? [] : allocatedNameErrors(resource.name ?? "", container, `${at}.name`)),
        ...healthErrors(resource.resources ?? [], `${at}.resources`),
      ];
    });
  });
}

/** The name of a resource that the container asks for, or of a claim that it uses. */
function allocatedNameErrors(name: string, { resources }: V1Container, field: string): FieldError[] {
  if (!name.startsWith("claim:")) {
    if (resources?.requests?.[name] !== undefined) return [];
    return [invalid(field, name, "must match one of the container's resource requests")];
  }
  const claims = (resources?.claims ?? []).map(({ name: claim, request }) =>
    request ? `claim:${claim}/${request}` : `claim:${claim}`,
  );
  const format = "'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty";
  const text = `must match one of the container's resource claims in a format ${format}`;
  return claims.includes(name) ? [] : [invalid(field, name, text)];
}

const healths = ["Healthy", "Unhealthy", "Unknown"];
export const healthMessageBytesMax = 1024;

function healthErrors(resources: NonNullable<V1ResourceStatus["resources"]>, path: string): FieldError[] {
  const seen = new Set<string>();
  return resources.flatMap(({ resourceID = "", health = "", message }: Health, index) => {
    const at = `${path}[${index}]`;
    const errors = healths.includes(health) ? [] : [notSupported(`${at}.health`, health, healths)];
    if (message === "") errors.push(required(`${at}.message`, "must be non-empty if specified"));
    if (message !== undefined && Buffer.byteLength(message) > healthMessageBytesMax)
      errors.push(tooLong(`${at}.message`, healthMessageBytesMax));
    if (seen.has(resourceID)) errors.push(duplicate(`${at}.resourceID`, resourceID));
    seen.add(resourceID);
    return errors;
  });
}

interface Health {
  resourceID?: string;
  health?: string;
  message?: string;
}
