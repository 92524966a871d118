/**
 * What a pod asks for and what a node gives, as numbers: CPU in thousandths, all else in whole units. Upstream:
 * component-helpers/resource/helpers.go.
 */
import type { V1Container, V1ContainerStatus, V1Pod } from "#api/generated/types.ts";
import { milliValue, wholeValue } from "#api/quantity.ts";

export type Amounts = Map<string, number>;

export const cpu = "cpu";
export const memory = "memory";
export const ephemeralStorage = "ephemeral-storage";

/** What a container that says nothing counts as when nodes are scored. */
export const unsaidMilliCpu = 100;
export const unsaidMemoryBytes = 200 * 1024 * 1024;

export function amountsOf(list: Readonly<Record<string, string>> | undefined): Amounts {
  const amounts: Amounts = new Map();
  for (const name in list)
    amounts.set(name, name === cpu ? milliValue(list[name] ?? "0") : wholeValue(list[name] ?? "0"));
  return amounts;
}

export const amountOf = (amounts: Amounts, name: string): number => amounts.get(name) ?? 0;

export function addAmounts(to: Amounts, more: Amounts, sign: 1 | -1 = 1): void {
  for (const [name, amount] of more) to.set(name, (to.get(name) ?? 0) + sign * amount);
}

function raiseAmounts(to: Amounts, floor: Amounts): void {
  for (const [name, amount] of floor) to.set(name, Math.max(to.get(name) ?? amount, amount));
}

export interface RequestOptions {
  /** A pod on a node counts what it really has while it is being resized. */
  usesStatus: boolean;
  /** Added to containers that do not say these. */
  unsaid?: Amounts;
}

/**
 * The sum of the containers, or the most that starting needs if that is more; restartable init containers stay, so they
 * add to both. What the pod says as a whole replaces that; overhead comes on top.
 */
export function podRequests(pod: V1Pod, options: RequestOptions): Amounts {
  const spec = pod.spec;
  const total: Amounts = new Map();
  for (const container of spec?.containers ?? [])
    addAmounts(total, containerRequests(pod, container, pod.status?.containerStatuses, options));
  const sidecars: Amounts = new Map();
  const starting: Amounts = new Map();
  for (const container of spec?.initContainers ?? []) {
    const own = containerRequests(pod, container, pod.status?.initContainerStatuses, options);
    if (container.restartPolicy === "Always") {
      addAmounts(total, own);
      addAmounts(sidecars, own);
      raiseAmounts(starting, sidecars);
    } else {
      addAmounts(own, sidecars);
      raiseAmounts(starting, own);
    }
  }
  raiseAmounts(total, starting);
  for (const [name, amount] of podLevelRequests(pod, options)) if (isPodLevelResource(name)) total.set(name, amount);
  addAmounts(total, amountsOf(spec?.overhead));
  return total;
}

/** What the pod says as a whole; while that is being changed, the most of what was, is and shall be. */
function podLevelRequests(pod: V1Pod, { usesStatus }: RequestOptions): Amounts {
  const wished = amountsOf(pod.spec?.resources?.requests);
  if (!usesStatus || wished.size === 0) return wished;
  const amounts: Amounts = isResizeInfeasible(pod) ? new Map() : wished;
  raiseAmounts(amounts, amountsOf(pod.status?.resources?.requests));
  raiseAmounts(amounts, amountsOf(pod.status?.allocatedResources));
  return amounts.size === 0 ? wished : amounts;
}

export function isPodLevelResource(name: string): boolean {
  return name === cpu || name === memory || name.startsWith("hugepages-");
}

/** Requests with a little CPU and memory for containers that say none. */
export function scoredRequests(pod: V1Pod, options: RequestOptions): Amounts {
  const podLevel = Object.keys(pod.spec?.resources?.requests ?? {}).filter(isPodLevelResource);
  const unsaid: Amounts = new Map([
    [cpu, unsaidMilliCpu],
    [memory, unsaidMemoryBytes],
  ]);
  if (podLevel.length > 0) for (const name of podRequests(pod, options).keys()) unsaid.delete(name);
  return podRequests(pod, { ...options, unsaid });
}

function containerRequests(
  pod: V1Pod,
  container: V1Container,
  statuses: readonly V1ContainerStatus[] | undefined,
  { usesStatus, unsaid }: RequestOptions,
): Amounts {
  const status = usesStatus ? statuses?.find(({ name }) => name === container.name) : undefined;
  const amounts =
    status !== undefined && isResizeInfeasible(pod) ? new Map() : amountsOf(container.resources?.requests);
  if (status !== undefined) {
    raiseAmounts(amounts, amountsOf(status.resources?.requests));
    raiseAmounts(amounts, amountsOf(status.allocatedResources));
  }
  for (const [name, amount] of unsaid ?? []) if (!amounts.has(name)) amounts.set(name, amount);
  return amounts;
}

function isResizeInfeasible({ status }: V1Pod): boolean {
  return (status?.conditions ?? []).some(({ type, reason }) => type === "PodResizePending" && reason === "Infeasible");
}
