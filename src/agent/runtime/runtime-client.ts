/** Typed calls of the container runtime interface (CRI v1). Every call has a deadline; none retries. */
import cri from "#agent/facts/cri.json" with { type: "json" };
import type {
  ContainerConfig,
  ContainerListing,
  ContainerStats,
  LinuxResources,
  RegistryCredentials,
  RuntimeContainerStatus,
  RuntimeImage,
  Sandbox,
  SandboxConfig,
  SandboxStatus,
} from "./cri-types.ts";
import { GrpcConnection, type CallLimits } from "./grpc-connection.ts";

/** Calls that only look. */
const queryMs = 30_000;
/** Calls that make or end processes. */
const actMs = 240_000;
/** A pull that downloads for longer than this starts again. */
const pullMs = 60 * 60_000;

export interface ExecResult {
  stdout: Buffer;
  stderr: Buffer;
  exitCode: number;
}

export interface RuntimeVersion {
  runtimeName: string;
  runtimeVersion: string;
}

export interface RuntimeConditions {
  conditions: { type: string; status: boolean; reason: string; message: string }[];
}

export class RuntimeClient {
  readonly #connection: GrpcConnection;

  constructor(socket: string) {
    this.#connection = new GrpcConnection(socket, cri);
  }

  close(): void {
    this.#connection.close();
  }

  async version(limits: CallLimits = { timeoutMs: queryMs }): Promise<RuntimeVersion> {
    return await this.#runtime<RuntimeVersion>("Version", {}, limits);
  }

  async status(): Promise<RuntimeConditions> {
    return (await this.#runtime<{ status: RuntimeConditions }>("Status", {})).status;
  }

  async runPodSandbox(config: SandboxConfig, runtimeHandler: string): Promise<string> {
    const request = { config, runtimeHandler };
    return (await this.#runtime<{ podSandboxId: string }>("RunPodSandbox", request, { timeoutMs: actMs })).podSandboxId;
  }

  async stopPodSandbox(podSandboxId: string): Promise<void> {
    await this.#runtime("StopPodSandbox", { podSandboxId }, { timeoutMs: actMs });
  }

  async removePodSandbox(podSandboxId: string): Promise<void> {
    await this.#runtime("RemovePodSandbox", { podSandboxId }, { timeoutMs: actMs });
  }

  async podSandboxStatus(podSandboxId: string): Promise<SandboxStatus> {
    return (await this.#runtime<{ status: SandboxStatus }>("PodSandboxStatus", { podSandboxId })).status;
  }

  async listPodSandboxes(labelSelector: Record<string, string> = {}): Promise<Sandbox[]> {
    return (await this.#runtime<{ items: Sandbox[] }>("ListPodSandbox", { filter: { labelSelector } })).items;
  }

  async createContainer(podSandboxId: string, config: ContainerConfig, sandboxConfig: SandboxConfig): Promise<string> {
    const request = { podSandboxId, config, sandboxConfig };
    return (await this.#runtime<{ containerId: string }>("CreateContainer", request, { timeoutMs: actMs })).containerId;
  }

  async startContainer(containerId: string): Promise<void> {
    await this.#runtime("StartContainer", { containerId }, { timeoutMs: actMs });
  }

  /** SIGTERM, and SIGKILL after `graceSeconds`. Resolves when the container has ended. */
  async stopContainer(containerId: string, graceSeconds: number): Promise<void> {
    const timeoutMs = graceSeconds * 1000 + actMs;
    await this.#runtime("StopContainer", { containerId, timeout: graceSeconds }, { timeoutMs });
  }

  async removeContainer(containerId: string): Promise<void> {
    await this.#runtime("RemoveContainer", { containerId }, { timeoutMs: actMs });
  }

  async listContainers(labelSelector: Record<string, string> = {}): Promise<ContainerListing[]> {
    const request = { filter: { labelSelector } };
    return (await this.#runtime<{ containers: ContainerListing[] }>("ListContainers", request)).containers;
  }

  async containerStatus(containerId: string): Promise<RuntimeContainerStatus> {
    return (await this.#runtime<{ status: RuntimeContainerStatus }>("ContainerStatus", { containerId })).status;
  }

  async updateContainerResources(containerId: string, linux: LinuxResources): Promise<void> {
    await this.#runtime("UpdateContainerResources", { containerId, linux });
  }

  async reopenContainerLog(containerId: string): Promise<void> {
    await this.#runtime("ReopenContainerLog", { containerId });
  }

  /** Invariant: has a deadline of its own: a command that leaves a child with its stdout would hang the call for ever. */
  async execSync(containerId: string, cmd: readonly string[], timeoutSeconds: number): Promise<ExecResult> {
    const timeoutMs = timeoutSeconds > 0 ? timeoutSeconds * 1000 + execGraceMs : actMs;
    return await this.#runtime<ExecResult>("ExecSync", { containerId, cmd, timeout: timeoutSeconds }, { timeoutMs });
  }

  async exec(containerId: string, cmd: readonly string[], streams: StreamChoice): Promise<string> {
    return (await this.#runtime<{ url: string }>("Exec", { containerId, cmd, ...streams })).url;
  }

  async attach(containerId: string, streams: StreamChoice): Promise<string> {
    return (await this.#runtime<{ url: string }>("Attach", { containerId, ...streams })).url;
  }

  async portForward(podSandboxId: string, port: readonly number[]): Promise<string> {
    return (await this.#runtime<{ url: string }>("PortForward", { podSandboxId, port })).url;
  }

  async listContainerStats(): Promise<ContainerStats[]> {
    return (await this.#runtime<{ stats: ContainerStats[] }>("ListContainerStats", {})).stats;
  }

  async listImages(): Promise<RuntimeImage[]> {
    return (await this.#images<{ images: RuntimeImage[] }>("ListImages", {})).images;
  }

  async imageStatus(image: string): Promise<RuntimeImage | undefined> {
    const { image: found } = await this.#images<{ image: RuntimeImage | null }>("ImageStatus", { image: { image } });
    return found === null || found.id === "" ? undefined : found;
  }

  async pullImage(image: string, auth: Partial<RegistryCredentials> | undefined): Promise<string> {
    const request = { image: { image }, ...(auth === undefined ? {} : { auth }) };
    return (await this.#images<{ imageRef: string }>("PullImage", request, { timeoutMs: pullMs })).imageRef;
  }

  async removeImage(image: string): Promise<void> {
    await this.#images("RemoveImage", { image: { image } });
  }

  async imageFsInfo(): Promise<{ usedBytes: number; mountpoint: string }[]> {
    interface Filesystem {
      fsId: { mountpoint: string } | null;
      usedBytes: { value: number } | null;
    }
    const { imageFilesystems } = await this.#images<{ imageFilesystems: Filesystem[] }>("ImageFsInfo", {});
    return imageFilesystems.map(({ fsId, usedBytes }) => ({
      usedBytes: usedBytes?.value ?? 0,
      mountpoint: fsId?.mountpoint ?? "",
    }));
  }

  async #runtime<Answer>(
    method: string,
    request: object,
    limits: CallLimits = { timeoutMs: queryMs },
  ): Promise<Answer> {
    return await this.#connection.unary<Answer>("runtime.v1.RuntimeService", method, request, limits);
  }

  async #images<Answer>(method: string, request: object, limits: CallLimits = { timeoutMs: queryMs }): Promise<Answer> {
    return await this.#connection.unary<Answer>("runtime.v1.ImageService", method, request, limits);
  }
}

/** How long an exec may outlast its own timeout before the call is given up. */
const execGraceMs = 2_000;

export interface StreamChoice {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  tty: boolean;
}
