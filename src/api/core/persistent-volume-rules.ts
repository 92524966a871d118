/** Defaults and rules of persistent volumes. Upstream: pkg/apis/core/validation/validation.go, ValidatePersistentVolume. */
import type { V1PersistentVolume } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { roundResourceList } from "#api/quantity.ts";

export function defaultVolume(volume: V1PersistentVolume): void {
  const { spec, status } = volume;
  if (status !== undefined) status.phase ||= "Pending";
  if (spec === undefined) return;
  spec.persistentVolumeReclaimPolicy ||= "Retain";
  spec.volumeMode ??= "Filesystem";
  roundResourceList(spec.capacity);
  const { hostPath, iscsi, rbd, azureDisk, scaleIO } = spec;
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

export function volumeErrors(_volume: V1PersistentVolume, _old: V1PersistentVolume | undefined): FieldError[] {
  return [];
}

export function volumeStatusErrors(_volume: V1PersistentVolume): FieldError[] {
  return [];
}

export function volumeWarnings(_volume: V1PersistentVolume): string[] {
  return [];
}
