/** Claims as volumes: a bound claim's volume, where that is a directory of this node. Other kinds need a driver. */
import { stat } from "node:fs/promises";
import { PersistentVolumeClaim } from "#api/core/persistent-volume-claim.ts";
import { PersistentVolume } from "#api/core/persistent-volume.ts";
import type { Pod } from "#api/core/pod.ts";
import type { V1PersistentVolumeClaimVolumeSource } from "#api/generated/types.ts";
import type { Client } from "#client/client.ts";
import { prepareHostPath } from "./host-path.ts";

export interface ClaimedDirectory {
  readonly hostPath: string;
  readonly readOnly: boolean;
}

export class ClaimVolumes {
  readonly #client: Client;
  readonly #nodeName: string;

  constructor(client: Client, nodeName: string) {
    this.#client = client;
    this.#nodeName = nodeName;
  }

  async mountable(pod: Pod, source: V1PersistentVolumeClaimVolumeSource): Promise<ClaimedDirectory> {
    const { namespace = "" } = pod.metadata;
    const { claimName: name, readOnly = false } = source;
    const claim = await this.#client.get(PersistentVolumeClaim, { namespace, name });
    return await this.#bound(claim, readOnly);
  }

  /** The claim that was made for this very pod. */
  async ephemeral(pod: Pod, volume: string): Promise<ClaimedDirectory> {
    const { namespace = "", uid, name: podName = "" } = pod.metadata;
    const name = `${podName}-${volume}`;
    const claim = await this.#client.get(PersistentVolumeClaim, { namespace, name });
    if (!(claim.metadata.ownerReferences ?? []).some((owner) => owner.uid === uid && owner.controller === true))
      throw new Error(`PVC ${namespace}/${name} was not created for pod ${namespace}/${podName} (pod is not owner)`);
    return await this.#bound(claim, false);
  }

  async #bound(claim: PersistentVolumeClaim, readOnly: boolean): Promise<ClaimedDirectory> {
    const { namespace = "", name = "" } = claim.metadata;
    const { volumeName = "", volumeMode = "Filesystem" } = claim.spec ?? {};
    if (volumeName === "" || claim.status?.phase !== "Bound") throw new Error(`PVC is not bound: ${namespace}/${name}`);
    if (volumeMode !== "Filesystem") throw new Error(`volume mode ${volumeMode} is not supported by this node`);
    const volume = await this.#client.get(PersistentVolume, { name: volumeName });
    if (volume.spec?.claimRef?.uid !== claim.metadata.uid)
      throw new Error(`PVC ${namespace}/${name} is bound to a volume that is bound to another: ${volumeName}`);
    return { hostPath: await this.#directory(volume), readOnly };
  }

  async #directory({ metadata, spec }: PersistentVolume): Promise<string> {
    if (spec?.hostPath !== undefined) return prepareHostPath(spec.hostPath);
    if (spec?.local === undefined)
      throw new Error(`volume ${metadata.name ?? ""} is of a type that node ${this.#nodeName} does not support`);
    const { path } = spec.local;
    if (
      !(await stat(path).then(
        (found) => found.isDirectory(),
        () => false,
      ))
    )
      throw new Error(`local volume "${metadata.name ?? ""}": path "${path}" does not exist`);
    return path;
  }
}
