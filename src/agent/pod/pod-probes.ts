/** The probes of all containers of one pod: started with a container, gone with it. */
import type { Pod } from "#api/core/pod.ts";
import { ContainerProbes } from "./container-probes.ts";
import { containersOf, findContainer, type PodContainer } from "./containers-of.ts";
import { latestOf, type ObservedContainer, type PodObservation } from "./observation.ts";
import type { ProbeVerdict } from "./plan-pod.ts";
import type { PodContext } from "./pod-context.ts";
import type { ProbeTarget } from "./probe.ts";
import { environmentFor } from "./start-container.ts";

export interface PodProbesOptions {
  readonly context: PodContext;
  /** A verdict is another one. */
  changed(): void;
  /** Each time that a probe fails, or succeeds with a warning. */
  tell(container: PodContainer, reason: string, message: string): void;
}

export class PodProbes {
  readonly #options: PodProbesOptions;
  readonly #running = new Map<string, ContainerProbes>();

  constructor(options: PodProbesOptions) {
    this.#options = options;
  }

  verdict(pod: Pod, container: ObservedContainer): ProbeVerdict {
    const probes = this.#running.get(container.id);
    if (probes !== undefined) return probes.verdict;
    const spec = findContainer(pod, container.name)?.spec;
    const started = spec?.startupProbe === undefined;
    return { started, ready: started && spec?.readinessProbe === undefined };
  }

  /** Every running container with probes has them running. */
  async keep(pod: Pod, observation: PodObservation, podIps: readonly string[]): Promise<void> {
    for (const container of containersOf(pod)) {
      const { spec, kind } = container;
      if (kind === "init" || kind === "ephemeral") continue;
      if (spec.startupProbe ?? spec.livenessProbe ?? spec.readinessProbe) {
        const latest = latestOf(observation, spec.name);
        if (latest?.state === "running" && !this.#running.has(latest.id))
          await this.#start(container, latest, await this.target(pod, container, latest.id, podIps));
      }
    }
  }

  /** What probes and hooks of a container are aimed at. */
  async target(
    pod: Pod,
    container: PodContainer,
    containerId: string,
    podIps: readonly string[],
  ): Promise<ProbeTarget> {
    const { context } = this.#options;
    const { variables } = await environmentFor({ pod, container, podIps }, context).catch(() => ({
      variables: new Map<string, string>(),
    }));
    const { runtime } = context;
    return { pod, container: container.spec, containerId, ip: podIps[0] ?? "", runtime, environment: variables };
  }

  /** The container is being ended. */
  spare(id: string): void {
    this.#running.get(id)?.spare();
  }

  /** The container no longer runs. */
  drop(id: string): void {
    this.#running.get(id)?.stop();
    this.#running.delete(id);
  }

  stop(): void {
    for (const probes of this.#running.values()) probes.stop();
  }

  async #start(container: PodContainer, { id, startedAtMs }: ObservedContainer, target: ProbeTarget): Promise<void> {
    if (this.#running.has(id)) return;
    const probes = new ContainerProbes({
      target,
      startedAtMs,
      changed: () => this.#options.changed(),
      tell: (reason, message) => this.#options.tell(container, reason, message),
    });
    this.#running.set(id, probes);
    probes.start();
  }
}
