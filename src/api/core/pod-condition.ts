/** Conditions in a pod's status. Upstream: pkg/api/pod/util.go, UpdatePodCondition. */
import { formatTime } from "#lib/clock.ts";
import type { V1PodStatus } from "#api/generated/types.ts";

type Condition = NonNullable<V1PodStatus["conditions"]>[number];

/** In the place of the condition of that type. Its time is that of the last change of status. Changes `status`. */
export function setPodCondition(
  status: V1PodStatus,
  condition: Omit<Condition, "lastProbeTime" | "lastTransitionTime">,
  now: number,
): void {
  const conditions = status.conditions ?? [];
  const before = conditions.find(({ type }) => type === condition.type);
  const lastTransitionTime =
    before?.status === condition.status ? (before.lastTransitionTime ?? (null as never)) : formatTime(now);
  const set: Condition = { ...condition, lastProbeTime: null as never, lastTransitionTime };
  status.conditions =
    before === undefined ? [...conditions, set] : conditions.map((one) => (one === before ? set : one));
}
