/**
 * What a pod asks for in all, and its quality-of-service class. Upstream: k8s.io/component-helpers/resource/helpers.go,
 * pkg/apis/core/v1/helper/qos/qos.go.
 */
import type { V1Container, V1PodSpec } from "#api/generated/types.ts";
import { type Quantity, addQuantities, compareQuantities, isZeroQuantity, toQuantity } from "#api/quantity.ts";

export type Amounts = Record<string, Quantity>;

export const isSidecar = ({ restartPolicy }: V1Container): boolean => restartPolicy === "Always";

function add(total: Amounts, amounts: Record<string, string> | Amounts | undefined): void {
  for (const name in amounts)
    total[name] = Object.hasOwn(total, name) ? addQuantities(total[name]!, amounts[name]!) : toQuantity(amounts[name]!);
}

function raise(total: Amounts, amounts: Amounts): void {
  for (const name in amounts)
    if (!Object.hasOwn(total, name) || compareQuantities(amounts[name]!, total[name]!) > 0)
      total[name] = amounts[name]!;
}

/**
 * The sum of the containers and sidecars, or what the init containers need one by one beside the sidecars before them if
 * that is more.
 */
export function podRequests({ containers, initContainers }: Partial<V1PodSpec>): Amounts {
  return aggregate(containers ?? [], initContainers ?? [], "requests");
}

export function podLimits({ containers, initContainers }: Partial<V1PodSpec>): Amounts {
  return aggregate(containers ?? [], initContainers ?? [], "limits");
}

function aggregate(
  containers: readonly V1Container[],
  initContainers: readonly V1Container[],
  of: "requests" | "limits",
): Amounts {
  const total: Amounts = {};
  for (const { resources } of containers) add(total, resources?.[of]);
  const sidecars: Amounts = {};
  const peak: Amounts = {};
  for (const container of initContainers) {
    const own = container.resources?.[of];
    if (isSidecar(container)) {
      add(total, own);
      add(sidecars, own);
      raise(peak, sidecars);
    } else {
      const now: Amounts = { ...sidecars };
      add(now, own);
      raise(peak, now);
    }
  }
  raise(total, peak);
  return total;
}

export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

/** From requests and limits of cpu and memory alone. */
export function qosClassOf({ containers, initContainers, resources }: Partial<V1PodSpec>): QosClass {
  const holders = resources !== undefined ? [{ resources }] : [...(containers ?? []), ...(initContainers ?? [])];
  const requests: Amounts = {};
  const limits: Amounts = {};
  let isGuaranteed = true;
  for (const { resources: own } of holders) {
    const limited = new Set<string>();
    for (const name of ["cpu", "memory"]) {
      const request = own?.requests?.[name];
      const limit = own?.limits?.[name];
      if (request !== undefined && !isZeroQuantity(request)) add(requests, { [name]: request });
      if (limit === undefined || isZeroQuantity(limit)) continue;
      limited.add(name);
      add(limits, { [name]: limit });
    }
    if (limited.size < 2) isGuaranteed = false;
  }
  const names = Object.keys(requests);
  if (names.length === 0 && Object.keys(limits).length === 0) return "BestEffort";
  const isEqual = names.every(
    (name) => Object.hasOwn(limits, name) && compareQuantities(requests[name]!, limits[name]!) === 0,
  );
  return isGuaranteed && isEqual && names.length === Object.keys(limits).length ? "Guaranteed" : "Burstable";
}
