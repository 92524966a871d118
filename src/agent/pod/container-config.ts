/** The runtime's definition of a container, from the pod's. Pure. Upstream: kuberuntime_container.go, security_context.go. */
import type { Pod } from "#api/core/pod.ts";
import type { V1Container, V1SeccompProfile } from "#api/generated/types.ts";
import type {
  ContainerConfig,
  ContainerSecurityContext,
  NamespaceOption,
  RuntimeImage,
  RuntimeMount,
  SecurityProfile,
} from "#agent/runtime/cri-types.ts";
import { containerHash, gracePeriodSeconds, podTitle, type PodContainer } from "./containers-of.ts";
import { ConfigError } from "./environment.ts";
import { expand } from "./expansion.ts";
import { containerResources } from "./cgroup-values.ts";

export const labels = {
  podName: "io.kubernetes.pod.name",
  podNamespace: "io.kubernetes.pod.namespace",
  podUid: "io.kubernetes.pod.uid",
  containerName: "io.kubernetes.container.name",
};

export const annotations = {
  hash: "io.kubernetes.container.hash",
  restartCount: "io.kubernetes.container.restartCount",
  messagePath: "io.kubernetes.container.terminationMessagePath",
  messagePolicy: "io.kubernetes.container.terminationMessagePolicy",
  grace: "io.kubernetes.pod.terminationGracePeriod",
};

export interface ContainerConfigInput {
  readonly pod: Pod;
  readonly container: PodContainer;
  readonly attempt: number;
  readonly image: RuntimeImage;
  /** How the image is named to the runtime: its id, so that a moved tag changes nothing. */
  readonly imageRef: string;
  readonly environment: ReadonlyMap<string, string>;
  readonly mounts: readonly RuntimeMount[];
  /** The container whose processes an ephemeral one sees. */
  readonly targetId: string | undefined;
  readonly nodeMemoryBytes: number;
  /** Where Localhost profiles are. */
  readonly seccompDirectory: string;
}

export function podLabels({ metadata }: Pod): Record<string, string> {
  return {
    [labels.podName]: metadata.name ?? "",
    [labels.podNamespace]: metadata.namespace ?? "",
    [labels.podUid]: metadata.uid ?? "",
  };
}

export function containerConfig(input: ContainerConfigInput): ContainerConfig {
  const { pod, container, attempt, environment } = input;
  const { spec } = container;
  const lookUp = (name: string): string | undefined => environment.get(name);
  return {
    metadata: { name: spec.name, attempt },
    image: { image: input.imageRef, userSpecifiedImage: spec.image ?? "" },
    command: (spec.command ?? []).map((word) => expand(word, lookUp)),
    args: (spec.args ?? []).map((word) => expand(word, lookUp)),
    workingDir: spec.workingDir ?? "",
    envs: [...environment].map(([key, value]) => ({ key, value: Buffer.from(value) })),
    mounts: [...input.mounts],
    devices: [],
    labels: { ...podLabels(pod), [labels.containerName]: spec.name },
    annotations: {
      [annotations.hash]: containerHash(spec),
      [annotations.restartCount]: String(attempt),
      [annotations.messagePath]: spec.terminationMessagePath ?? "/dev/termination-log",
      [annotations.messagePolicy]: spec.terminationMessagePolicy ?? "File",
      [annotations.grace]: String(gracePeriodSeconds(pod)),
    },
    logPath: `${spec.name}/${attempt}.log`,
    stdin: spec.stdin ?? false,
    stdinOnce: spec.stdinOnce ?? false,
    tty: spec.tty ?? false,
    linux: {
      resources: containerResources(pod, spec, input.nodeMemoryBytes),
      securityContext: securityContext(input),
    },
  };
}

export function namespaceOptions(pod: Pod, targetId?: string): NamespaceOption {
  const { hostNetwork, hostPID, hostIPC, shareProcessNamespace } = pod.spec ?? { containers: [] };
  const pid = hostPID === true ? "NODE" : shareProcessNamespace === true ? "POD" : "CONTAINER";
  return {
    network: hostNetwork === true ? "NODE" : "POD",
    ipc: hostIPC === true ? "NODE" : "POD",
    pid: targetId === undefined ? pid : "TARGET",
    ...(targetId === undefined ? {} : { targetId }),
  };
}

const maskedDefault = [
  "/proc/asound",
  "/proc/acpi",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
];
const readonlyDefault = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

function securityContext(input: ContainerConfigInput): ContainerSecurityContext {
  const { pod, container, image, targetId } = input;
  const of = pod.spec?.securityContext ?? {};
  const own = container.spec.securityContext ?? {};
  const runAsUser = own.runAsUser ?? of.runAsUser;
  const runAsGroup = own.runAsGroup ?? of.runAsGroup;
  verifyNonRoot(pod, container.spec, image);
  const user = userOf(runAsUser, image);
  const unmasked = own.procMount === "Unmasked";
  const { add = [], drop = [] } = own.capabilities ?? {};
  const profile = seccompProfile(own.seccompProfile ?? of.seccompProfile, input.seccompDirectory);
  return {
    capabilities: { addCapabilities: add, dropCapabilities: drop },
    privileged: own.privileged ?? false,
    namespaceOptions: namespaceOptions(pod, targetId),
    ...user,
    ...(runAsGroup === undefined ? {} : { runAsGroup: { value: runAsGroup } }),
    readonlyRootfs: own.readOnlyRootFilesystem ?? false,
    supplementalGroups: [...(of.supplementalGroups ?? []), ...(of.fsGroup === undefined ? [] : [of.fsGroup])],
    noNewPrivs: own.allowPrivilegeEscalation === false,
    maskedPaths: unmasked ? [] : maskedDefault,
    readonlyPaths: unmasked ? [] : readonlyDefault,
    seccomp: profile,
  };
}

function userOf(
  runAsUser: number | undefined,
  { uid, username }: RuntimeImage,
): Pick<ContainerSecurityContext, "runAsUser" | "runAsUsername"> {
  if (runAsUser !== undefined) return { runAsUser: { value: runAsUser } };
  if (username !== "") return { runAsUsername: username };
  return { runAsUser: { value: uid?.value ?? 0 } };
}

function verifyNonRoot(pod: Pod, spec: V1Container, { uid, username }: RuntimeImage): void {
  const of = pod.spec?.securityContext ?? {};
  const own = spec.securityContext ?? {};
  if ((own.runAsNonRoot ?? of.runAsNonRoot) !== true) return;
  const runAsUser = own.runAsUser ?? of.runAsUser;
  const where = `(pod: "${podTitle(pod)}", container: ${spec.name})`;
  if (runAsUser === 0) throw new ConfigError(`container's runAsUser breaks non-root policy ${where}`);
  if (runAsUser !== undefined) return;
  if (username !== "")
    throw new ConfigError(
      `container has runAsNonRoot and image has non-numeric user (${username}), cannot verify user is non-root ${where}`,
    );
  if ((uid?.value ?? 0) === 0) throw new ConfigError(`container has runAsNonRoot and image will run as root ${where}`);
}

export function seccompProfile(profile: V1SeccompProfile | undefined, directory: string): SecurityProfile {
  if (profile?.type === "RuntimeDefault") return { profileType: "RuntimeDefault" };
  if (profile?.type !== "Localhost") return { profileType: "Unconfined" };
  const { localhostProfile = "" } = profile;
  if (localhostProfile === "" || localhostProfile.startsWith("/") || localhostProfile.split("/").includes(".."))
    throw new ConfigError(`localhostProfile must be a path below ${directory}`);
  return { profileType: "Localhost", localhostRef: `${directory}/${localhostProfile}` };
}
