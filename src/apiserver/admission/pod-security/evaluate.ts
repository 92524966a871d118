/** Which checks of a level and version a pod fails. Upstream: k8s.io/pod-security-admission/policy/registry.go. */
import { baselineChecks } from "./baseline.ts";
import type { Check, PodLike, Violation } from "./containers.ts";
import type { Standard } from "./levels.ts";
import { restrictedChecks } from "./restricted.ts";

/** The version whose policies "latest" stands for. */
const latestMinor = 36;

export function violations({ level, minor: asked }: Standard, pod: PodLike): Violation[] {
  const minor = Math.min(asked ?? latestMinor, latestMinor);
  return checksOf(level, minor)
    .map((check) => check.violation(pod, minor))
    .filter((violation) => violation !== undefined);
}

function checksOf(level: Standard["level"], minor: number): Check[] {
  if (level === "privileged") return [];
  const isThere = ({ since }: Check): boolean => since <= minor;
  const baseline = baselineChecks.filter(isThere);
  if (level === "baseline") return baseline;
  const restricted = restrictedChecks.filter(isThere);
  const replaced = new Set(restricted.map(({ replaces }) => replaces));
  return [...baseline.filter(({ id }) => !replaced.has(id)), ...restricted];
}

/** `privileged (container "c" must not …), hostPort (…)`. */
export const violationsText = (found: readonly Violation[]): string =>
  found.map(({ reason, detail }) => `${reason} (${detail})`).join(", ");
