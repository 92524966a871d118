/** The sources of persistent volumes: those of pods' volumes, some with rules of their own. Upstream: ValidatePersistentVolumeSpec. */
import type {
  V1AzureFilePersistentVolumeSource,
  V1CinderPersistentVolumeSource,
  V1CSIPersistentVolumeSource,
  V1GlusterfsPersistentVolumeSource,
  V1ISCSIPersistentVolumeSource,
  V1PersistentVolumeSpec,
  V1ScaleIOPersistentVolumeSource,
  V1SecretReference,
  V1StorageOSPersistentVolumeSource,
} from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { forbidden, invalid, required } from "#api/validation/field-errors.ts";
import { rangeError } from "#api/validation/names.ts";
import { dnsLabel, dnsSubdomain, present } from "#api/validation/values.ts";
import { noBackstepsErrors } from "./paths.ts";
import { csiDriverErrors, simpleSources } from "./volume-sources.ts";

type Rule = (source: never, path: string, volumeName: string) => FieldError[];

const iqnForms = [
  /iqn\.\d{4}-\d{2}\.([A-Za-z0-9\-.]+)(:[^,;*&$|\s]+)$/,
  /^eui.[A-Za-z0-9]{16}$/,
  /^naa.[A-Za-z0-9]{32}$/,
];
const iqnPrefixes = ["iqn", "eui", "naa"];
const portalBytesMax = 64;
const portalText =
  "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.";

function iscsiNameErrors(field: string, name: string): FieldError[] {
  const form = iqnForms[iqnPrefixes.findIndex((prefix) => name.startsWith(prefix))];
  return form?.test(name) === true ? [] : [invalid(field, name, "must be valid format")];
}

function iscsiErrors(source: V1ISCSIPersistentVolumeSource, path: string, volumeName: string): FieldError[] {
  const { targetPortal = "", iqn = "", lun = 0, initiatorName, secretRef } = source;
  const errors = present(`${path}.targetPortal`, targetPortal);
  if (initiatorName !== undefined && `${volumeName}:${targetPortal}`.length > portalBytesMax)
    errors.push(invalid(`${path}.targetportal`, targetPortal, portalText));
  errors.push(...(iqn === "" ? [required(`${path}.iqn`)] : iscsiNameErrors(`${path}.iqn`, iqn)));
  if (lun < 0 || lun > 255) errors.push(invalid(`${path}.lun`, lun, rangeError(0, 255)));
  const needsSecret = source.chapAuthDiscovery === true || source.chapAuthSession === true;
  if (needsSecret && secretRef === undefined) errors.push(required(`${path}.secretRef`));
  if (secretRef !== undefined) errors.push(...present(`${path}.secretRef.name`, secretRef.name));
  return initiatorName === undefined ? errors : [...errors, ...iscsiNameErrors(`${path}.initiatorname`, initiatorName)];
}

function glusterfsErrors(source: V1GlusterfsPersistentVolumeSource, path: string): FieldError[] {
  const { endpoints, path: share, endpointsNamespace } = source;
  const field = `${path}.endpointsNamespace`;
  const errors = [...present(`${path}.endpoints`, endpoints), ...present(`${path}.path`, share)];
  if (endpointsNamespace === undefined) return errors;
  if (endpointsNamespace === "")
    return [
      ...errors,
      invalid(field, endpointsNamespace, "if the endpointnamespace is set, it must be a valid namespace name"),
    ];
  return [...errors, ...dnsLabel(field, endpointsNamespace)];
}

function cinderErrors({ volumeID, secretRef }: V1CinderPersistentVolumeSource, path: string): FieldError[] {
  return [...present(`${path}.volumeID`, volumeID), ...namedSecretErrors(secretRef, `${path}.secretRef`)];
}

function azureFileErrors(source: V1AzureFilePersistentVolumeSource, path: string): FieldError[] {
  const { secretName, shareName, secretNamespace } = source;
  const field = `${path}.secretNamespace`;
  return [
    ...present(`${path}.secretName`, secretName),
    ...present(`${path}.shareName`, shareName),
    ...(secretNamespace === "" ? [invalid(field, secretNamespace, "must not be empty")] : []),
  ];
}

function localErrors({ path: directory = "" }: { path?: string }, path: string): FieldError[] {
  if (directory === "") return [required(`${path}.path`)];
  return noBackstepsErrors(`${path}.path`, directory);
}

function storageOsErrors(source: V1StorageOSPersistentVolumeSource, path: string): FieldError[] {
  const { volumeName = "", volumeNamespace = "", secretRef } = source;
  return [
    ...(volumeName === "" ? [required(`${path}.volumeName`)] : dnsLabel(`${path}.volumeName`, volumeName)),
    ...(volumeNamespace === "" ? [] : dnsLabel(`${path}.volumeNamespace`, volumeNamespace)),
    ...namedSecretErrors(secretRef, `${path}.secretRef`),
  ];
}

function namedSecretErrors(secret: V1SecretReference | undefined, path: string): FieldError[] {
  if (secret === undefined) return [];
  return [...present(`${path}.name`, secret.name), ...present(`${path}.namespace`, secret.namespace)];
}

const csiSecrets = [
  "controllerPublishSecretRef",
  "controllerExpandSecretRef",
  "nodePublishSecretRef",
  "nodeExpandSecretRef",
] as const;

function csiErrors(source: V1CSIPersistentVolumeSource, path: string): FieldError[] {
  const errors = [
    ...csiDriverErrors(source.driver, `${path}.driver`),
    ...present(`${path}.volumeHandle`, source.volumeHandle),
  ];
  for (const field of csiSecrets)
    if (source[field] !== undefined) errors.push(...csiSecretErrors(source[field], `${path}.${field}`));
  return errors;
}

const csiSecretErrors = ({ name = "", namespace = "" }: V1SecretReference, path: string): FieldError[] => [
  ...(name === "" ? [required(`${path}.name`)] : dnsSubdomain(`${path}.name`, name)),
  ...(namespace === "" ? [required(`${path}.namespace`)] : dnsLabel(`${path}.namespace`, namespace)),
];

const scaleIoErrors = (
  { gateway, system, volumeName }: V1ScaleIOPersistentVolumeSource,
  path: string,
): FieldError[] => [
  ...present(`${path}.gateway`, gateway),
  ...present(`${path}.system`, system),
  ...present(`${path}.volumeName`, volumeName),
];

const ownRules = {
  iscsi: iscsiErrors,
  glusterfs: glusterfsErrors,
  cinder: cinderErrors,
  azureFile: azureFileErrors,
  scaleIO: scaleIoErrors,
  local: localErrors,
  storageos: storageOsErrors,
  csi: csiErrors,
} as unknown as Readonly<Record<string, Rule>>;

/** In the order in which upstream looks at them: the first one counts, each later one is one too many. */
const sourceOrder = [
  "hostPath",
  "gcePersistentDisk",
  "awsElasticBlockStore",
  "glusterfs",
  "flocker",
  "nfs",
  "rbd",
  "quobyte",
  "cephfs",
  "iscsi",
  "cinder",
  "fc",
  "flexVolume",
  "azureFile",
  "vsphereVolume",
  "photonPersistentDisk",
  "portworxVolume",
  "azureDisk",
  "scaleIO",
  "local",
  "storageos",
  "csi",
] as const;
export const volumeSourceNames: readonly string[] = sourceOrder;

/** Two paths that upstream writes otherwise than the field is called. */
const rulePaths: Readonly<Record<string, string>> = { gcePersistentDisk: "persistentDisk" };
const extraPaths: Readonly<Record<string, string>> = { cephfs: "cephFS" };

export function sourcesErrors(spec: V1PersistentVolumeSpec, volumeName: string, path: string): FieldError[] {
  const given = sourceOrder.filter((name) => spec[name] !== undefined);
  if (given.length === 0) return [required(path, "must specify a volume type")];
  return given.flatMap((name, index) => {
    // A second flexVolume is checked all the same.
    if (index > 0 && name !== "flexVolume")
      return [forbidden(`${path}.${extraPaths[name] ?? name}`, "may not specify more than 1 volume type")];
    const errors = (ownRules[name] ?? (simpleSources[name] as Rule))(
      spec[name] as never,
      `${path}.${rulePaths[name] ?? name}`,
      volumeName,
    );
    if (name === "local" && spec.nodeAffinity === undefined)
      errors.push(required(`${path}.nodeAffinity`, "Local volume requires node affinity"));
    return errors;
  });
}
