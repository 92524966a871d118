/** What of a pod's volumes, and what else, a container sees in its file system. */
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Pod } from "#api/core/pod.ts";
import type { V1Container, V1VolumeMount } from "#api/generated/types.ts";
import type { RuntimeMount } from "#agent/runtime/cri-types.ts";
import type { MountableVolume } from "#agent/volumes/pod-volumes.ts";
import { bindSubPath } from "#agent/volumes/sub-path.ts";
import { ConfigError } from "./environment.ts";
import { expandStrictly } from "./expansion.ts";
import { messageFile } from "./observe.ts";
import { hostsFile } from "./pod-dns.ts";
import type { PodContext } from "./pod-context.ts";

export interface MountsInput {
  readonly pod: Pod;
  readonly container: V1Container;
  readonly attempt: number;
  readonly volumes: ReadonlyMap<string, MountableVolume>;
  readonly environment: ReadonlyMap<string, string>;
  readonly podIps: readonly string[];
}

export async function containerMounts(input: MountsInput, context: PodContext): Promise<RuntimeMount[]> {
  const { pod, container } = input;
  const mounts: RuntimeMount[] = [];
  for (const [at, mount] of (container.volumeMounts ?? []).entries())
    mounts.push(await volumeMount(mount, at, input, context));
  const taken = new Set(mounts.map(({ containerPath }) => containerPath));
  if (!taken.has("/etc/hosts")) mounts.push(await hostsMount(pod, input.podIps, context));
  const messagePath = container.terminationMessagePath ?? "/dev/termination-log";
  if (messagePath !== "") mounts.push(messageMount(input, messagePath, context));
  return mounts;
}

const propagations: Readonly<Record<string, RuntimeMount["propagation"]>> = {
  None: "PROPAGATION_PRIVATE",
  HostToContainer: "PROPAGATION_HOST_TO_CONTAINER",
  Bidirectional: "PROPAGATION_BIDIRECTIONAL",
};

async function volumeMount(
  { name, mountPath, subPath, subPathExpr, readOnly, mountPropagation }: V1VolumeMount,
  at: number,
  { pod, container, volumes, environment }: MountsInput,
  context: PodContext,
): Promise<RuntimeMount> {
  const volume = volumes.get(name);
  if (volume === undefined)
    throw new ConfigError(`cannot find volume "${name}" to mount into container "${container.name}"`);
  const wanted = wantedSubPath(subPath, subPathExpr, environment);
  const hostPath =
    wanted === ""
      ? volume.hostPath
      : await subPathSource(volume.hostPath, wanted, { pod, container, name, at }, context);
  return {
    containerPath: mountPath.startsWith("/") ? mountPath : `/${mountPath}`,
    hostPath,
    readonly: readOnly === true || volume.readOnly,
    propagation: propagations[mountPropagation ?? "None"] ?? "PROPAGATION_PRIVATE",
  };
}

function wantedSubPath(subPath = "", expression = "", environment: ReadonlyMap<string, string>): string {
  if (expression === "") return subPath;
  try {
    return expandStrictly(expression, (name) => environment.get(name));
  } catch (error) {
    throw new ConfigError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

async function subPathSource(
  volume: string,
  subPath: string,
  { pod, container, name, at }: { pod: Pod; container: V1Container; name: string; at: number },
  context: PodContext,
): Promise<string> {
  const target = join(context.volumes.podDirectory(pod), "volume-subpaths", name, container.name, String(at));
  try {
    return await bindSubPath(volume, subPath, target);
  } catch (error) {
    context.log.warn("cannot prepare a subPath", { pod: pod.metadata.name, container: container.name, subPath, error });
    throw new ConfigError(`failed to prepare subPath for volumeMount "${name}" of container "${container.name}"`, {
      cause: error,
    });
  }
}

async function hostsMount(pod: Pod, podIps: readonly string[], context: PodContext): Promise<RuntimeMount> {
  const hostPath = join(context.volumes.podDirectory(pod), "etc-hosts");
  const nodeHosts = pod.spec?.hostNetwork === true ? await readFile("/etc/hosts", "utf8").catch(() => "") : "";
  writeFileSync(hostPath, hostsFile(pod, podIps, context.dns.domain, nodeHosts));
  chmodSync(hostPath, 0o644);
  return { containerPath: "/etc/hosts", hostPath, readonly: false, propagation: "PROPAGATION_PRIVATE" };
}

/** Any user of the container may write here, and nothing that an earlier run wrote is left. */
function messageMount(
  { pod, container, attempt }: MountsInput,
  containerPath: string,
  context: PodContext,
): RuntimeMount {
  const hostPath = messageFile(context.paths, pod.metadata.uid ?? "", container.name, attempt);
  if (!existsSync(dirname(hostPath))) mkdirSync(dirname(hostPath), { recursive: true, mode: 0o750 });
  writeFileSync(hostPath, "");
  chmodSync(hostPath, 0o666);
  return { containerPath, hostPath, readonly: false, propagation: "PROPAGATION_PRIVATE" };
}
