/** What the scheduler writes about pods: bindings, conditions, nominations, evictions, and the events that tell of them. */
import { formatTime, type Clock } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import type { V1Pod, V1PodCondition } from "#api/generated/types.ts";
import { isNotFound } from "#api/status-error.ts";
import type { Client } from "#client/client.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import { podRef } from "./kinds.ts";
import type { PodInfo } from "./pod-info.ts";

export interface PodWriterOptions {
  client: Client;
  recorder: EventRecorder;
  clock: Clock;
  log: Logger;
  schedulerName: string;
}

export interface Failure {
  reason: "Unschedulable" | "SchedulerError";
  message: string;
  /** A node: it is promised to the pod; "": any promise is withdrawn; undefined: left as it is. */
  nominatedNodeName: string | undefined;
}

/** Events say no more than this. */
const noteLengthMax = 1024;

export class PodWriter {
  readonly #options: PodWriterOptions;
  /** The last write under way about a pod, by its uid. */
  readonly #writes = new Map<string, Promise<unknown>>();

  constructor(options: PodWriterOptions) {
    this.#options = options;
  }

  /** Rejects with a StatusError. */
  async bind({ pod, name, namespace, uid }: PodInfo, nodeName: string): Promise<void> {
    const { client, recorder } = this.#options;
    const binding = {
      apiVersion: "v1",
      kind: "Binding",
      metadata: { name, namespace, uid: pod.metadata.uid },
      target: { kind: "Node", name: nodeName },
    };
    await this.#inOrder(uid, () => client.createSubresource(podRef, pod.metadata, "binding", binding));
    const message = `Successfully assigned ${namespace}/${name} to ${nodeName}`;
    recorder.record({ about: reference(pod), type: "Normal", reason: "Scheduled", action: "Binding", message });
  }

  /** Says in the pod's condition and in an event why it has no node. */
  async reportFailure({ pod, uid }: PodInfo, failure: Failure): Promise<void> {
    const { recorder } = this.#options;
    recorder.record({
      about: reference(pod),
      type: "Warning",
      reason: "FailedScheduling",
      action: "Scheduling",
      message: shortened(failure.message),
    });
    const condition = conditionOf(pod, failure, this.#options.clock.now());
    const status: Record<string, unknown> = condition === undefined ? {} : { conditions: [condition] };
    const { nominatedNodeName } = failure;
    if (nominatedNodeName !== undefined && nominatedNodeName !== (pod.status?.nominatedNodeName ?? ""))
      status.nominatedNodeName = nominatedNodeName === "" ? null : nominatedNodeName;
    if (Object.keys(status).length > 0) await this.#inOrder(uid, () => this.#patchStatus(pod, status));
  }

  /** Marks and deletes a pod that makes room for another. */
  async evict(victim: PodInfo, preemptor: PodInfo, nodeName: string): Promise<void> {
    const { client, recorder, schedulerName, clock } = this.#options;
    const { pod } = victim;
    if (pod.metadata.deletionTimestamp !== undefined) return;
    const mark: Partial<V1PodCondition> = {
      type: "DisruptionTarget",
      ...generationOf(pod),
      status: "True",
      reason: "PreemptionByScheduler",
      message: `${schedulerName}: preempting to accommodate a higher priority pod`,
      lastTransitionTime: formatTime(clock.now()),
    };
    await this.#patchStatus(pod, { conditions: [mark] });
    await client.delete(podRef, pod.metadata, { preconditions: { uid: victim.uid } }).catch(unlessGone);
    const message = `Preempted by pod ${preemptor.uid} on node ${nodeName}`;
    recorder.record({ about: reference(pod), type: "Normal", reason: "Preempted", action: "Preempting", message });
  }

  async withdrawNomination({ pod }: PodInfo): Promise<void> {
    await this.#patchStatus(pod, { nominatedNodeName: null });
  }

  /** What is said later about a pod must not be overtaken by what was said before. */
  async #inOrder<R>(uid: string, write: () => Promise<R>): Promise<R> {
    const before = this.#writes.get(uid);
    const mine = before === undefined ? write() : before.then(write, write);
    this.#writes.set(uid, mine);
    try {
      return await mine;
    } finally {
      if (this.#writes.get(uid) === mine) this.#writes.delete(uid);
    }
  }

  async #patchStatus(pod: V1Pod, status: Record<string, unknown>): Promise<void> {
    const patch = { metadata: { uid: pod.metadata.uid }, status };
    await this.#options.client
      .patch(podRef, pod.metadata, "strategic", patch, { subresource: "status" })
      .catch(unlessGone);
  }
}

function unlessGone(error: unknown): void {
  if (!isNotFound(error)) throw error;
}

const reference = ({ metadata: { name, namespace, uid, resourceVersion } }: V1Pod) => ({
  apiVersion: "v1",
  kind: "Pod",
  name,
  namespace,
  uid,
  resourceVersion,
});

const generationOf = ({ metadata: { generation } }: V1Pod) =>
  generation === undefined ? {} : { observedGeneration: generation };

/** Undefined if the pod says so already. */
function conditionOf(pod: V1Pod, { reason, message }: Failure, now: number): Partial<V1PodCondition> | undefined {
  const old = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
  const { observedGeneration } = generationOf(pod);
  const isSame =
    old?.status === "False" &&
    old.reason === reason &&
    old.message === message &&
    old.observedGeneration === observedGeneration;
  if (isSame) return undefined;
  const lastTransitionTime = old?.status === "False" ? old.lastTransitionTime : formatTime(now);
  return {
    type: "PodScheduled",
    ...generationOf(pod),
    status: "False",
    reason,
    message,
    ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }),
  };
}

const shortened = (note: string): string =>
  note.length <= noteLengthMax ? note : `${note.slice(0, noteLengthMax - 4)} ...`;
