/** What a pod as a whole asks for and may use. Upstream: component-helpers/resource PodRequests, PodLimits. */
import type { Pod } from "#api/core/pod.ts";
import type { V1Container, V1PodStatus } from "#api/generated/types.ts";
import { addQuantities, compareQuantities, quantityText, toQuantity, type Quantity } from "#api/quantity.ts";
import { containersOf } from "./containers-of.ts";

type Amounts = Map<string, Quantity>;
type Choose = (container: V1Container) => Record<string, string> | undefined;

/** The sum of what runs together, or what the greediest init container needs beside the sidecars before it. */
function podAmounts(pod: Pod, choose: Choose): Record<string, string> {
  const total: Amounts = new Map();
  const sidecars: Amounts = new Map();
  const peak: Amounts = new Map();
  for (const { kind, spec } of containersOf(pod)) {
    if (kind === "main") add(total, choose(spec));
    if (kind === "sidecar") {
      add(total, choose(spec));
      add(sidecars, choose(spec));
      raise(peak, sidecars);
    }
    if (kind === "init") {
      const together: Amounts = new Map(sidecars);
      add(together, choose(spec));
      raise(peak, together);
    }
  }
  raise(total, peak);
  return Object.fromEntries([...total].map(([name, quantity]) => [name, quantityText(quantity)]));
}

export const podRequests = (pod: Pod): Record<string, string> => ({
  ...podAmounts(pod, ({ resources }) => resources?.requests),
  ...pod.spec?.resources?.requests,
});

export const podLimits = (pod: Pod): Record<string, string> => ({
  ...podAmounts(pod, ({ resources }) => resources?.limits),
  ...pod.spec?.resources?.limits,
});

function add(to: Amounts, list: Record<string, string> | undefined): void {
  for (const [name, text] of Object.entries(list ?? {})) {
    const known = to.get(name);
    to.set(name, known === undefined ? toQuantity(text) : addQuantities(known, text));
  }
}

function raise(to: Amounts, at: Amounts): void {
  for (const [name, quantity] of at) {
    const known = to.get(name);
    if (known === undefined || compareQuantities(known, quantity) < 0) to.set(name, quantity);
  }
}

/** What the status says of it: nothing for a pod that asks for nothing. */
export function podResources(allocated: Pod, actual: Pod): Pick<V1PodStatus, "allocatedResources" | "resources"> {
  const given = podRequests(allocated);
  const requests = podRequests(actual);
  const limits = podLimits(actual);
  const some = (list: Record<string, string>): boolean => Object.keys(list).length > 0;
  return {
    ...(some(given) ? { allocatedResources: given } : {}),
    ...(some(requests) || some(limits)
      ? { resources: { ...(some(limits) ? { limits } : {}), ...(some(requests) ? { requests } : {}) } }
      : {}),
  };
}
