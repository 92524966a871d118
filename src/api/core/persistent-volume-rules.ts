/** Defaults and rules of persistent volumes. Upstream: pkg/apis/core/validation/validation.go, ValidatePersistentVolume. */
import { posix } from "node:path";
import type {
  V1NodeSelectorRequirement,
  V1PersistentVolume,
  V1PersistentVolumeSpec,
  V1VolumeNodeAffinity,
} from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { compareText } from "#api/go-text.ts";
import { canonicalQuantity, roundResourceList, toQuantity, wholeValue } from "#api/quantity.ts";
import { forbidden, invalid, notSupported, required } from "#api/validation/field-errors.ts";
import { dnsSubdomain, immutable, immutableError, semanticEqual } from "#api/validation/values.ts";
import { changedFields } from "./changed-fields.ts";
import { sourcesErrors, volumeSourceNames } from "./persistent-volume-sources.ts";
import { nodeSelectorErrors } from "./pod-scheduling.ts";
import { termWarnings } from "./pod-warnings.ts";
import { betaClassAnnotation } from "./storage-texts.ts";

const mountOptionsAnnotation = "volume.beta.kubernetes.io/mount-options";
const reclaimPolicies = ["Delete", "Recycle", "Retain"];
export const accessModes: readonly string[] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const volumeModes = ["Block", "Filesystem"];

export function defaultVolume(volume: V1PersistentVolume): void {
  const { spec, status } = volume;
  if (status !== undefined) status.phase ||= "Pending";
  if (spec === undefined) return;
  spec.persistentVolumeReclaimPolicy ||= "Retain";
  spec.volumeMode ??= "Filesystem";
  roundResourceList(spec.capacity);
  defaultVolumeSource(spec);
}

export function defaultVolumeSource({ hostPath, iscsi, rbd, azureDisk, scaleIO }: V1PersistentVolumeSpec): void {
  if (hostPath !== undefined) hostPath.type ??= "";
  if (iscsi !== undefined) iscsi.iscsiInterface ||= "default";
  if (rbd !== undefined) {
    rbd.pool ||= "rbd";
    rbd.user ||= "admin";
    rbd.keyring ||= "/etc/ceph/keyring";
  }
  if (azureDisk !== undefined) {
    azureDisk.cachingMode ??= "ReadWrite";
    azureDisk.kind ??= "Shared";
    azureDisk.fsType ??= "ext4";
    azureDisk.readOnly ??= false;
  }
  if (scaleIO !== undefined) {
    scaleIO.storageMode ||= "ThinProvisioned";
    scaleIO.fsType ||= "xfs";
  }
}

export function volumeErrors(volume: V1PersistentVolume, old: V1PersistentVolume | undefined): FieldError[] {
  const spec = volume.spec ?? {};
  const specErrors = volumeSpecErrors(spec, volume.metadata.name ?? "", "spec");
  const errors = [...specErrors, ...mountOptionsErrors(volume)];
  // Upstream looks at a changed spec twice.
  return old === undefined ? errors : [...errors, ...specErrors, ...changeErrors(spec, old.spec ?? {})];
}

function volumeSpecErrors(spec: V1PersistentVolumeSpec, volumeName: string, path: string): FieldError[] {
  const { persistentVolumeReclaimPolicy: policy = "", storageClassName = "", volumeMode, nodeAffinity } = spec;
  const errors = [...accessModesErrors(spec.accessModes, path), ...capacityErrors(spec.capacity, path)];
  const policyField = `${path}.persistentVolumeReclaimPolicy`;
  if (policy !== "" && !reclaimPolicies.includes(policy))
    errors.push(notSupported(policyField, policy, reclaimPolicies));
  errors.push(...nodeAffinityErrors(nodeAffinity, `${path}.nodeAffinity`), ...sourcesErrors(spec, volumeName, path));
  if (policy === "Recycle" && spec.hostPath !== undefined && posix.normalize(spec.hostPath.path ?? "") === "/")
    errors.push(forbidden(policyField, "may not be 'recycle' for a hostPath mount of '/'"));
  if (storageClassName !== "") errors.push(...dnsSubdomain(`${path}.storageClassName`, storageClassName));
  if (volumeMode !== undefined && !volumeModes.includes(volumeMode))
    errors.push(notSupported(`${path}.volumeMode`, volumeMode, volumeModes));
  return [...errors, ...attributesClassErrors(spec, path)];
}

/** A spec within an attachment: a CSI volume and little else. */
export function inlineVolumeErrors(spec: V1PersistentVolumeSpec, path: string): FieldError[] {
  const within = "in the context of inline volumes";
  const errors: FieldError[] = [];
  const not = (field: keyof V1PersistentVolumeSpec, text = `may not be specified ${within}`) =>
    errors.push(forbidden(`${path}.${field}`, text));
  if (spec.claimRef !== undefined) not("claimRef");
  if (Object.keys(spec.capacity ?? {}).length > 0) not("capacity");
  if (spec.csi === undefined) errors.push(required(`${path}.csi`, `has to be specified ${within}`));
  errors.push(...accessModesErrors(spec.accessModes, path));
  const { persistentVolumeReclaimPolicy: policy = "", volumeMode } = spec;
  if (policy !== "" && policy !== "Retain") not("persistentVolumeReclaimPolicy", `may only be Retain ${within}`);
  if (spec.nodeAffinity !== undefined) not("nodeAffinity");
  errors.push(...sourcesErrors(spec, "", path));
  if ((spec.storageClassName ?? "") !== "") not("storageClassName");
  if (volumeMode !== undefined && volumeMode !== "Filesystem")
    not("volumeMode", `may not specify volumeMode other than Filesystem ${within}`);
  return [...errors, ...attributesClassErrors(spec, path)];
}

function accessModesErrors(modes: readonly string[] | undefined, path: string): FieldError[] {
  const field = `${path}.accessModes`;
  const given = modes ?? [];
  const errors = given.length === 0 ? [required(field)] : [];
  for (const mode of given) if (!accessModes.includes(mode)) errors.push(notSupported(field, mode, accessModes));
  const others = given.some((mode) => mode !== "ReadWriteOncePod" && accessModes.includes(mode));
  if (others && given.includes("ReadWriteOncePod"))
    errors.push(forbidden(field, "may not use ReadWriteOncePod with other access modes"));
  return errors;
}

function capacityErrors(capacity: Record<string, string> | undefined, path: string): FieldError[] {
  const field = `${path}.capacity`;
  const names = Object.keys(capacity ?? {}).sort(compareText);
  const errors = names.length === 0 ? [required(field)] : [];
  if (names.length !== 1 || names[0] !== "storage") errors.push(notSupported(field, capacity ?? null, ["storage"]));
  for (const name of names) {
    const amount = capacity![name]!;
    const at = `${field}[${name}]`;
    errors.push(...basicQuantityErrors(amount, at));
    if (toQuantity(amount).nanos <= 0n)
      errors.push(invalid(at, canonicalQuantity(amount), "must be greater than zero"));
  }
  return errors;
}

/** Upstream's validateBasicResource. */
export function basicQuantityErrors(amount: string, field: string): FieldError[] {
  const value = wholeValue(amount);
  return value < 0 ? [invalid(field, value, "must be a valid resource quantity")] : [];
}

function nodeAffinityErrors(affinity: V1VolumeNodeAffinity | undefined, path: string): FieldError[] {
  if (affinity === undefined) return [];
  if (affinity.required === undefined) return [required(`${path}.required`, "must specify required node constraints")];
  return nodeSelectorErrors(affinity.required, `${path}.required`);
}

function attributesClassErrors({ volumeAttributesClassName: name, csi }: V1PersistentVolumeSpec, path: string) {
  if (name === undefined) return [];
  const field = `${path}.volumeAttributesClassName`;
  const errors = name === "" ? [required(field, "an empty string is disallowed")] : dnsSubdomain(field, name);
  if (csi === undefined)
    errors.push(required(`${path}.csi`, "has to be specified when using volumeAttributesClassName"));
  return errors;
}

/** Sources whose mounts take options. Upstream: pkg/volume/validation/pv_validation.go. */
const mountable = [
  "gcePersistentDisk",
  "awsElasticBlockStore",
  "glusterfs",
  "nfs",
  "rbd",
  "quobyte",
  "iscsi",
  "cinder",
  "cephfs",
  "azureFile",
  "vsphereVolume",
  "azureDisk",
  "photonPersistentDisk",
] as const;

function mountOptionsErrors({ metadata, spec }: V1PersistentVolume): FieldError[] {
  if (metadata.annotations?.[mountOptionsAnnotation] === undefined) return [];
  if (mountable.some((name) => spec?.[name] !== undefined)) return [];
  const field = `metadata.annotations.${mountOptionsAnnotation}`;
  return [forbidden(field, "may not specify mount options for this volume type")];
}

/** The source stays, but for a secret that it lacked. */
function changeErrors(spec: V1PersistentVolumeSpec, old: V1PersistentVolumeSpec): FieldError[] {
  const errors: FieldError[] = [];
  const [source, oldSource] = [sourceOf(spec, old), sourceOf(old, old)];
  const field = "spec.persistentvolumesource";
  if (!semanticEqual(source, oldSource)) {
    const changes = changedFields("core.PersistentVolumeSource", source, oldSource);
    errors.push(forbidden(field, `${field} is immutable after creation\n${changes}`));
  }
  errors.push(...immutable("volumeMode", spec.volumeMode, old.volumeMode));
  if (old.nodeAffinity !== undefined && !isSameAffinity(spec.nodeAffinity, old.nodeAffinity))
    errors.push(
      invalid(
        "nodeAffinity",
        spec.nodeAffinity ?? null,
        `${immutableError}, except for updating from beta label to GA`,
      ),
    );
  if (old.volumeAttributesClassName !== undefined && spec.volumeAttributesClassName === undefined)
    errors.push(forbidden("spec.volumeAttributesClassName", "update from non-nil value to nil is forbidden"));
  return errors;
}

function sourceOf(spec: V1PersistentVolumeSpec, old: V1PersistentVolumeSpec): Record<string, unknown> {
  const fields = spec as Record<string, unknown>;
  const source = Object.fromEntries(
    volumeSourceNames.flatMap((name) => (fields[name] === undefined ? [] : [[name, fields[name]]])),
  );
  if (spec.csi !== undefined && old.csi !== undefined && old.csi.controllerExpandSecretRef === undefined) {
    const { controllerExpandSecretRef: _, ...csi } = spec.csi;
    source["csi"] = csi;
  }
  return source;
}

const stableLabels: Readonly<Record<string, string>> = {
  "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
  "beta.kubernetes.io/os": "kubernetes.io/os",
  "beta.kubernetes.io/arch": "kubernetes.io/arch",
  "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
};

/** Labels of old versions may become those of today, not the other way round. Upstream: validatePvNodeAffinity. */
function isSameAffinity(affinity: V1VolumeNodeAffinity | undefined, old: V1VolumeNodeAffinity): boolean {
  const terms = affinity?.required?.nodeSelectorTerms ?? [];
  const oldTerms = old.required?.nodeSelectorTerms ?? [];
  if (affinity === undefined || terms.length !== oldTerms.length) return false;
  return oldTerms.every((term, index) => {
    const now = terms[index]!;
    return (
      isSameRequirements(now.matchExpressions, term.matchExpressions) &&
      isSameRequirements(now.matchFields, term.matchFields)
    );
  });
}

const isSameRequirements = (now: V1NodeSelectorRequirement[] = [], old: V1NodeSelectorRequirement[] = []): boolean =>
  now.length === old.length &&
  old.every((each, index) => {
    const { key } = now[index]!;
    return semanticEqual(now[index], stableLabels[each.key] === key ? { ...each, key } : each);
  });

/** Whatever a client says of the phase is taken. */
export const volumeStatusErrors = (): FieldError[] => [];

const retired: readonly [source: keyof V1PersistentVolumeSpec, text: string][] = [
  ["cephfs", "deprecated in v1.28, non-functional in v1.31+"],
  ["photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"],
  ["rbd", "deprecated in v1.28, non-functional in v1.31+"],
  ["scaleIO", "deprecated in v1.16, non-functional in v1.22+"],
  ["storageos", "deprecated in v1.22, non-functional in v1.25+"],
  ["glusterfs", "deprecated in v1.25, non-functional in v1.26+"],
];

export function volumeWarnings({ metadata, spec = {} }: V1PersistentVolume): string[] {
  const warnings: string[] = [];
  const annotated = (annotation: string, text: string) => {
    if (metadata.annotations?.[annotation] !== undefined) warnings.push(`metadata.annotations[${annotation}]: ${text}`);
  };
  annotated(betaClassAnnotation, 'deprecated since v1.8; use "storageClassName" attribute instead');
  annotated(mountOptionsAnnotation, 'deprecated since v1.31; use "mountOptions" attribute instead');
  if (spec.persistentVolumeReclaimPolicy === "Recycle")
    warnings.push(
      "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.",
    );
  for (const [index, term] of (spec.nodeAffinity?.required?.nodeSelectorTerms ?? []).entries())
    warnings.push(...termWarnings(term, `spec.nodeAffinity.required.nodeSelectorTerms[${index}]`));
  for (const [source, text] of retired) if (spec[source] !== undefined) warnings.push(`spec.${source}: ${text}`);
  return warnings;
}
