/** Environment variables and where they come from. Upstream: ValidateEnv, ValidateEnvFrom. */
import type { V1EnvFromSource, V1EnvVar, V1EnvVarSource, V1PodSpec } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { invalid, invalidEach, notFoundValue, required } from "#api/validation/field-errors.ts";
import { isConfigMapKey, isEnvironmentName } from "#api/validation/formats.ts";
import { isDns1123Subdomain, nameIsDnsSubdomain } from "#api/validation/names.ts";
import { dnsLabel } from "#api/validation/values.ts";
import { environmentFieldPaths, fieldRefErrors, resourceFieldRefErrors } from "./downward-api.ts";
import { noBackstepsErrors } from "./paths.ts";
import { containersWithPaths } from "./pod-os.ts";

export function environmentErrors(variables: readonly V1EnvVar[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, variable] of variables.entries()) {
    const at = `${path}[${index}]`;
    const { name = "", valueFrom } = variable as Partial<V1EnvVar>;
    if (name === "") errors.push(required(`${at}.name`));
    else errors.push(...invalidEach(`${at}.name`, name, isEnvironmentName(name)));
    if (valueFrom !== undefined) errors.push(...valueFromErrors(variable, valueFrom, `${at}.valueFrom`));
  }
  return errors;
}

function valueFromErrors({ value }: V1EnvVar, source: V1EnvVarSource, path: string): FieldError[] {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = source;
  const errors: FieldError[] = [];
  if (fieldRef) errors.push(...fieldRefErrors(fieldRef, environmentFieldPaths, `${path}.fieldRef`));
  if (resourceFieldRef) errors.push(...resourceFieldRefErrors(resourceFieldRef, `${path}.resourceFieldRef`, false));
  if (configMapKeyRef) errors.push(...keyRefErrors(configMapKeyRef, `${path}.configMapKeyRef`));
  if (secretKeyRef) errors.push(...keyRefErrors(secretKeyRef, `${path}.secretKeyRef`));
  if (fileKeyRef) errors.push(...fileKeyErrors(fileKeyRef, `${path}.fileKeyRef`));
  const count = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(Boolean).length;
  const wanted =
    "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`";
  if (count === 0) errors.push(invalid(path, "", wanted));
  else if (value) errors.push(invalid(path, "", "may not be specified when `value` is not empty"));
  else if (count > 1) errors.push(invalid(path, "", "may not have more than one field specified at a time"));
  return errors;
}

function keyRefErrors({ name = "", key = "" }: { name?: string; key?: string }, path: string): FieldError[] {
  return [
    ...invalidEach(`${path}.name`, name, isDns1123Subdomain(name)),
    ...(key === "" ? [required(`${path}.key`)] : invalidEach(`${path}.key`, key, isConfigMapKey(key))),
  ];
}

function fileKeyErrors(
  { volumeName = "", path: file = "", key = "" }: NonNullable<V1EnvVarSource["fileKeyRef"]>,
  path: string,
): FieldError[] {
  return [
    ...(key === "" ? [required(`${path}.key`)] : invalidEach(`${path}.key`, key, isEnvironmentName(key))),
    ...(volumeName === "" ? [required(`${path}.volumeName`)] : dnsLabel(`${path}.volumeName`, volumeName)),
    ...(file === "" ? [required(`${path}.path`)] : noBackstepsErrors(`${path}.path`, file)),
  ];
}

/** Files of variables are in volumes of the pod that are empty at first: the last rule of a pod spec. */
export function fileVolumesErrors(spec: V1PodSpec, path: string): FieldError[] {
  const volumes = new Map((spec.volumes ?? []).map((volume) => [volume.name, volume]));
  return containersWithPaths(spec, path).flatMap(([{ env = [] }, at]) =>
    env.flatMap(({ valueFrom }, index) => {
      if (valueFrom?.fileKeyRef === undefined) return [];
      const { volumeName = "" } = valueFrom.fileKeyRef as { volumeName?: string };
      const field = `${at}.env[${index}].valueFrom.fileKeyRef.volumeName`;
      const volume = volumes.get(volumeName);
      if (volume === undefined) return [notFoundValue(field, volumeName)];
      const text = "referenced volume must be of type emptyDir";
      return volume.emptyDir === undefined ? [invalid(field, volumeName, text)] : [];
    }),
  );
}

export function environmentFromErrors(sources: readonly V1EnvFromSource[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, { prefix = "", configMapRef, secretRef }] of sources.entries()) {
    const at = `${path}[${index}]`;
    if (prefix !== "") errors.push(...invalidEach(`${at}.prefix`, prefix, isEnvironmentName(prefix)));
    if (configMapRef) errors.push(...sourceNameErrors(configMapRef.name, `${at}.configMapRef.name`));
    if (secretRef) errors.push(...sourceNameErrors(secretRef.name, `${at}.secretRef.name`));
    if (configMapRef === undefined && secretRef === undefined)
      errors.push(invalid(path, "", "must specify one of: `configMapRef` or `secretRef`"));
    else if (configMapRef !== undefined && secretRef !== undefined)
      errors.push(invalid(path, "", "may not have more than one field specified at a time"));
  }
  return errors;
}

/** As a prefix of names: upstream lets it end in a dash. */
const sourceNameErrors = (name: string | undefined, field: string) =>
  name ? invalidEach(field, name, nameIsDnsSubdomain(name, true)) : [required(field)];
