/** Taints and tolerations. Upstream: pkg/util/taints, component-helpers/scheduling/corev1. */
import type { V1Taint, V1Toleration } from "#api/generated/types.ts";

export type Taint = V1Taint;

export function sameTaint(a: Taint, b: Taint): boolean {
  return a.key === b.key && a.effect === b.effect;
}

export function tolerates({ key = "", operator = "", value = "", effect = "" }: V1Toleration, taint: Taint): boolean {
  if (effect !== "" && effect !== taint.effect) return false;
  if (key !== "" && key !== taint.key) return false;
  if (operator === "Exists") return true;
  return (operator === "" || operator === "Equal") && value === (taint.value ?? "");
}
