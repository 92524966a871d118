/** The volumes of pods on this node: set up before the sandbox, refreshed while the pod runs, taken away when it ends. */
import { mkdir, readdir, readFile, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "#lib/clock.ts";
import type { Pod } from "#api/core/pod.ts";
import type { V1EmptyDirVolumeSource, V1Volume } from "#api/generated/types.ts";
import { wholeValue } from "#api/quantity.ts";
import type { AgentPaths } from "#agent/agent-paths.ts";
import type { Allocatable, PodAddresses } from "#agent/pod/field-ref.ts";
import { podLimits } from "#agent/pod/pod-resources.ts";
import { isMountPoint, mountTmpfs, unmountBelow } from "#agent/system/mounts.ts";
import { makeVolumeDirectory, ownVolumeDirectory, writeAtomically } from "./atomic-writer.ts";
import type { ClaimVolumes } from "./claim-volumes.ts";
import { prepareHostPath } from "./host-path.ts";
import type { ImageVolumes } from "./image-volumes.ts";
import type { ObjectCaches } from "./object-caches.ts";
import { projectedFiles, type ProjectionSources } from "./projections.ts";
import type { ServiceAccountTokens } from "./service-account-tokens.ts";

const imageKind = "image";

/** Upstream's event text around an error of one volume. */
class VolumeError extends Error {
  constructor(volume: string, cause: unknown) {
    const text = cause instanceof Error ? cause.message : String(cause);
    super(`MountVolume.SetUp failed for volume "${volume}" : ${text}`, { cause });
  }
}

export interface MountableVolume {
  readonly hostPath: string;
  /** Whatever a mount asks for. */
  readonly readOnly: boolean;
}

export interface PodVolumesOptions {
  readonly paths: AgentPaths;
  readonly objects: ObjectCaches;
  readonly tokens: ServiceAccountTokens;
  readonly images: ImageVolumes;
  readonly claims: ClaimVolumes;
  readonly clock: Clock;
  allocatable(): Allocatable;
}

export class PodVolumes {
  readonly #options: PodVolumesOptions;

  constructor(options: PodVolumesOptions) {
    this.#options = options;
  }

  /** Twice is the same as once. All volumes are tried; the first error is thrown. */
  async setUp(pod: Pod, addresses: PodAddresses): Promise<ReadonlyMap<string, MountableVolume>> {
    await mkdir(this.podDirectory(pod), { recursive: true, mode: 0o750 });
    const mountable = new Map<string, MountableVolume>();
    const errors: VolumeError[] = [];
    for (const volume of pod.spec?.volumes ?? []) {
      try {
        mountable.set(volume.name, await this.#setUpOne(pod, volume, addresses));
      } catch (error) {
        errors.push(new VolumeError(volume.name, error));
      }
    }
    if (errors[0] !== undefined) throw errors[0];
    return mountable;
  }

  /** Takes away everything that a pod had on disk and in memory. */
  async tearDown(pod: Pod): Promise<void> {
    await this.tearDownUid(pod.metadata.uid ?? "");
  }

  async tearDownUid(uid: string): Promise<void> {
    const { paths, tokens, objects } = this.#options;
    const directory = join(paths.pods, uid);
    const images = join(directory, "volumes", imageKind);
    for (const name of await readdir(images).catch(() => [])) await this.#options.images.remove(join(images, name));
    await unmountBelow(directory);
    await rm(directory, { recursive: true, force: true });
    await rm(join(paths.memory, uid), { recursive: true, force: true });
    tokens.forget(uid);
    objects.drop(uid);
  }

  /** When the first of the pod's tokens wants to be renewed. */
  renewAtMs(pod: Pod): number | undefined {
    return this.#options.tokens.renewAtMs(pod);
  }

  podDirectory({ metadata }: Pod): string {
    return join(this.#options.paths.pods, metadata.uid ?? "");
  }

  /** An image is there only when a container that mounts it is about to start: `id` is the runtime's. */
  async mountImage(pod: Pod, volume: string, id: string): Promise<void> {
    await this.#options.images.mount(id, this.#place(pod, imageKind, volume));
  }

  /** The text of a file in an emptyDir, for variables. Links are not followed out of the volume. */
  async readFile(pod: Pod, volume: string, path: string): Promise<string | undefined> {
    const base = this.#place(pod, "empty-dir", volume);
    if (path.startsWith("/") || path.split("/").includes("..")) return undefined;
    try {
      const real = await realpath(join(base, path));
      return real.startsWith(`${base}/`) ? await readFile(real, "utf8") : undefined;
    } catch {
      return undefined;
    }
  }

  async #setUpOne(pod: Pod, volume: V1Volume, addresses: PodAddresses): Promise<MountableVolume> {
    if (volume.hostPath !== undefined) return { hostPath: prepareHostPath(volume.hostPath), readOnly: false };
    if (volume.emptyDir !== undefined) return await this.#emptyDir(pod, volume.name, volume.emptyDir);
    if (volume.image !== undefined) return { hostPath: this.#place(pod, imageKind, volume.name), readOnly: true };
    if (volume.persistentVolumeClaim !== undefined)
      return await this.#options.claims.mountable(pod, volume.persistentVolumeClaim);
    if (volume.ephemeral !== undefined) return await this.#options.claims.ephemeral(pod, volume.name);
    if (volume.projected !== undefined) await this.#options.tokens.fetch(pod);
    const files = projectedFiles(volume, this.#sources(pod, addresses));
    if (files === undefined) throw new Error(`volumes of this type are not supported by this node`);
    const { fsGroup } = pod.spec?.securityContext ?? {};
    const inMemory = volume.configMap === undefined;
    const hostPath = inMemory
      ? join(this.#options.paths.memory, pod.metadata.uid ?? "", volume.name)
      : this.#place(pod, "config-map", volume.name);
    makeVolumeDirectory(hostPath, inMemory ? 0o1777 : 0o777, fsGroup, 0o440);
    writeAtomically(hostPath, files, fsGroup, new Date(this.#options.clock.now()));
    return { hostPath, readOnly: true };
  }

  #sources(pod: Pod, addresses: PodAddresses): ProjectionSources {
    const { objects, tokens, allocatable } = this.#options;
    const { namespace = "" } = pod.metadata;
    return {
      pod,
      addresses,
      allocatable: allocatable(),
      configMap: (name) => objects.configMap(namespace, name),
      secret: (name) => objects.secret(namespace, name),
      token: (audience, seconds) => tokens.token(pod, audience, seconds),
    };
  }

  async #emptyDir(pod: Pod, name: string, source: V1EmptyDirVolumeSource): Promise<MountableVolume> {
    const hostPath = this.#place(pod, "empty-dir", name);
    const { medium = "" } = source;
    const { fsGroup } = pod.spec?.securityContext ?? {};
    makeVolumeDirectory(hostPath, 0o777, fsGroup, 0o660);
    if (medium === "Memory" && !(await isMountPoint(hostPath))) {
      const size = this.#memoryBytes(pod, source);
      await mountTmpfs(hostPath, size === undefined ? "mode=1777" : `mode=1777,size=${size}`);
      ownVolumeDirectory(hostPath, 0o1777, fsGroup, 0o660);
    } else if (medium !== "" && medium !== "Memory") {
      throw new Error(`emptyDir medium ${medium} is not supported by this node`);
    }
    return { hostPath, readOnly: false };
  }

  /** The smallest of the volume's own limit, the containers' together and what the node has. */
  #memoryBytes(pod: Pod, { sizeLimit }: V1EmptyDirVolumeSource): number | undefined {
    const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
    const limited = containers.every(({ resources }) => resources?.limits?.["memory"] !== undefined);
    const limit = podLimits(pod)["memory"];
    const own = sizeLimit === undefined ? 0 : wholeValue(sizeLimit);
    const sizes = [
      own,
      limited && limit !== undefined ? wholeValue(limit) : 0,
      wholeValue(this.#options.allocatable()["memory"] ?? "0"),
    ].filter((size) => size > 0);
    return sizes.length === 0 ? undefined : Math.min(...sizes);
  }

  #place(pod: Pod, kind: string, name: string): string {
    return join(this.podDirectory(pod), "volumes", kind, name);
  }

  /** Pods that have something on disk. */
  async podUids(): Promise<Set<string>> {
    const { paths } = this.#options;
    const uids = new Set<string>();
    for (const directory of [paths.pods, paths.memory])
      for (const name of await readdir(directory).catch(() => [])) if (!name.startsWith(".")) uids.add(name);
    return uids;
  }
}
