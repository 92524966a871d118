/** What the runtime has of one pod, in the agent's words. Rebuilt from the runtime at any time; never written elsewhere. */

export interface ObservedSandbox {
  readonly id: string;
  readonly attempt: number;
  readonly ready: boolean;
  readonly createdAtMs: number;
  /** Empty for pods in the node's own network. */
  readonly ips: readonly string[];
}

export interface ObservedContainer {
  readonly id: string;
  readonly sandboxId: string;
  readonly name: string;
  /** 0 for the first; the status shows it as restartCount. */
  readonly attempt: number;
  readonly state: "created" | "running" | "exited" | "unknown";
  readonly createdAtMs: number;
  /** 0: never started. */
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  readonly exitCode: number;
  readonly reason: string;
  /** The runtime's message and the container's own termination message. */
  readonly message: string;
  readonly image: string;
  readonly imageRef: string;
  /** Tells whether it was made from the definition that the pod has now. */
  readonly hash: string;
}

export interface PodObservation {
  /** Newest first. */
  readonly sandboxes: readonly ObservedSandbox[];
  /** Newest first. */
  readonly containers: readonly ObservedContainer[];
}

export const nothingObserved: PodObservation = { sandboxes: [], containers: [] };

export function latestOf({ containers }: PodObservation, name: string): ObservedContainer | undefined {
  return containers.find((container) => container.name === name);
}

export function readySandbox({ sandboxes }: PodObservation): ObservedSandbox | undefined {
  return sandboxes.find(({ ready }) => ready);
}

export const isAlive = ({ state }: ObservedContainer): boolean => state === "running" || state === "created";
