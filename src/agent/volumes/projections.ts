/** The files of configMap, secret, downwardAPI and projected volumes. Pure but for what is looked up. */
import type { ConfigMap } from "#api/core/config-map.ts";
import type { Pod } from "#api/core/pod.ts";
import type { Secret } from "#api/core/secret.ts";
import type { V1DownwardAPIVolumeFile, V1KeyToPath, V1ProjectedVolumeSource, V1Volume } from "#api/generated/types.ts";
import { fieldValue, resourceValue, type Allocatable, type PodAddresses } from "#agent/pod/field-ref.ts";
import type { VolumeFile } from "./atomic-writer.ts";

type Files = Map<string, VolumeFile>;

export interface ProjectionSources {
  readonly pod: Pod;
  readonly addresses: PodAddresses;
  readonly allocatable: Allocatable;
  configMap(name: string): ConfigMap | undefined;
  secret(name: string): Secret | undefined;
  token(audience: string, expirationSeconds: number): string;
}

/** Everything that is wrong with one volume, said at once. */
class ProjectionError extends Error {
  constructor(messages: readonly string[]) {
    super(messages.length === 1 ? messages[0] : `[${messages.join(", ")}]`);
  }
}

const modeDefault = 0o644;

/** Undefined: a volume of another type. */
export function projectedFiles(volume: V1Volume, sources: ProjectionSources): Files | undefined {
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap !== undefined) {
    const { name = "", items, optional, defaultMode } = configMap;
    return configMapFiles(name, items, optional, defaultMode ?? modeDefault, sources);
  }
  if (secret !== undefined) {
    const { secretName = "", items, optional, defaultMode } = secret;
    return secretFiles(secretName, items, optional, defaultMode ?? modeDefault, sources);
  }
  if (downwardAPI !== undefined)
    return downwardFiles(downwardAPI.items ?? [], downwardAPI.defaultMode ?? modeDefault, sources);
  return projected === undefined ? undefined : allFiles(projected, sources);
}

function configMapFiles(
  name: string,
  items: readonly V1KeyToPath[] | undefined,
  optional: boolean | undefined,
  mode: number,
  sources: ProjectionSources,
): Files {
  const found = sources.configMap(name);
  if (found === undefined && optional !== true) throw new ProjectionError([`configmap "${name}" not found`]);
  const data = new Map<string, Uint8Array>();
  for (const [key, text] of Object.entries(found?.data ?? {})) data.set(key, Buffer.from(text));
  for (const [key, base64] of Object.entries(found?.binaryData ?? {})) data.set(key, Buffer.from(base64, "base64"));
  return select(data, items, optional, mode, (key) => `configmap references non-existent config key: ${key}`);
}

function secretFiles(
  name: string,
  items: readonly V1KeyToPath[] | undefined,
  optional: boolean | undefined,
  mode: number,
  sources: ProjectionSources,
): Files {
  const found = sources.secret(name);
  if (found === undefined && optional !== true) throw new ProjectionError([`secret "${name}" not found`]);
  const entries = Object.entries(found?.data ?? {}).map(
    ([key, base64]) => [key, Buffer.from(base64, "base64")] as const,
  );
  return select(new Map(entries), items, optional, mode, (key) => `references non-existent secret key: ${key}`);
}

function select(
  data: ReadonlyMap<string, Uint8Array>,
  items: readonly V1KeyToPath[] | undefined,
  optional: boolean | undefined,
  mode: number,
  missing: (key: string) => string,
): Files {
  const files: Files = new Map();
  if (items === undefined || items.length === 0) {
    for (const [key, content] of data) files.set(key, { content, mode });
    return files;
  }
  for (const item of items) {
    const content = data.get(item.key);
    if (content !== undefined) files.set(item.path, { content, mode: item.mode ?? mode });
    else if (optional !== true) throw new ProjectionError([missing(item.key)]);
  }
  return files;
}

function downwardFiles(items: readonly V1DownwardAPIVolumeFile[], mode: number, sources: ProjectionSources): Files {
  const { pod, addresses, allocatable } = sources;
  const files: Files = new Map();
  for (const { path, fieldRef, resourceFieldRef, mode: own } of items) {
    const text =
      fieldRef !== undefined
        ? fieldValue(pod, fieldRef.fieldPath, addresses)
        : resourceFieldRef === undefined
          ? ""
          : resourceValue(pod, resourceFieldRef, "", allocatable);
    files.set(path, { content: Buffer.from(text), mode: own ?? mode });
  }
  return files;
}

function allFiles(
  { sources: parts = [], defaultMode = modeDefault }: V1ProjectedVolumeSource,
  sources: ProjectionSources,
): Files {
  const files: Files = new Map();
  const messages: string[] = [];
  for (const part of parts ?? []) {
    try {
      for (const [path, file] of filesOfPart(part, defaultMode, sources)) files.set(path, file);
    } catch (error) {
      messages.push(error instanceof Error ? error.message : String(error));
    }
  }
  if (messages.length > 0) throw new ProjectionError(messages);
  return files;
}

type ProjectedPart = NonNullable<V1ProjectedVolumeSource["sources"]>[number];

function filesOfPart(part: ProjectedPart, mode: number, sources: ProjectionSources): Files {
  const { configMap, secret, downwardAPI, serviceAccountToken } = part;
  if (configMap !== undefined)
    return configMapFiles(configMap.name ?? "", configMap.items, configMap.optional, mode, sources);
  if (secret !== undefined) return secretFiles(secret.name ?? "", secret.items, secret.optional, mode, sources);
  if (downwardAPI !== undefined) return downwardFiles(downwardAPI.items ?? [], mode, sources);
  if (serviceAccountToken === undefined) throw new Error("this kind of projected source is not supported");
  const { audience = "", expirationSeconds = 3600, path } = serviceAccountToken;
  const { fsGroup } = sources.pod.spec?.securityContext ?? {};
  const uid = commonUser(sources.pod);
  const content = Buffer.from(sources.token(audience, expirationSeconds));
  return new Map([[path, { content, mode: uid === undefined && fsGroup === undefined ? mode : 0o600, uid }]]);
}

/** The user that all containers run as, if the pod says one. */
function commonUser({ spec }: Pod): number | undefined {
  const all = [...(spec?.initContainers ?? []), ...(spec?.containers ?? []), ...(spec?.ephemeralContainers ?? [])];
  const users = new Set(
    all.map(({ securityContext }) => securityContext?.runAsUser ?? spec?.securityContext?.runAsUser),
  );
  const [user] = users;
  return users.size === 1 ? user : undefined;
}

/** Every object that a pod's volumes and variables name. */
export interface PodReferences {
  readonly configMaps: ReadonlySet<string>;
  readonly secrets: ReadonlySet<string>;
}

export function podReferences({ spec }: Pod): PodReferences {
  const configMaps = new Set<string>();
  const secrets = new Set<string>();
  const add = (to: Set<string>, name: string | undefined): void => {
    if (name !== undefined && name !== "") to.add(name);
  };
  for (const { configMap, secret, projected } of spec?.volumes ?? []) {
    add(configMaps, configMap?.name);
    add(secrets, secret?.secretName);
    for (const source of projected?.sources ?? []) {
      add(configMaps, source.configMap?.name);
      add(secrets, source.secret?.name);
    }
  }
  const all = [...(spec?.initContainers ?? []), ...(spec?.containers ?? []), ...(spec?.ephemeralContainers ?? [])];
  for (const { env = [], envFrom = [] } of all) {
    for (const { configMapRef, secretRef } of envFrom) {
      add(configMaps, configMapRef?.name);
      add(secrets, secretRef?.name);
    }
    for (const { valueFrom } of env) {
      add(configMaps, valueFrom?.configMapKeyRef?.name);
      add(secrets, valueFrom?.secretKeyRef?.name);
    }
  }
  for (const { name } of spec?.imagePullSecrets ?? []) add(secrets, name);
  return { configMaps, secrets };
}
