/** How well a pod is protected when the node runs short. Upstream: pkg/apis/core/helper/qos. */
import type { Pod } from "#api/core/pod.ts";
import { isZeroQuantity, compareQuantities } from "#api/quantity.ts";

export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

const counted = ["cpu", "memory"] as const;

/** What the API server put in the status holds: it never changes. */
export function qosClass(pod: Pod): QosClass {
  return (pod.status?.qosClass as QosClass | undefined) ?? computeQosClass(pod);
}

export function computeQosClass({ spec }: Pod): QosClass {
  const asked =
    spec?.resources?.requests !== undefined || spec?.resources?.limits !== undefined
      ? [spec.resources]
      : [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map(({ resources }) => resources ?? {});
  const amount = (list: Record<string, string> | undefined, name: string): string | undefined => {
    const text = list?.[name];
    return text === undefined || isZeroQuantity(text) ? undefined : text;
  };
  const any = asked.some(({ requests, limits }) =>
    counted.some((name) => amount(requests, name) !== undefined || amount(limits, name) !== undefined),
  );
  if (!any) return "BestEffort";
  const guaranteed = asked.every(({ requests, limits }) =>
    counted.every((name) => {
      const limit = amount(limits, name);
      const request = amount(requests, name) ?? limit;
      return limit !== undefined && request !== undefined && compareQuantities(limit, request) === 0;
    }),
  );
  return guaranteed ? "Guaranteed" : "Burstable";
}
