/** Where volumes appear in a container. Upstream: ValidateVolumeMounts, ValidateVolumeDevices. */
import type { V1Container, V1Volume, V1VolumeMount } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { forbidden, invalid, notFoundValue, notSupported, required } from "#api/validation/field-errors.ts";
import { descendingPathErrors } from "./paths.ts";

type Volumes = ReadonlyMap<string, V1Volume>;

const propagations = ["Bidirectional", "HostToContainer", "None"];
const recursiveReadOnlyModes = ["Disabled", "Enabled", "IfPossible"];

/** Upstream reports sub-paths, propagation and the like at the list, not at the item. */
export function mountsErrors(container: V1Container, volumes: Volumes, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const mountPaths = new Set<string>();
  const devices = new Map((container.volumeDevices ?? []).map(({ name, devicePath }) => [name, devicePath]));
  const devicePaths = new Set(devices.values());
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const at = `${path}[${index}]`;
    const { name = "", mountPath = "" } = mount as Partial<V1VolumeMount>;
    if (name === "") errors.push(required(`${at}.name`));
    if (!volumes.has(name)) errors.push(notFoundValue(`${at}.name`, name));
    if (mountPath === "") errors.push(required(`${at}.mountPath`));
    if (mountPaths.has(mountPath)) errors.push(invalid(`${at}.mountPath`, mountPath, "must be unique"));
    mountPaths.add(mountPath);
    if (devices.has(name)) errors.push(invalid(`${at}.name`, name, "must not already exist in volumeDevices"));
    if (devicePaths.has(mountPath))
      errors.push(invalid(`${at}.mountPath`, mountPath, "must not already exist as a path in volumeDevices"));
    errors.push(...subPathErrors(mount, at, path));
    if (mount.mountPropagation !== undefined)
      errors.push(...propagationErrors(mount.mountPropagation, container, `${path}.mountPropagation`));
    errors.push(...recursiveReadOnlyErrors(mount, `${path}.recursiveReadOnly`));
  }
  return errors;
}

function subPathErrors({ subPath = "", subPathExpr = "" }: V1VolumeMount, at: string, path: string): FieldError[] {
  const errors = subPath === "" ? [] : descendingPathErrors(`${path}.subPath`, subPath);
  if (subPathExpr === "") return errors;
  if (subPath !== "")
    errors.push(invalid(`${at}.subPathExpr`, subPathExpr, "subPathExpr and subPath are mutually exclusive"));
  return [...errors, ...descendingPathErrors(`${path}.subPathExpr`, subPathExpr)];
}

function propagationErrors(propagation: string, { securityContext }: V1Container, path: string): FieldError[] {
  const errors = propagations.includes(propagation) ? [] : [notSupported(path, propagation, propagations)];
  if (propagation === "Bidirectional" && securityContext?.privileged !== true)
    errors.push(forbidden(path, "Bidirectional mount propagation is available only to privileged containers"));
  return errors;
}

function recursiveReadOnlyErrors(
  { recursiveReadOnly: mode, readOnly, mountPropagation }: V1VolumeMount,
  path: string,
): FieldError[] {
  if (mode === undefined || mode === "Disabled") return [];
  if (mode !== "Enabled" && mode !== "IfPossible") return [notSupported(path, mode, recursiveReadOnlyModes)];
  const errors: FieldError[] = [];
  if (readOnly !== true) errors.push(forbidden(path, "may only be specified when readOnly is true"));
  if (mountPropagation !== undefined && mountPropagation !== "None")
    errors.push(forbidden(path, "may only be specified when mountPropagation is None or not specified"));
  return errors;
}

export function devicesErrors(
  { volumeDevices = [], volumeMounts = [] }: V1Container,
  volumes: Volumes,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  const paths = new Set<string>();
  const mounts = new Map(volumeMounts.map(({ name, mountPath }) => [name, mountPath]));
  const mountPaths = new Set(mounts.values());
  for (const [index, { name = "", devicePath = "" }] of volumeDevices.entries()) {
    const at = `${path}[${index}]`;
    const volume = volumes.get(name);
    if (name === "") errors.push(required(`${at}.name`));
    if (names.has(name)) errors.push(invalid(`${at}.name`, name, "must be unique"));
    if (volume === undefined) errors.push(notFoundValue(`${at}.name`, name));
    else if (volume.persistentVolumeClaim === undefined && volume.ephemeral === undefined) {
      const text = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
      errors.push(invalid(`${at}.name`, name, text));
    }
    if (devicePath === "") errors.push(required(`${at}.devicePath`));
    if (paths.has(devicePath)) errors.push(invalid(`${at}.devicePath`, devicePath, "must be unique"));
    if (devicePath.split("/").includes(".."))
      errors.push(invalid(`${at}.devicePath`, devicePath, "can not contain backsteps ('..')"));
    else paths.add(devicePath);
    if (mounts.has(name)) errors.push(invalid(`${at}.name`, name, "must not already exist in volumeMounts"));
    if (mountPaths.has(devicePath))
      errors.push(invalid(`${at}.devicePath`, devicePath, "must not already exist as a path in volumeMounts"));
    if (name !== "") names.add(name);
  }
  return errors;
}
