/**
 * Whether a pod uses more of the node's disk than it may: what its emptyDirs, its containers' own layers and its logs take.
 * Upstream: pkg/kubelet/eviction localStorageEviction.
 */
import type { Pod } from "#api/core/pod.ts";
import { addQuantities, quantityText, wholeValue, type Quantity } from "#api/quantity.ts";
import { containersOf } from "./containers-of.ts";
import type { PodFailure } from "./pod-status.ts";

export interface StorageUsage {
  /** Bytes of each emptyDir that is on disk. */
  readonly volumes: ReadonlyMap<string, number>;
  /** Bytes of each container: its layer and its logs. */
  readonly containers: ReadonlyMap<string, number>;
}

const resource = "ephemeral-storage";

/** Most pods have no such limit and need not be measured. */
export function hasStorageLimits(pod: Pod): boolean {
  const volumes = (pod.spec?.volumes ?? []).some(({ emptyDir }) => emptyDir?.sizeLimit !== undefined);
  return volumes || containersOf(pod).some(({ spec }) => spec.resources?.limits?.[resource] !== undefined);
}

/** The first limit that is exceeded, with upstream's text (the space at its end is upstream's). */
export function exceededStorage(pod: Pod, usage: StorageUsage): PodFailure | undefined {
  const message = exceededVolume(pod, usage) ?? exceededPod(pod, usage) ?? exceededContainer(pod, usage);
  return message === undefined ? undefined : { reason: "Evicted", message };
}

function exceededVolume(pod: Pod, { volumes }: StorageUsage): string | undefined {
  for (const { name, emptyDir } of pod.spec?.volumes ?? []) {
    const limit = emptyDir?.sizeLimit;
    if (limit !== undefined && wholeValue(limit) > 0 && (volumes.get(name) ?? 0) > wholeValue(limit))
      return `Usage of EmptyDir volume "${name}" exceeds the limit "${limit}". `;
  }
  return undefined;
}

/** Holds where every container has a limit: what has none may take all. */
function exceededPod(pod: Pod, { volumes, containers }: StorageUsage): string | undefined {
  const all = containersOf(pod).filter(({ kind }) => kind === "main" || kind === "sidecar");
  const limits = all.flatMap(({ spec }) => spec.resources?.limits?.[resource] ?? []);
  if (limits.length === 0 || limits.length < all.length) return undefined;
  const total = limits.slice(1).reduce<Quantity | string>((sum, limit) => addQuantities(sum, limit), limits[0] ?? "0");
  const text = typeof total === "string" ? total : quantityText(total);
  const used = [...volumes.values(), ...containers.values()].reduce((sum, bytes) => sum + bytes, 0);
  if (used <= wholeValue(text)) return undefined;
  return `Pod ephemeral local storage usage exceeds the total limit of containers ${text}. `;
}

function exceededContainer(pod: Pod, { containers }: StorageUsage): string | undefined {
  for (const { spec } of containersOf(pod)) {
    const limit = spec.resources?.limits?.[resource];
    if (limit !== undefined && (containers.get(spec.name) ?? 0) > wholeValue(limit))
      return `Container ${spec.name} exceeded its local ephemeral storage limit "${limit}". `;
  }
  return undefined;
}
