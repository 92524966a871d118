/**
 * What a namespace's labels ask of its pods: a level and a version for what is refused, told and recorded. Upstream:
 * k8s.io/pod-security-admission/api.
 */
import type { FieldError } from "#api/field-error.ts";
import { invalid } from "#api/validation/field-errors.ts";

export const levels = ["privileged", "baseline", "restricted"] as const;
export type Level = (typeof levels)[number];

export interface Standard {
  level: Level;
  /** The minor version of the policy, or undefined for the latest. */
  minor: number | undefined;
}

export interface PodSecurityPolicy {
  enforce: Standard;
  audit: Standard;
  warn: Standard;
}

const labelPrefix = "pod-security.kubernetes.io/";
const levelError = `must be one of ${levels.join(", ")}`;
const versionError = `must be "latest" or "v1.x"`;

export const rankOf = (level: Level): number => levels.indexOf(level);

export const standardText = ({ level, minor }: Standard): string =>
  `${level}:${minor === undefined ? "latest" : `v1.${minor}`}`;

export const isSameStandard = (a: Standard, b: Standard): boolean => a.level === b.level && a.minor === b.minor;

/** An enforced level that nobody understands is the strictest one; what is only told is then not told at all. */
export function policyOf(labels: Readonly<Record<string, string>> = {}): {
  policy: PodSecurityPolicy;
  errors: FieldError[];
} {
  const errors: FieldError[] = [];
  const read = (mode: string, fallback: Level): { standard: Standard; hasLevel: boolean; isValid: boolean } => {
    const level = labels[labelPrefix + mode];
    const version = labels[`${labelPrefix}${mode}-version`];
    const isValid = level === undefined || isLevel(level);
    if (!isValid) errors.push(invalid(`metadata.labels[${labelPrefix}${mode}]`, level, levelError));
    const minor = version === undefined ? undefined : minorOf(version);
    if (minor === null) errors.push(invalid(`metadata.labels[${labelPrefix}${mode}-version]`, version, versionError));
    const standard = {
      level: level === undefined ? "privileged" : isLevel(level) ? level : fallback,
      minor: minor ?? undefined,
    } satisfies Standard;
    return { standard, hasLevel: level !== undefined, isValid };
  };
  const enforce = read("enforce", "restricted");
  const audit = read("audit", "privileged");
  const warn = read("warn", "privileged");
  const policy = { enforce: enforce.standard, audit: audit.standard, warn: warn.standard };
  if (!warn.hasLevel && enforce.hasLevel && enforce.isValid && enforce.standard.level !== "privileged")
    policy.warn =
      labels[`${labelPrefix}warn-version`] === undefined
        ? enforce.standard
        : { level: enforce.standard.level, minor: warn.standard.minor };
  return { policy, errors };
}

const isLevel = (text: string): text is Level => (levels as readonly string[]).includes(text);

/** null: not a version. */
function minorOf(version: string): number | undefined | null {
  if (version === "latest") return undefined;
  const match = /^v1\.(0|[1-9][0-9]*)$/.exec(version);
  return match === null ? null : Number(match[1]);
}
