/** A container's environment. Pure: the objects that it refers to are looked up by the caller's functions. */
import type { ConfigMap } from "#api/core/config-map.ts";
import type { Pod } from "#api/core/pod.ts";
import type { Secret } from "#api/core/secret.ts";
import type { V1Container, V1EnvFromSource, V1EnvVar } from "#api/generated/types.ts";
import { parseEnvFile } from "./env-file.ts";
import { expand } from "./expansion.ts";
import { fieldValue, resourceValue, type Allocatable, type PodAddresses } from "./field-ref.ts";

/** The container cannot be made as it is defined: shown as CreateContainerConfigError. */
export class ConfigError extends Error {}

export interface EnvironmentSources {
  readonly pod: Pod;
  readonly addresses: PodAddresses;
  readonly allocatable: Allocatable;
  readonly services: ReadonlyMap<string, string>;
  /** Undefined: there is none. */
  configMap(name: string): ConfigMap | undefined;
  secret(name: string): Secret | undefined;
  /** The text of a file in one of the pod's volumes. */
  file(volume: string, path: string): string | undefined;
}

export interface Environment {
  readonly variables: ReadonlyMap<string, string>;
  /** Keys that no variable can have, by source: worth an event. */
  readonly skipped: readonly { readonly source: string; readonly keys: readonly string[] }[];
}

export function environmentOf(container: V1Container, sources: EnvironmentSources): Environment {
  const variables = new Map<string, string>();
  const skipped: { source: string; keys: string[] }[] = [];
  for (const from of container.envFrom ?? []) addAll(variables, from, sources, skipped);
  const lookUp = (name: string): string | undefined => variables.get(name) ?? sources.services.get(name);
  for (const variable of container.env ?? []) {
    const value = valueOf(variable, container, sources, lookUp);
    if (value !== undefined) variables.set(variable.name, value);
  }
  for (const [name, value] of sources.services) if (!variables.has(name)) variables.set(name, value);
  return { variables, skipped };
}

function addAll(
  to: Map<string, string>,
  { prefix = "", configMapRef, secretRef }: V1EnvFromSource,
  sources: EnvironmentSources,
  skipped: { source: string; keys: string[] }[],
): void {
  const { namespace = "" } = sources.pod.metadata;
  const invalid: string[] = [];
  const put = (entries: Iterable<readonly [string, string]>): void => {
    for (const [key, value] of entries) {
      const name = `${prefix}${key}`;
      if (isVariableName(name)) to.set(name, value);
      else invalid.push(name);
    }
  };
  if (configMapRef !== undefined) {
    const { name = "", optional } = configMapRef;
    const found = sources.configMap(name);
    if (found === undefined && optional !== true) throw new ConfigError(`configmap "${name}" not found`);
    put(Object.entries(found?.data ?? {}));
    if (invalid.length > 0) skipped.push({ source: `configMap ${namespace}/${name}`, keys: invalid });
  } else if (secretRef !== undefined) {
    const { name = "", optional } = secretRef;
    const found = sources.secret(name);
    if (found === undefined && optional !== true) throw new ConfigError(`secret "${name}" not found`);
    put(Object.entries(found?.data ?? {}).map(([key, value]) => [key, decode(value)] as const));
    if (invalid.length > 0) skipped.push({ source: `secret ${namespace}/${name}`, keys: invalid });
  }
}

/** Upstream's relaxed rule: any printable ASCII but "=". */
const isVariableName = (name: string): boolean => /^[ -<>-~]+$/.test(name);

const decode = (base64: string): string => Buffer.from(base64, "base64").toString("utf8");

/** Undefined: an optional source has no such value. */
function valueOf(
  { value, valueFrom, name }: V1EnvVar,
  container: V1Container,
  sources: EnvironmentSources,
  lookUp: (name: string) => string | undefined,
): string | undefined {
  if (valueFrom === undefined) return expand(value ?? "", lookUp);
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = valueFrom;
  const { pod, addresses, allocatable } = sources;
  if (fieldRef !== undefined) return fieldValue(pod, fieldRef.fieldPath, addresses);
  if (resourceFieldRef !== undefined) return resourceValue(pod, resourceFieldRef, container.name, allocatable);
  const { namespace = "" } = pod.metadata;
  if (configMapKeyRef !== undefined) {
    const { name: from = "", key, optional } = configMapKeyRef;
    const found = sources.configMap(from);
    if (found === undefined) return missing(optional, `configmap "${from}" not found`);
    return found.data?.[key] ?? missing(optional, `couldn't find key ${key} in ConfigMap ${namespace}/${from}`);
  }
  if (secretKeyRef !== undefined) {
    const { name: from = "", key, optional } = secretKeyRef;
    const found = sources.secret(from);
    if (found === undefined) return missing(optional, `secret "${from}" not found`);
    const data = found.data?.[key];
    if (data === undefined) return missing(optional, `couldn't find key ${key} in Secret ${namespace}/${from}`);
    return decode(data);
  }
  if (fileKeyRef !== undefined) {
    const { volumeName, path, key, optional } = fileKeyRef;
    const text = sources.file(volumeName, path);
    if (text === undefined) return missing(optional, `couldn't read file ${path} of volume ${volumeName}`);
    return parseEnvFile(text).get(key) ?? missing(optional, `environment variable key "${key}" not found in file`);
  }
  throw new ConfigError(`environment variable ${name} has no source`);
}

function missing(optional: boolean | undefined, message: string): undefined {
  if (optional !== true) throw new ConfigError(message);
  return undefined;
}
