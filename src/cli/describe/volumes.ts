/** Volumes of a pod or of a pod template. */
import type { V1Volume, V1VolumeProjection } from "#api/generated/types.ts";
import type { Writer } from "./writer.ts";

export function writeVolumes(writer: Writer, volumes: readonly V1Volume[] | undefined, isTemplate: boolean): void {
  const none = volumes === undefined || volumes.length === 0;
  writer.line(isTemplate ? 1 : 0, `Volumes:${none ? "\t<none>" : ""}`);
  for (const volume of volumes ?? []) {
    writer.line(1, `${isTemplate ? " " : ""}${volume.name}:`);
    for (const [level, text] of volumeLines(volume)) writer.line(level, text);
  }
}

type Line = readonly [level: number, text: string];

function fields(type: string, values: readonly (readonly [string, unknown])[]): Line[] {
  return [[2, `Type:\t${type}`], ...values.map(([name, value]): Line => [2, `${name}:\t${String(value)}`])];
}

function volumeLines(volume: V1Volume): Line[] {
  const { hostPath, emptyDir, secret, configMap, nfs, persistentVolumeClaim, downwardAPI, projected, csi, image } =
    volume;
  if (hostPath)
    return fields("HostPath (bare host directory volume)", [
      ["Path", hostPath.path],
      ["HostPathType", hostPath.type ?? "<none>"],
    ]);
  if (emptyDir)
    return fields("EmptyDir (a temporary directory that shares a pod's lifetime)", [
      ["Medium", emptyDir.medium ?? ""],
      ["SizeLimit", emptyDir.sizeLimit ?? "<unset>"],
    ]);
  if (secret)
    return fields("Secret (a volume populated by a Secret)", [
      ["SecretName", secret.secretName ?? ""],
      ["Optional", secret.optional === true],
    ]);
  if (configMap)
    return fields("ConfigMap (a volume populated by a ConfigMap)", [
      ["Name", configMap.name ?? ""],
      ["Optional", configMap.optional === true],
    ]);
  if (nfs)
    return fields("NFS (an NFS mount that lasts the lifetime of a pod)", [
      ["Server", nfs.server],
      ["Path", nfs.path],
      ["ReadOnly", nfs.readOnly === true],
    ]);
  if (persistentVolumeClaim)
    return fields("PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)", [
      ["ClaimName", persistentVolumeClaim.claimName],
      ["ReadOnly", persistentVolumeClaim.readOnly === true],
    ]);
  if (csi)
    return fields("CSI (a Container Storage Interface (CSI) volume source)", [
      ["Driver", csi.driver],
      ["FSType", csi.fsType ?? ""],
      ["ReadOnly", csi.readOnly === true],
    ]);
  if (image)
    return fields("Image (a container image or OCI artifact)", [
      ["Reference", image.reference ?? ""],
      ["PullPolicy", image.pullPolicy ?? ""],
    ]);
  if (downwardAPI)
    return [
      [2, "Type:\tDownwardAPI (a volume populated by information about the pod)"],
      [2, "Items:"],
      ...(downwardAPI.items ?? []).map(({ fieldRef, resourceFieldRef, path }): Line => [
        3,
        `${fieldRef?.fieldPath ?? resourceFieldRef?.resource ?? ""} -> ${path}`,
      ]),
    ];
  if (projected)
    return [
      [2, "Type:\tProjected (a volume that contains injected data from multiple sources)"],
      ...(projected.sources ?? []).flatMap(projectionLines),
    ];
  return [[2, "<unknown>"]];
}

function projectionLines({ secret, downwardAPI, configMap, serviceAccountToken }: V1VolumeProjection): Line[] {
  if (secret)
    return [
      [2, `SecretName:\t${secret.name ?? ""}`],
      [2, `Optional:\t${secret.optional === true}`],
    ];
  if (downwardAPI) return [[2, "DownwardAPI:\ttrue"]];
  if (configMap)
    return [
      [2, `ConfigMapName:\t${configMap.name ?? ""}`],
      [2, `Optional:\t${configMap.optional === true}`],
    ];
  if (serviceAccountToken) return [[2, `TokenExpirationSeconds:\t${serviceAccountToken.expirationSeconds ?? 3600}`]];
  return [];
}
