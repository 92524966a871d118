/** What events say of a resize: what the pod asks for, and what stands in the way. Upstream: pkg/kubelet/events/pod_resize_messages.go. */
import type { Pod } from "#api/core/pod.ts";
import type { V1Container, V1ResourceRequirements } from "#api/generated/types.ts";

export function resizeText(what: string, { spec }: Pod, generation = 0, error?: string): string {
  const initContainers = (spec?.initContainers ?? []).map(summaryOf);
  const summary = {
    ...(initContainers.length === 0 ? {} : { initContainers }),
    containers: (spec?.containers ?? []).map(summaryOf),
    generation,
    ...(error === undefined ? {} : { error }),
  };
  return `Pod resize ${what}: ${JSON.stringify(summary)}`;
}

/** Fields in the order in which Go writes them. */
function summaryOf({ name, resources = {} }: V1Container): { name: string; resources: V1ResourceRequirements } {
  const { limits, requests, claims } = resources;
  return {
    name,
    resources: { ...named({ limits }), ...named({ requests }), ...(claims === undefined ? {} : { claims }) },
  };
}

function named(lists: Record<string, Record<string, string> | undefined>): V1ResourceRequirements {
  const filled = Object.entries(lists).filter(([, list]) => Object.keys(list ?? {}).length > 0);
  const sorted = (list: Record<string, string> = {}): [string, string][] =>
    Object.entries(list).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(filled.map(([name, list]) => [name, Object.fromEntries(sorted(list))]));
}
