/**
 * What the container runtime needs by itself for a pod: the same sandbox and container, as the runtime says that it was given
 * them, launched again under another name.
 */
import cri from "#agent/facts/cri.json" with { type: "json" };
import type { ContainerConfig, SandboxConfig } from "#agent/runtime/cri-types.ts";
import { GrpcConnection } from "#agent/runtime/grpc-connection.ts";
import { RuntimeClient } from "#agent/runtime/runtime-client.ts";

const service = "runtime.v1.RuntimeService";
/** Maps whose keys are data. */
const dataFields = new Set(["labels", "annotations", "sysctls"]);

export class RuntimeAlone {
  readonly #runtime: RuntimeClient;
  readonly #sandbox: SandboxConfig;
  readonly #container: ContainerConfig;

  /** `pod` is the name of a pod that runs on the node whose runtime listens at `socket`. */
  static async like(socket: string, pod: string): Promise<RuntimeAlone> {
    const connection = new GrpcConnection(socket, cri);
    const filter = { labelSelector: { "io.kubernetes.pod.name": pod } };
    const { items } = await connection.unary<{ items: { id: string }[] }>(service, "ListPodSandbox", { filter });
    const { containers } = await connection.unary<{ containers: { id: string }[] }>(service, "ListContainers", {
      filter,
    });
    const sandbox = await given(connection, "PodSandboxStatus", { podSandboxId: items[0]!.id });
    const container = await given(connection, "ContainerStatus", { containerId: containers[0]!.id });
    connection.close();
    const { envs = [], ...rest } = container as { envs?: { key: string; value?: string }[] } & ContainerConfig;
    const variables = envs.map(({ key, value = "" }) => ({ key, value: Buffer.from(value) }));
    return new RuntimeAlone(new RuntimeClient(socket), sandbox as SandboxConfig, { ...rest, envs: variables });
  }

  private constructor(runtime: RuntimeClient, sandbox: SandboxConfig, container: ContainerConfig) {
    this.#runtime = runtime;
    this.#sandbox = sandbox;
    this.#container = container;
  }

  close(): void {
    this.#runtime.close();
  }

  /** Milliseconds until `count` pods run, launched at once. They are removed again. */
  async start(name: string, count: number): Promise<number> {
    const from = performance.now();
    const ids = await Promise.all(Array.from({ length: count }, async (_, at) => await this.#launch(`${name}-${at}`)));
    const took = performance.now() - from;
    for (const id of ids) {
      await this.#runtime.stopPodSandbox(id);
      await this.#runtime.removePodSandbox(id);
    }
    return took;
  }

  async #launch(name: string): Promise<string> {
    const metadata = { ...this.#sandbox.metadata, name, uid: name };
    const sandbox = { ...this.#sandbox, metadata, hostname: name, logDirectory: `/tmp/${name}` };
    const id = await this.#runtime.runPodSandbox(sandbox, "");
    await this.#runtime.startContainer(await this.#runtime.createContainer(id, this.#container, sandbox));
    return id;
  }
}

/** The config as the runtime got it: its own words are Go's field names. */
async function given(connection: GrpcConnection, method: string, which: object): Promise<unknown> {
  const { info } = await connection.unary<{ info: { info: string } }>(service, method, { ...which, verbose: true });
  return camelCased((JSON.parse(info.info) as { config: unknown }).config);
}

function camelCased(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelCased);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [
    key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    dataFields.has(key) ? inner : camelCased(inner),
  ]);
  return Object.fromEntries(entries);
}
