/** What a pod of one operating system may not say. Upstream: validateOS, validateLinux, validateWindows. */
import type { V1Container, V1PodSpec } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { forbidden, invalid, notSupported, required } from "#api/validation/field-errors.ts";

/** Init containers, containers, ephemeral containers with their paths: upstream's VisitContainersWithPath. */
export function containersWithPaths(spec: V1PodSpec, path: string): [container: V1Container, path: string][] {
  return (["initContainers", "containers", "ephemeralContainers"] as const).flatMap((field) =>
    (spec[field] ?? []).map((container, index): [V1Container, string] => [
      container as V1Container,
      `${path}.${field}[${index}]`,
    ]),
  );
}

export function osErrors(spec: V1PodSpec, path: string): FieldError[] {
  if (spec.os === undefined) return [];
  switch (spec.os.name ?? "") {
    case "":
      return [required(`${path}.os.name`)];
    case "linux":
      return linuxErrors(spec, path);
    case "windows":
      return windowsPodErrors(spec, path);
    default:
      return [notSupported(`${path}.os`, spec.os.name, ["linux", "windows"])];
  }
}

function linuxErrors(spec: V1PodSpec, path: string): FieldError[] {
  const text = "windows options cannot be set for a linux pod";
  return [
    ...(spec.securityContext?.windowsOptions === undefined
      ? []
      : [forbidden(`${path}.securityContext.windowsOptions`, text)]),
    ...containersWithPaths(spec, path)
      .filter(([container]) => container.securityContext?.windowsOptions !== undefined)
      .map(([, at]) => forbidden(`${at}.securityContext.windowsOptions`, text)),
  ];
}

/** Pod fields that Windows does not have, in upstream's order: [path, whether it is set]. */
const podFields: readonly [string, (spec: V1PodSpec) => unknown][] = [
  ["securityContext.appArmorProfile", ({ securityContext }) => securityContext?.appArmorProfile],
  ["securityContext.seLinuxOptions", ({ securityContext }) => securityContext?.seLinuxOptions],
  ["hostUsers", ({ hostUsers }) => hostUsers],
  ["hostPID", ({ hostPID }) => hostPID || undefined],
  ["hostIPC", ({ hostIPC }) => hostIPC || undefined],
  ["securityContext.seccompProfile", ({ securityContext }) => securityContext?.seccompProfile],
  ["securityContext.fsGroup", ({ securityContext }) => securityContext?.fsGroup],
  ["securityContext.fsGroupChangePolicy", ({ securityContext }) => securityContext?.fsGroupChangePolicy],
  ["securityContext.sysctls", ({ securityContext }) => securityContext?.sysctls?.[0]],
  ["shareProcessNamespace", ({ shareProcessNamespace }) => shareProcessNamespace],
  ["securityContext.runAsUser", ({ securityContext }) => securityContext?.runAsUser],
  ["securityContext.runAsGroup", ({ securityContext }) => securityContext?.runAsGroup],
  ["securityContext.supplementalGroups", ({ securityContext }) => securityContext?.supplementalGroups],
  ["securityContext.supplementalGroupsPolicy", ({ securityContext }) => securityContext?.supplementalGroupsPolicy],
  ["securityContext.seLinuxChangePolicy", ({ securityContext }) => securityContext?.seLinuxChangePolicy],
];

const containerFields = [
  "appArmorProfile",
  "seLinuxOptions",
  "seccompProfile",
  "capabilities",
  "readOnlyRootFilesystem",
  "privileged",
  "allowPrivilegeEscalation",
  "procMount",
  "runAsUser",
  "runAsGroup",
] as const;

function windowsPodErrors(spec: V1PodSpec, path: string): FieldError[] {
  const text = "cannot be set for a windows pod";
  return [
    ...podFields.filter(([, value]) => value(spec) !== undefined).map(([field]) => forbidden(`${path}.${field}`, text)),
    ...containersWithPaths(spec, path).flatMap(([{ securityContext }, at]) =>
      containerFields
        .filter((field) => securityContext?.[field] !== undefined)
        .map((field) => forbidden(`${at}.securityContext.${field}`, text)),
    ),
  ];
}

/** Windows host processes: all containers or none, and on the host's network. */
export function hostProcessErrors(spec: V1PodSpec, path: string): FieldError[] {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess;
  const errors: FieldError[] = [];
  const containers = containersWithPaths(spec, path);
  let count = 0;
  for (const [{ securityContext }, at] of containers) {
    const own = securityContext?.windowsOptions?.hostProcess;
    if (ofPod !== undefined && own !== undefined && ofPod !== own) {
      const text = `pod hostProcess value must be identical if both are specified, was ${ofPod}`;
      errors.push(invalid(`${at}.securityContext.windowsOptions.hostProcess`, own, text));
    }
    if ((own ?? ofPod) === true) count++;
  }
  if (count === 0) return errors;
  if (count !== containers.length) {
    const text = "If pod contains any hostProcess containers then all containers must be HostProcess containers";
    errors.push(invalid(path, "", text));
  }
  if (spec.hostNetwork !== true) {
    const text = "hostNetwork must be true if pod contains any hostProcess containers";
    errors.push(invalid(`${path}.hostNetwork`, false, text));
  }
  return errors;
}

/** A user namespace of its own goes with none of the host's other namespaces, and with no block device. */
export function hostUsersErrors(spec: V1PodSpec, path: string): FieldError[] {
  if (spec.hostUsers !== false) return [];
  const text = "when `hostUsers` is false";
  return [
    ...(spec.hostNetwork === true ? [forbidden(`${path}.hostNetwork`, text)] : []),
    ...(spec.hostPID === true ? [forbidden(`${path}.HostPID`, text)] : []),
    ...(spec.hostIPC === true ? [forbidden(`${path}.HostIPC`, text)] : []),
    ...containersWithPaths(spec, path)
      .filter(([{ volumeDevices = [] }]) => volumeDevices.length > 0)
      .map(([, at]) => forbidden(`${at}.volumeDevices`, text)),
  ];
}
