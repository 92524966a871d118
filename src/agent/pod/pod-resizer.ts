/**
 * One pod's allocation and what its containers have of it: decides whether the pod gets what it newly asks for, and carries
 * it out. The rules are in resize.ts.
 */
import { isDeepStrictEqual } from "node:util";
import type { Pod } from "#api/core/pod.ts";
import type { V1PodCondition, V1ResourceRequirements } from "#api/generated/types.ts";
import { containerResources, podCgroupValues, type PodCgroupValues } from "./cgroup-values.ts";
import { containersOf, type PodContainer } from "./containers-of.ts";
import { latestOf, type PodObservation } from "./observation.ts";
import type { PodContext } from "./pod-context.ts";
import { resizeText } from "./resize-text.ts";
import {
  askedAmounts,
  containerResize,
  reportedAmounts,
  sameAmounts,
  withAmounts,
  type Amounts,
  type ContainerResize,
  type ResizeRefusal,
} from "./resize.ts";

export interface PodResizerOptions {
  readonly context: PodContext;
  /** Whether the node has no room for a pod that asks for what this one does. */
  refuses(pod: Pod): ResizeRefusal | undefined;
  event(type: "Normal" | "Warning", reason: string, message: string): void;
}

export type ResizeCondition = Pick<V1PodCondition, "type" | "status" | "reason" | "message" | "observedGeneration">;

export class PodResizer {
  readonly #options: PodResizerOptions;
  #allocated: Amounts;
  /** Of containers that were started. */
  readonly #has: Map<string, V1ResourceRequirements>;
  #group: PodCgroupValues | undefined;
  #refusal: ResizeRefusal | undefined;
  #failure: string | undefined;
  /** The generation whose resize is under way. */
  #underWay: number | undefined;

  constructor(pod: Pod, options: PodResizerOptions) {
    this.#options = options;
    this.#allocated = reportedAmounts(pod);
    this.#has = new Map(this.#allocated);
  }

  /** The pod with what it was given. */
  allocated(pod: Pod): Pod {
    return withAmounts(pod, this.#allocated);
  }

  /** The pod with what its containers have now. */
  actual(pod: Pod): Pod {
    return withAmounts(pod, new Map([...this.#allocated, ...this.#has]));
  }

  /** Gives the pod what it asks for, if that is new and there is room. True: refused, to be asked again. */
  allocate(pod: Pod): boolean {
    const asked = askedAmounts(pod);
    if (sameAmounts(asked, this.#allocated)) {
      this.#refusal = undefined;
      return false;
    }
    const before = this.#refusal;
    this.#refusal = this.#options.refuses(pod);
    if (this.#refusal === undefined) {
      this.#allocated = asked;
      this.#failure = undefined;
      this.#underWay = pod.metadata.generation;
      this.#options.event("Normal", "ResizeStarted", resizeText("started", pod, pod.metadata.generation));
      return false;
    }
    const { reason, message } = this.#refusal;
    if (!isDeepStrictEqual(before, this.#refusal))
      this.#options.event("Warning", `Resize${reason}`, resizeText(reason, pod, pod.metadata.generation, message));
    return true;
  }

  /** What a container that is about to start gets. */
  started(name: string): void {
    const given = this.#allocated.get(name);
    if (given !== undefined) this.#has.set(name, given);
  }

  /** What each running container needs, by name. */
  needs(pod: Pod, observation: PodObservation): ReadonlyMap<string, ContainerResize> {
    const needs = new Map<string, ContainerResize>();
    for (const { spec } of this.#running(pod, observation)) {
      const need = containerResize(spec, this.#has.get(spec.name), this.#allocated.get(spec.name));
      if (need !== "none") needs.set(spec.name, need);
    }
    return needs;
  }

  /** Whether something can be done now without a restart. */
  isDue(pod: Pod, needs: ReadonlyMap<string, ContainerResize>): boolean {
    const waits = [...needs.values()].includes("restart");
    if ([...needs.values()].includes("update")) return true;
    return (
      this.#underWay !== undefined && !waits && !isDeepStrictEqual(this.#group, podCgroupValues(this.allocated(pod)))
    );
  }

  /** Invariant: no container's limit is above its pod's at any moment: the pod's group grows first and shrinks last. */
  async carryOut(pod: Pod, observation: PodObservation): Promise<void> {
    const { cgroups, runtime, nodeMemoryBytes } = this.#options.context;
    const allocated = this.allocated(pod);
    const [before, after] = [podCgroupValues(this.actual(pod)), podCgroupValues(allocated)];
    try {
      await cgroups.setPod(pod, larger(before, after));
      const needs = this.needs(pod, observation);
      for (const { spec } of this.#running(allocated, observation)) {
        if (needs.get(spec.name) !== "update") continue;
        const id = latestOf(observation, spec.name)?.id ?? "";
        await runtime.updateContainerResources(id, containerResources(allocated, spec, nodeMemoryBytes));
        this.started(spec.name);
      }
      if ([...needs.values()].includes("restart")) return;
      await cgroups.setPod(pod, after);
      this.#group = after;
      this.#failure = undefined;
    } catch (error) {
      this.#failure = error instanceof Error ? error.message : String(error);
      this.#options.event("Warning", "ResizeError", resizeText("error", allocated, this.#underWay, this.#failure));
      throw error;
    }
  }

  /** Says so once when all that was given is there. */
  settle(pod: Pod, needs: ReadonlyMap<string, ContainerResize>): void {
    if (this.#underWay === undefined || needs.size > 0 || this.isDue(pod, needs)) return;
    const generation = this.#underWay;
    this.#underWay = undefined;
    this.#options.event("Normal", "ResizeCompleted", resizeText("completed", this.allocated(pod), generation));
  }

  conditions(pod: Pod): ResizeCondition[] {
    const observedGeneration = pod.metadata.generation;
    const seen = observedGeneration === undefined ? {} : { observedGeneration };
    const conditions: ResizeCondition[] = [];
    if (this.#refusal !== undefined)
      conditions.push({ type: "PodResizePending", status: "True", ...seen, ...this.#refusal });
    if (this.#underWay !== undefined)
      conditions.push({
        type: "PodResizeInProgress",
        status: "True",
        ...seen,
        ...(this.#failure === undefined ? {} : { reason: "Error", message: this.#failure }),
      });
    return conditions;
  }

  #running(pod: Pod, observation: PodObservation): PodContainer[] {
    return containersOf(pod).filter(
      ({ kind, spec }) => kind !== "ephemeral" && latestOf(observation, spec.name)?.state === "running",
    );
  }
}

/** Undefined is no limit. */
function larger(a: PodCgroupValues, b: PodCgroupValues): PodCgroupValues {
  const most = (x: number | undefined, y: number | undefined): number | undefined =>
    x === undefined || y === undefined ? undefined : Math.max(x, y);
  return {
    cpuShares: Math.max(a.cpuShares, b.cpuShares),
    cpuQuotaUs: most(a.cpuQuotaUs, b.cpuQuotaUs),
    memoryBytes: most(a.memoryBytes, b.memoryBytes),
  };
}
