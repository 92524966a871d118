/**
 * The contract of a scheduler plugin: one rule about where a pod may or should go. Pure: it reads the cluster as it is
 * handed, never waits, never acts. To add one: a file in plugins/, a line in all.ts, a test.
 */
import type {
  ResourceV1ResourceClaim,
  V1AllocationResult,
  V1ContainerExtendedResourceRequest,
} from "#api/generated/types.ts";
import type { ObjectKey } from "#client/resource-path.ts";
import type { View } from "#client/view.ts";
import type { ClusterState } from "./cluster-state.ts";
import type { ClusterEvent, ClusterEventName } from "./cluster-event.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodInfo } from "./pod-info.ts";

export type Verdict =
  | typeof fits
  /** Not now; evicting pods may help. */
  | { readonly kind: "misfit"; readonly reasons: readonly string[] }
  /** Not here, whoever is evicted. */
  | { readonly kind: "neverFits"; readonly reasons: readonly string[] };

export type Refusal = Exclude<Verdict, typeof fits>;

export const fits = { kind: "fits" } as const;
export const misfit = (...reasons: string[]): Refusal => ({ kind: "misfit", reasons });
export const neverFits = (...reasons: string[]): Refusal => ({ kind: "neverFits", reasons });

/** What a plugin worked out for one pod before it looks at nodes. */
export type Preparation<P> =
  | {
      readonly kind: "ready";
      readonly value: P;
      /** No other nodes come into question. */ readonly onlyNodes?: ReadonlySet<string>;
    }
  /** The rule has nothing to say about this pod: its filter or score is not asked. */
  | { readonly kind: "skip" }
  /** No node will do. */
  | { readonly kind: "refused"; readonly verdict: Refusal };

export const ready = <P>(value: P, onlyNodes?: ReadonlySet<string>): Preparation<P> =>
  onlyNodes === undefined ? { kind: "ready", value } : { kind: "ready", value, onlyNodes };
export const skip = { kind: "skip" } as const;
export const refused = (verdict: Refusal): { kind: "refused"; verdict: Refusal } => ({ kind: "refused", verdict });

/** The cluster as plugins see it: nodes and pods with their sums, all other objects through the view. */
export interface Cluster {
  readonly state: ClusterState;
  readonly objects: View;
}

export interface Scoring<S> {
  /** How much the score, 0 to 100, counts beside the others. */
  readonly weight: number;
  /** Once a pod, with the nodes that passed every filter. */
  prepare(pod: PodInfo, cluster: Cluster, nodes: readonly NodeInfo[]): S | typeof skip;
  score(pod: PodInfo, node: NodeInfo, prepared: S): number;
  /** Brings the scores of all nodes to 0–100; without it they are already. Changes `scores`. */
  normalize?(scores: Float64Array, prepared: S, nodes: readonly NodeInfo[]): void;
}

export interface Plugin<P = unknown, S = unknown> {
  readonly name: string;
  /** After which events a pod that this plugin refused is worth another try. */
  readonly retryWhen: readonly ClusterEventName[];
  /** Narrows that: false if this very event cannot help the pod. */
  helps?(event: ClusterEvent, pod: PodInfo, cluster: Cluster): boolean;
  /** Why the pod is not tried at all for now; undefined if it may be. */
  holds?(pod: PodInfo, cluster: Cluster): string | undefined;
  /** What it prepares depends on which pods are on nodes, so that eviction changes it. */
  readonly dependsOnPods?: boolean;
  prepare?(pod: PodInfo, cluster: Cluster): Preparation<P>;
  filter?(pod: PodInfo, node: NodeInfo, prepared: P, cluster: Cluster): Verdict;
  readonly scoring?: Scoring<S>;
  /** What it says, before preemption is tried, to a pod that fits nowhere; `prepared` is undefined if it had nothing to say. */
  afterRefusal?(prepared: P | undefined): string;
  /** What must be written before the pod may be bound to the node that was chosen. */
  reserve?(pod: PodInfo, node: NodeInfo, prepared: P, cluster: Cluster): readonly Step[];
}

/** A write that comes before the binding. */
export type Step =
  | { readonly kind: "bind-volume"; readonly claim: ObjectKey; readonly volume: string }
  | { readonly kind: "provision"; readonly claim: ObjectKey; readonly node: string }
  | { readonly kind: "allocate-claim"; readonly claim: ObjectKey; readonly allocation: V1AllocationResult }
  | { readonly kind: "reserve-claim"; readonly claim: ObjectKey }
  /** A claim for the extended resources of a pod: made, noted in the pod's status, allocated. */
  | {
      readonly kind: "create-claim";
      readonly claim: ResourceV1ResourceClaim;
      readonly mappings: readonly V1ContainerExtendedResourceRequest[];
      readonly allocation: V1AllocationResult;
    };

/** A rule that could not be applied; the scheduler reports it and tries again later. */
export class PluginFailure extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "PluginFailure";
  }
}

/** Ties a plugin to the types of what it prepares, then forgets them: each plugin is handed only what it made itself. */
export function definePlugin<P = undefined, S = undefined>(plugin: Plugin<P, S>): Plugin {
  return plugin as unknown as Plugin;
}
