/**
 * Changing cpu and memory of a pod in place: what the pod was given (its allocation), what its containers really have, and
 * what brings the second to the first. Pure. Upstream: pkg/kubelet/allocation, kuberuntime computePodResizeAction.
 */
import { isDeepStrictEqual } from "node:util";
import type { Node } from "#api/core/node.ts";
import type { Pod } from "#api/core/pod.ts";
import type { V1Container, V1ResourceRequirements } from "#api/generated/types.ts";
import { compareQuantities, milliValue, wholeValue } from "#api/quantity.ts";
import { podRequests } from "./pod-resources.ts";

/** What each container has, by name; "" is the pod as a whole. */
export type Amounts = ReadonlyMap<string, V1ResourceRequirements>;

const resizable = ["cpu", "memory"] as const;

function resourcedContainers({ spec }: Pod): V1Container[] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
}

/** What the pod asks for. */
export function askedAmounts(pod: Pod): Amounts {
  const amounts = new Map(resourcedContainers(pod).map(({ name, resources }) => [name, resources ?? {}]));
  const { resources } = pod.spec ?? {};
  return resources === undefined ? amounts : amounts.set("", resources);
}

/** What an earlier agent gave the pod's containers, as far as the status tells; else what they ask for. */
export function reportedAmounts(pod: Pod): Amounts {
  const amounts = new Map(askedAmounts(pod));
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  for (const { name, resources, allocatedResources } of [...initContainerStatuses, ...containerStatuses]) {
    const asked = amounts.get(name);
    if (asked === undefined || resources === undefined) continue;
    const requests = { ...asked.requests, ...(allocatedResources ?? resources.requests) };
    const limits = { ...asked.limits, ...resources.limits };
    amounts.set(name, { ...asked, ...someOf("requests", requests), ...someOf("limits", limits) });
  }
  return amounts;
}

function someOf(field: "requests" | "limits", list: Record<string, string>): V1ResourceRequirements {
  return Object.keys(list).length === 0 ? {} : { [field]: list };
}

/** The pod as it would be if it asked for these amounts. */
export function withAmounts(pod: Pod, amounts: Amounts): Pod {
  if (pod.spec === undefined) return pod;
  const { containers, initContainers } = pod.spec;
  const given = (container: V1Container): V1Container => {
    const resources = amounts.get(container.name);
    return resources === undefined || resources === container.resources ? container : { ...container, resources };
  };
  const whole = amounts.get("");
  return {
    ...pod,
    spec: {
      ...pod.spec,
      containers: containers.map(given),
      ...(initContainers === undefined ? {} : { initContainers: initContainers.map(given) }),
      ...(whole === undefined ? {} : { resources: whole }),
    },
  };
}

/** Which of cpu and memory differ. */
export function differences(a: V1ResourceRequirements = {}, b: V1ResourceRequirements = {}): string[] {
  const same = (one: string | undefined, other: string | undefined): boolean =>
    one === other || (one !== undefined && other !== undefined && compareQuantities(one, other) === 0);
  return resizable.filter(
    (name) => !same(a.requests?.[name], b.requests?.[name]) || !same(a.limits?.[name], b.limits?.[name]),
  );
}

export function sameAmounts(a: Amounts, b: Amounts): boolean {
  if (a === b || isDeepStrictEqual(a, b)) return true;
  return [...new Set([...a.keys(), ...b.keys()])].every((name) => differences(a.get(name), b.get(name)).length === 0);
}

export type ContainerResize = "none" | "update" | "restart";

export function containerResize(
  { resizePolicy = [] }: V1Container,
  has: V1ResourceRequirements | undefined,
  gets: V1ResourceRequirements | undefined,
): ContainerResize {
  if (has === undefined) return "none";
  const changed = differences(has, gets);
  if (changed.length === 0) return "none";
  const restarts = changed.some((name) =>
    resizePolicy.some(
      ({ resourceName, restartPolicy }) => resourceName === name && restartPolicy === "RestartContainer",
    ),
  );
  return restarts ? "restart" : "update";
}

/** Why a resize is not done yet. */
export interface ResizeRefusal {
  /** Infeasible: never on this node; Deferred: not as long as the others are here. */
  readonly reason: "Infeasible" | "Deferred";
  readonly message: string;
}

/** `pod` with what it asks for, `others` with what they were given. */
export function refuseResize(pod: Pod, { status }: Node, others: readonly Pod[]): ResizeRefusal | undefined {
  const allocatable = status?.allocatable ?? {};
  const requests = podRequests(pod);
  const used = others.map(podRequests);
  const checks = resizable.map((name) => {
    const amount = name === "cpu" ? milliValue : wholeValue;
    const taken = used.reduce((sum, list) => sum + amount(list[name] ?? "0"), 0);
    return { name, wanted: amount(requests[name] ?? "0"), taken, capacity: amount(allocatable[name] ?? "0") };
  });
  for (const { name, wanted, capacity } of checks.toReversed())
    if (wanted > capacity) {
      const message = `Node didn't have enough capacity: ${name}, requested: ${wanted}, capacity: ${capacity}`;
      return { reason: "Infeasible", message };
    }
  for (const { name, wanted, taken, capacity } of checks)
    if (wanted > 0 && wanted + taken > capacity) {
      const message = `Node didn't have enough resource: ${name}, requested: ${wanted}, used: ${taken}, capacity: ${capacity}`;
      return { reason: "Deferred", message };
    }
  return undefined;
}
