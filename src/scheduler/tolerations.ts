/** Taints and who tolerates them. Upstream: component-helpers/scheduling/corev1/helpers.go. */
import type { V1Taint, V1Toleration } from "#api/generated/types.ts";

export function tolerates(toleration: V1Toleration, taint: Pick<V1Taint, "key" | "value" | "effect">): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  if (toleration.operator === "Exists") return true;
  return (!toleration.operator || toleration.operator === "Equal") && (toleration.value ?? "") === (taint.value ?? "");
}

export function isTolerated(
  taint: Pick<V1Taint, "key" | "value" | "effect">,
  tolerations: readonly V1Toleration[] | undefined,
): boolean {
  return (tolerations ?? []).some((toleration) => tolerates(toleration, taint));
}

/** The taint keeps pods away that do not tolerate it, rather than only making the node less liked. */
export const keepsAway = ({ effect }: Pick<V1Taint, "effect">): boolean =>
  effect === "NoSchedule" || effect === "NoExecute";

export function hasUntoleratedTaint(
  taints: readonly V1Taint[],
  tolerations: readonly V1Toleration[] | undefined,
): boolean {
  return taints.some((taint) => keepsAway(taint) && !isTolerated(taint, tolerations));
}
