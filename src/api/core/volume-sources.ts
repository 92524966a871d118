/**
 * The rules of one volume source each, for pods and persistent volumes: field name → rule. Upstream:
 * pkg/apis/core/validation/validation.go, validateVolumeSource. What is projected from objects is in volume-projections.ts.
 */
import type {
  V1AzureDiskVolumeSource,
  V1FCVolumeSource,
  V1FlockerVolumeSource,
  V1HostPathVolumeSource,
  V1ISCSIVolumeSource,
  V1QuobyteVolumeSource,
} from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { forbidden, invalid, invalidEach, notSupported, required } from "#api/validation/field-errors.ts";
import { isDns1123Subdomain, rangeError } from "#api/validation/names.ts";
import { dnsLabel, dnsSubdomain, oneOfIfSet, present } from "#api/validation/values.ts";
import { isZeroQuantity, toQuantity } from "#api/quantity.ts";
import { descendingPathErrors, noBackstepsErrors } from "./paths.ts";

/** A rule for a source at `path`. */
export type SourceRule = (source: never, path: string) => FieldError[];
const rule = <T>(check: (source: T, path: string) => FieldError[]) => check as unknown as SourceRule;

/** Fields that must not be empty, in upstream's order. */
const needs = (...fields: string[]) =>
  rule<Record<string, unknown>>((source, path) =>
    fields.flatMap((field) => {
      const value = source[field];
      const isEmpty =
        value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0);
      return isEmpty ? [required(`${path}.${field}`)] : [];
    }),
  );

const all = (...rules: SourceRule[]): SourceRule =>
  rule<never>((source, path) => rules.flatMap((check) => check(source, path)));

const partition = rule<{ partition?: number }>(({ partition: part = 0 }, path) =>
  part < 0 || part > 255 ? [invalid(`${path}.partition`, part, rangeError(1, 255))] : [],
);

const hostPathTypes = [
  "",
  "BlockDevice",
  "CharDevice",
  "Directory",
  "DirectoryOrCreate",
  "File",
  "FileOrCreate",
  "Socket",
];

export function hostPathErrors(
  { path: hostPath = "", type }: Partial<V1HostPathVolumeSource>,
  path: string,
): FieldError[] {
  if (hostPath === "") return [required(`${path}.path`)];
  return [...noBackstepsErrors(`${path}.path`, hostPath), ...oneOfIfSet(`${path}.type`, type, hostPathTypes)];
}

const iqnRule = /iqn\.\d{4}-\d{2}\.([A-Za-z0-9\-.]+)(:[^,;*&$|\s]+)$/;
const euiRule = /^eui.[A-Za-z0-9]{16}$/;
const naaRule = /^naa.[A-Za-z0-9]{32}$/;

function iscsiNameErrors(field: string, name: string): FieldError[] {
  const form = name.startsWith("iqn")
    ? iqnRule
    : name.startsWith("eui")
      ? euiRule
      : name.startsWith("naa")
        ? naaRule
        : undefined;
  if (form === undefined) return [invalid(field, name, "must be valid format starting with iqn, eui, or naa")];
  return form.test(name) ? [] : [invalid(field, name, "must be valid format")];
}

function iscsiErrors(source: V1ISCSIVolumeSource, path: string): FieldError[] {
  const { targetPortal, iqn, lun = 0, initiatorName } = source;
  const errors = present(`${path}.targetPortal`, targetPortal);
  errors.push(...(iqn ? iscsiNameErrors(`${path}.iqn`, iqn) : [required(`${path}.iqn`)]));
  if (lun < 0 || lun > 255) errors.push(invalid(`${path}.lun`, lun, rangeError(0, 255)));
  if ((source.chapAuthDiscovery || source.chapAuthSession) && source.secretRef === undefined)
    errors.push(required(`${path}.secretRef`));
  if (initiatorName !== undefined) errors.push(...iscsiNameErrors(`${path}.initiatorname`, initiatorName));
  return errors;
}

function fcErrors({ targetWWNs = [], wwids = [], lun }: V1FCVolumeSource, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (targetWWNs.length === 0 && wwids.length === 0)
    errors.push(required(`${path}.targetWWNs`, "must specify either targetWWNs or wwids, but not both"));
  if (targetWWNs.length > 0 && wwids.length > 0)
    errors.push(invalid(`${path}.targetWWNs`, targetWWNs, "targetWWNs and wwids can not be specified simultaneously"));
  if (targetWWNs.length === 0) return errors;
  if (lun === undefined) errors.push(required(`${path}.lun`, "lun is required if targetWWNs is specified"));
  else if (lun < 0 || lun > 255) errors.push(invalid(`${path}.lun`, lun, rangeError(0, 255)));
  return errors;
}

function flockerErrors({ datasetName = "", datasetUUID = "" }: V1FlockerVolumeSource, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (datasetName === "" && datasetUUID === "")
    errors.push(required(path, "one of datasetName and datasetUUID is required"));
  if (datasetName !== "" && datasetUUID !== "")
    errors.push(invalid(path, "resource", "datasetName and datasetUUID can not be specified simultaneously"));
  if (datasetName.includes("/")) errors.push(invalid(`${path}.datasetName`, datasetName, "must not contain '/'"));
  return errors;
}

const registryText = "must be a host:port pair or multiple pairs separated by commas";
const tenantBytesMax = 64;

function quobyteErrors({ registry, tenant = "", volume }: V1QuobyteVolumeSource, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!registry) errors.push(required(`${path}.registry`, registryText));
  else if (tenant.length > tenantBytesMax)
    errors.push(required(`${path}.tenant`, "must be a UUID and may not exceed a length of 64 characters"));
  else
    for (const pair of registry.split(","))
      if (!/^(\[[^\]]*\]|[^:[\]]*):[^:]*$/.test(pair)) errors.push(invalid(`${path}.registry`, registry, registryText));
  return [...errors, ...present(`${path}.volume`, volume)];
}

const managedDisk = ["/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"];
const blobDisk = ["https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"];

function azureDiskErrors(
  { diskName, diskURI = "", cachingMode, kind }: V1AzureDiskVolumeSource,
  path: string,
): FieldError[] {
  const errors = [
    ...present(`${path}.diskName`, diskName),
    ...present(`${path}.diskURI`, diskURI),
    ...oneOfIfSet(`${path}.cachingMode`, cachingMode, ["None", "ReadOnly", "ReadWrite"]),
    ...oneOfIfSet(`${path}.kind`, kind, ["Dedicated", "Managed", "Shared"]),
  ];
  if (kind === "Managed" && !diskURI.startsWith("/subscriptions/"))
    errors.push(notSupported(`${path}.diskURI`, diskURI, managedDisk));
  if (kind !== undefined && kind !== "Managed" && !diskURI.startsWith("https://"))
    errors.push(notSupported(`${path}.diskURI`, diskURI, blobDisk));
  return errors;
}

const reservedOption = /(^|\.)(kubernetes\.io|k8s\.io)$/;

function flexVolumeErrors(
  { driver, options }: { driver?: string; options?: Record<string, string> },
  path: string,
): FieldError[] {
  const errors = present(`${path}.driver`, driver);
  for (const key in options) {
    const namespace = key.includes("/") ? key.slice(0, key.indexOf("/")) : key;
    if (reservedOption.test(namespace.toLowerCase()))
      errors.push(invalid(`${path}.options[${key}]`, key, "kubernetes.io and k8s.io namespaces are reserved"));
  }
  return errors;
}

const secretRefName = rule<{ secretRef?: { name?: string } }>(({ secretRef }, path) =>
  secretRef === undefined ? [] : present(`${path}.secretRef.name`, secretRef.name),
);

const nfs = all(
  needs("server"),
  rule<{ path?: string }>(({ path: share = "" }, path) => [
    ...present(`${path}.path`, share),
    ...(share.startsWith("/") ? [] : [invalid(`${path}.path`, share, "must be an absolute path")]),
  ]),
);

const storageOs = rule<{ volumeName?: string; volumeNamespace?: string; secretRef?: { name?: string } }>(
  ({ volumeName, volumeNamespace, secretRef }, path) => [
    ...(volumeName ? dnsLabel(`${path}.volumeName`, volumeName) : [required(`${path}.volumeName`)]),
    ...(volumeNamespace ? dnsLabel(`${path}.volumeNamespace`, volumeNamespace) : []),
    ...(secretRef === undefined ? [] : present(`${path}.secretRef.name`, secretRef.name)),
  ],
);

const csiDriverBytesMax = 63;

export function csiDriverErrors(driver: string | undefined, path: string): FieldError[] {
  if (driver === undefined || driver === "") return [required(path)];
  const errors: FieldError[] = [];
  if (driver.length > csiDriverBytesMax)
    errors.push({
      field: path,
      type: "FieldValueTooLong",
      message: `Too long: may not be more than ${csiDriverBytesMax} bytes`,
    });
  return [...errors, ...invalidEach(path, driver, isDns1123Subdomain(driver.toLowerCase()))];
}

const csi = rule<{ driver?: string; nodePublishSecretRef?: { name?: string } }>(
  ({ driver, nodePublishSecretRef }, path) => [
    ...csiDriverErrors(driver, `${path}.driver`),
    ...(nodePublishSecretRef === undefined ? [] : publishSecretErrors(nodePublishSecretRef, path)),
  ],
);

/** Upstream reports a name that is no name beside the reference, not in it. */
const publishSecretErrors = ({ name = "" }: { name?: string }, path: string) =>
  name === "" ? [required(`${path}.nodePublishSecretRef.name`)] : dnsSubdomain(`${path}.name`, name);

const emptyDir = rule<{ sizeLimit?: string }>(({ sizeLimit }, path) =>
  sizeLimit !== undefined && !isZeroQuantity(sizeLimit) && toQuantity(sizeLimit).nanos < 0n
    ? [forbidden(`${path}.sizeLimit`, "SizeLimit field must be a valid resource quantity")]
    : [],
);

const image = rule<{ pullPolicy?: string }>(({ pullPolicy }, path) =>
  oneOfIfSet(`${path}.pullPolicy`, pullPolicy, ["Always", "IfNotPresent", "Never"]),
);

const gitRepo = all(
  needs("repository"),
  rule<{ directory?: string }>(({ directory = "" }, path) => descendingPathErrors(`${path}.directory`, directory)),
);

/** Sources that need no knowledge of the pod. The order in which they are checked is in volumes.ts. */
export const simpleSources: Readonly<Record<string, SourceRule>> = {
  emptyDir,
  hostPath: rule(hostPathErrors),
  gitRepo,
  gcePersistentDisk: all(needs("pdName"), partition),
  awsElasticBlockStore: all(needs("volumeID"), partition),
  nfs,
  iscsi: rule(iscsiErrors),
  glusterfs: needs("endpoints", "path"),
  flocker: rule(flockerErrors),
  persistentVolumeClaim: needs("claimName"),
  rbd: needs("monitors", "image"),
  cinder: all(needs("volumeID"), secretRefName),
  cephfs: needs("monitors"),
  quobyte: rule(quobyteErrors),
  fc: rule(fcErrors),
  flexVolume: rule(flexVolumeErrors),
  azureFile: needs("secretName", "shareName"),
  vsphereVolume: needs("volumePath"),
  photonPersistentDisk: needs("pdID"),
  portworxVolume: needs("volumeID"),
  azureDisk: rule(azureDiskErrors),
  storageos: storageOs,
  scaleIO: needs("gateway", "system", "volumeName"),
  csi,
  image,
};
