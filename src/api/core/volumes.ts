/** The volumes of a pod: one source each, names that are labels and unique. Upstream: ValidateVolumes. */
import type { V1ObjectMeta, V1Volume } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { goQuote } from "#api/go-text.ts";
import { duplicate, forbidden, invalid, invalidEach, required } from "#api/validation/field-errors.ts";
import { isDns1123Subdomain } from "#api/validation/names.ts";
import { dnsLabel, present } from "#api/validation/values.ts";
import { ephemeralClaimErrors } from "./claim-template.ts";
import {
  configMapVolumeErrors,
  downwardVolumeErrors,
  projectedVolumeErrors,
  secretVolumeErrors,
} from "./volume-projections.ts";
import { type SourceRule, simpleSources } from "./volume-sources.ts";

const objectSources = {
  secret: secretVolumeErrors,
  downwardAPI: downwardVolumeErrors,
  configMap: configMapVolumeErrors,
  projected: projectedVolumeErrors,
  ephemeral: ephemeralClaimErrors,
} as unknown as Readonly<Record<string, SourceRule>>;

/** The order in which upstream looks at sources: the first one counts, each later one is one too many. */
const sourceOrder = [
  "emptyDir",
  "hostPath",
  "gitRepo",
  "gcePersistentDisk",
  "awsElasticBlockStore",
  "secret",
  "nfs",
  "iscsi",
  "glusterfs",
  "flocker",
  "persistentVolumeClaim",
  "rbd",
  "cinder",
  "cephfs",
  "quobyte",
  "downwardAPI",
  "fc",
  "flexVolume",
  "configMap",
  "azureFile",
  "vsphereVolume",
  "photonPersistentDisk",
  "portworxVolume",
  "azureDisk",
  "storageos",
  "projected",
  "scaleIO",
  "csi",
  "ephemeral",
  "image",
];

const rank = new Map(sourceOrder.map((name, index) => [name, index]));
const portalBytesMax = 64;

/** Where upstream's paths are not the field's name: of a source's own faults, and of one source too many. */
const ownPaths: Readonly<Record<string, string>> = { gcePersistentDisk: "persistentDisk" };
const surplusPaths: Readonly<Record<string, string>> = { cephfs: "cephFS", downwardAPI: "downwarAPI" };

/** Names of the sources of a volume, in upstream's order. */
function sourcesOf(volume: V1Volume): string[] {
  const names: string[] = [];
  for (const name in volume) if (rank.has(name) && volume[name as keyof V1Volume] !== undefined) names.push(name);
  return names.length > 1 ? names.sort((a, b) => rank.get(a)! - rank.get(b)!) : names;
}

function sourceErrors(volume: V1Volume, meta: V1ObjectMeta | undefined, path: string): FieldError[] {
  const sources = sourcesOf(volume);
  if (sources.length === 0) return [required(path, "must specify a volume type")];
  return sources.flatMap((source, index) => [
    ...(index === 0
      ? firstSourceErrors(source, volume, meta, path)
      : [forbidden(`${path}.${surplusPaths[source] ?? source}`, "may not specify more than 1 volume type")]),
    ...(source === "iscsi" ? portalErrors(volume, path) : []),
  ]);
}

function firstSourceErrors(
  source: string,
  volume: V1Volume,
  meta: V1ObjectMeta | undefined,
  path: string,
): FieldError[] {
  const check = objectSources[source] ?? simpleSources[source]!;
  const errors = check(volume[source as keyof V1Volume] as never, `${path}.${ownPaths[source] ?? source}`);
  if (source === "image") return [...referenceErrors(volume, meta, path), ...errors];
  return source === "ephemeral" ? [...errors, ...claimNameErrors(volume.name, meta?.name ?? "", path)] : errors;
}

/** A template may leave the image to who makes pods of it. */
const referenceErrors = ({ image }: V1Volume, meta: V1ObjectMeta | undefined, path: string) =>
  meta === undefined ? [] : present(`${path}.image.reference`, image?.reference);

/** The claim of an ephemeral volume is named after pod and volume. */
function claimNameErrors(name: string | undefined, podName: string, path: string): FieldError[] {
  if (!name || podName === "") return [];
  const claim = `${podName}-${name}`;
  return invalidEach(
    `${path}.name`,
    name,
    isDns1123Subdomain(claim).map((fault) => `PVC name ${goQuote(claim)}: ${fault}`),
  );
}

function portalErrors({ name = "", iscsi }: Partial<V1Volume>, path: string): FieldError[] {
  if (iscsi?.initiatorName === undefined) return [];
  if (Buffer.byteLength(`${name}:${iscsi.targetPortal ?? ""}`) <= portalBytesMax) return [];
  const text =
    "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.";
  return [invalid(`${path}.name`, name, text)];
}

/** Adds the faults to `errors`; returns the faultless volumes by name. `meta` is undefined in a template. */
export function volumesErrors(
  volumes: readonly V1Volume[] | undefined,
  meta: V1ObjectMeta | undefined,
  path: string,
  errors: FieldError[],
): Map<string, V1Volume> {
  const byName = new Map<string, V1Volume>();
  if (volumes === undefined) return byName;
  const createdClaims = new Set<string>();
  if (meta?.name) for (const { name, ephemeral } of volumes) if (ephemeral) createdClaims.add(`${meta.name}-${name}`);
  for (const [index, volume] of volumes.entries()) {
    const at = `${path}[${index}]`;
    const { name = "" } = volume as Partial<V1Volume>;
    const faults = sourceErrors(volume, meta, at);
    faults.push(...(name === "" ? [required(`${at}.name`)] : dnsLabel(`${at}.name`, name)));
    if (byName.has(name)) faults.push(duplicate(`${at}.name`, name));
    if (faults.length === 0) byName.set(name, volume);
    errors.push(...faults);
    const claim = volume.persistentVolumeClaim?.claimName;
    if (claim !== undefined && createdClaims.has(claim)) {
      const text = "must not reference a PVC that gets created for an ephemeral volume";
      errors.push(invalid(`${at}.persistentVolumeClaim.claimName`, claim, text));
    }
  }
  return byName;
}
