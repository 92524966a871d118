/** Starts one container: image, environment, mounts, the runtime's calls, the postStart hook; says in events what it does. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Pod } from "#api/core/pod.ts";
import type { Secret } from "#api/core/secret.ts";
import type { V1EphemeralContainer } from "#api/generated/types.ts";
import { podLogDirectory } from "#agent/agent-paths.ts";
import { ImageError } from "#agent/images/image-puller.ts";
import type { SandboxConfig } from "#agent/runtime/cri-types.ts";
import { isUnavailable, RuntimeError } from "#agent/runtime/grpc-connection.ts";
import type { MountableVolume } from "#agent/volumes/pod-volumes.ts";
import { containerConfig } from "./container-config.ts";
import { containerMounts } from "./container-mounts.ts";
import type { PodContainer } from "./containers-of.ts";
import { ConfigError, environmentOf, type Environment } from "./environment.ts";
import type { ObservedSandbox } from "./observation.ts";
import type { WaitReason } from "./plan-pod.ts";
import type { PodContext } from "./pod-context.ts";
import { serviceEnvironment } from "./service-environment.ts";

export interface StartInput {
  readonly pod: Pod;
  readonly container: PodContainer;
  readonly attempt: number;
  readonly sandbox: ObservedSandbox;
  readonly sandboxConfig: SandboxConfig;
  readonly volumes: ReadonlyMap<string, MountableVolume>;
  readonly podIps: readonly string[];
  /** Told as soon as the runtime has the container: it may end before its start is known here. */
  created(id: string): void;
  /** The id of a container of this pod, for ephemeral ones that look into another. */
  idOf(name: string): string | undefined;
}

export type StartResult =
  | { readonly started: true; readonly id: string; readonly environment: ReadonlyMap<string, string> }
  /** `id`: the container was made but did not start; the runtime has its exit. */
  | { readonly started: false; readonly id?: string | undefined; readonly wait: WaitReason };

export type ContainerEvent = (type: "Normal" | "Warning", reason: string, message: string) => void;

/** How long a start that failed for a reason outside of the runtime is not tried again. */
const retryMs = 10_000;

export async function startContainer(
  input: StartInput,
  context: PodContext,
  event: ContainerEvent,
): Promise<StartResult> {
  const { pod, container, attempt, sandbox } = input;
  const untilMs = (): number => context.clock.now() + retryMs;
  let id: string | undefined;
  let step = "CreateContainerConfigError";
  try {
    const image = await context.images.ensure(pod, container.spec, pullSecrets(pod, context), event);
    const { variables, skipped } = await environmentFor(input, context);
    for (const { source, keys } of skipped)
      event(
        "Warning",
        "InvalidEnvironmentVariableNames",
        `Keys [${keys.join(", ")}] from the EnvFrom ${source} were skipped since they are considered invalid environment variable names.`,
      );
    await mountImages(input, context, event);
    const mounts = await containerMounts(
      { pod, container: container.spec, attempt, volumes: input.volumes, environment: variables, podIps: input.podIps },
      context,
    );
    const config = containerConfig({
      pod,
      container,
      attempt,
      image,
      imageRef: image.id,
      environment: variables,
      mounts,
      targetId: targetOf(input),
      nodeMemoryBytes: context.nodeMemoryBytes,
      seccompDirectory: context.paths.seccomp,
    });
    await mkdir(join(logDirectory(pod, context), container.spec.name), { recursive: true });
    step = "CreateContainerError";
    id = await context.runtime.createContainer(sandbox.id, config, input.sandboxConfig);
    input.created(id);
    event("Normal", "Created", "Container created");
    step = "RunContainerError";
    await context.runtime.startContainer(id);
    event("Normal", "Started", "Container started");
    return { started: true, id, environment: variables };
  } catch (error) {
    if (isUnavailable(error)) throw error;
    return { started: false, id, wait: waitFor(error, step, untilMs(), event) };
  }
}

/** Images that the container sees as volumes are pulled as its own is. */
async function mountImages({ pod, container }: StartInput, context: PodContext, event: ContainerEvent): Promise<void> {
  const mounted = new Set((container.spec.volumeMounts ?? []).map(({ name }) => name));
  for (const { name, image } of pod.spec?.volumes ?? []) {
    if (image === undefined || !mounted.has(name)) continue;
    const { reference: wanted, pullPolicy: imagePullPolicy } = image;
    const asked = { name, ...(wanted === undefined ? {} : { image: wanted }) };
    const policy = imagePullPolicy === undefined ? {} : { imagePullPolicy };
    const found = await context.images.ensure(pod, { ...asked, ...policy }, pullSecrets(pod, context), event);
    await context.volumes.mountImage(pod, name, found.id);
  }
}

function waitFor(error: unknown, step: string, untilMs: number, event: ContainerEvent): WaitReason {
  if (error instanceof ImageError) {
    event("Warning", "Failed", `Error: ${error.reason}`);
    return { reason: error.reason, message: error.message, untilMs: error.retryAtMs };
  }
  const message = error instanceof RuntimeError ? error.detail : error instanceof Error ? error.message : String(error);
  event("Warning", "Failed", `Error: ${message}`);
  const reason = error instanceof ConfigError ? "CreateContainerConfigError" : step;
  return { reason, message, untilMs };
}

function logDirectory(pod: Pod, { paths }: PodContext): string {
  const { namespace = "", name = "", uid = "" } = pod.metadata;
  return podLogDirectory(paths, { namespace, name, uid });
}

function pullSecrets({ metadata, spec }: Pod, { objects }: PodContext): Secret[] {
  return (spec?.imagePullSecrets ?? []).flatMap(
    ({ name = "" }) => objects.secret(metadata.namespace ?? "", name) ?? [],
  );
}

export async function environmentFor(
  { pod, container, podIps }: Pick<StartInput, "pod" | "container" | "podIps">,
  context: PodContext,
): Promise<Environment> {
  const { namespace = "" } = pod.metadata;
  const services = serviceEnvironment(visibleServices(pod, await context.services(namespace)));
  const files = new Map<string, string | undefined>();
  for (const { valueFrom } of container.spec.env ?? []) {
    if (valueFrom?.fileKeyRef === undefined) continue;
    const { volumeName, path } = valueFrom.fileKeyRef;
    files.set(`${volumeName}\0${path}`, await context.volumes.readFile(pod, volumeName, path));
  }
  return environmentOf(container.spec, {
    pod,
    addresses: { podIps, hostIps: context.hostIps },
    allocatable: context.allocatable(),
    services,
    configMap: (name) => context.objects.configMap(namespace, name),
    secret: (name) => context.objects.secret(namespace, name),
    file: (volume, path) => files.get(`${volume}\0${path}`),
  });
}

/** The API server's own service always, those of the namespace unless the pod does not want them. */
function visibleServices(
  { metadata, spec }: Pod,
  services: Awaited<ReturnType<PodContext["services"]>>,
): typeof services {
  return services.filter(
    (service) =>
      (service.metadata.namespace === "default" && service.metadata.name === "kubernetes") ||
      (spec?.enableServiceLinks !== false && service.metadata.namespace === metadata.namespace),
  );
}

function targetOf({ pod, container, idOf }: StartInput): string | undefined {
  if (container.kind !== "ephemeral") return undefined;
  const spec = pod.spec?.ephemeralContainers?.find((one: V1EphemeralContainer) => one.name === container.spec.name);
  return spec?.targetContainerName === undefined ? undefined : idOf(spec.targetContainerName);
}
