/** Annotations that mean something to a pod. Upstream: ValidatePodSpecificAnnotations. */
import type { V1Pod, V1PodSpec } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { compareText, goQuote } from "#api/go-text.ts";
import { forbidden, invalid } from "#api/validation/field-errors.ts";
import { semanticEqual } from "#api/validation/values.ts";
import { readList } from "./annotation-json.ts";
import { descendingPathErrors } from "./paths.ts";
import { containersWithPaths } from "./pod-os.ts";
import { tolerationsErrors } from "./pod-scheduling.ts";

export const appArmorPrefix = "container.apparmor.security.beta.kubernetes.io/";
export const seccompPod = "seccomp.security.alpha.kubernetes.io/pod";
export const seccompContainerPrefix = "container.seccomp.security.alpha.kubernetes.io/";
export const mirrorPod = "kubernetes.io/config.mirror";
export const deletionCost = "controller.kubernetes.io/pod-deletion-cost";

/** Bytes of the name of a profile on the node. */
export const localhostProfileBytesMax = 4095;

type Annotations = Readonly<Record<string, string>> | undefined;

export function podAnnotationsErrors(annotations: Annotations, spec: V1PodSpec, path: string): FieldError[] {
  if (annotations === undefined) return [];
  const errors: FieldError[] = [];
  const mirror = annotations[mirrorPod];
  if (mirror !== undefined && !spec.nodeName)
    errors.push(invalid(`${path}[${mirrorPod}]`, mirror, "must set spec.nodeName if mirror pod annotation is set"));
  if (annotations[tolerationsKey]) errors.push(...tolerationsAnnotationErrors(annotations[tolerationsKey], path));
  const cost = annotations[deletionCost];
  if (cost !== undefined && !isInt32(cost))
    errors.push(invalid(`${path}[${deletionCost}]`, cost, "must be a 32bit integer"));
  const keys = Object.keys(annotations).sort(compareText);
  for (const key of [seccompPod, ...keys.filter((name) => name.startsWith(seccompContainerPrefix))])
    if (annotations[key] !== undefined) errors.push(...seccompErrors(annotations[key], `${path}.${key}`));
  const containers = new Set(containersWithPaths(spec, "").map(([{ name }]) => name));
  for (const key of keys)
    if (key.startsWith(appArmorPrefix)) errors.push(...appArmorErrors(key, annotations[key]!, containers, path));
  return errors;
}

const tolerationsKey = "scheduler.alpha.kubernetes.io/tolerations";

/** Tolerations as JSON, as they were written before the field. */
function tolerationsAnnotationErrors(text: string, path: string): FieldError[] {
  const tolerations = readList(text, "[]core.Toleration");
  if (typeof tolerations === "string") return [invalid(path, tolerationsKey, tolerations)];
  return tolerationsErrors(tolerations, `${path}.${tolerationsKey}`);
}

const isInt32 = (text: string) =>
  /^(-[0-9]+|[1-9][0-9]*|0)$/.test(text) && Number(text) >= -(2 ** 31) && Number(text) < 2 ** 31;

function appArmorErrors(key: string, profile: string, containers: ReadonlySet<string>, path: string): FieldError[] {
  const name = key.slice(appArmorPrefix.length);
  const at = `${path}[${key}]`;
  const errors: FieldError[] = [];
  if (!containers.has(name)) errors.push(invalid(at, name, "container not found"));
  const isKnown = ["", "runtime/default", "unconfined"].includes(profile) || profile.startsWith("localhost/");
  if (!isKnown) errors.push(invalid(at, profile, `invalid AppArmor profile name: ${goQuote(profile)}`));
  return errors;
}

type AppArmorProfile = NonNullable<NonNullable<V1PodSpec["securityContext"]>["appArmorProfile"]>;

/** The field that an annotation stands for; undefined where it is none. */
function appArmorProfileOf(annotation: string): AppArmorProfile | undefined {
  if (annotation === "unconfined") return { type: "Unconfined" };
  if (annotation === "runtime/default") return { type: "RuntimeDefault" };
  const profile = annotation.startsWith("localhost/") ? annotation.slice("localhost/".length) : "";
  const isGood = profile !== "" && profile.trim() === profile && Buffer.byteLength(profile) <= localhostProfileBytesMax;
  return isGood ? { type: "Localhost", localhostProfile: profile } : undefined;
}

export const appArmorWarning = (key: string): string =>
  `metadata.annotations[${key}]: deprecated since v1.30; use the "appArmorProfile" field instead`;

/**
 * A new pod's AppArmor annotations become fields where the pod does not say it yet. Warns even if the pod is refused.
 * Upstream: applyAppArmorVersionSkew.
 */
export function adoptAppArmorAnnotations({ metadata, spec }: V1Pod, warn: (text: string) => void): void {
  if (spec === undefined || spec.os?.name === "windows") return;
  for (const [container] of containersWithPaths(spec, "")) {
    const key = appArmorPrefix + container.name;
    const annotation = metadata.annotations?.[key];
    if (annotation === undefined || container.securityContext?.appArmorProfile !== undefined) continue;
    const profile = appArmorProfileOf(annotation);
    if (profile !== undefined && semanticEqual(profile, spec.securityContext?.appArmorProfile)) continue;
    if (profile !== undefined) container.securityContext = { ...container.securityContext, appArmorProfile: profile };
    warn(appArmorWarning(key));
  }
}

const seccompProfiles = ["runtime/default", "docker/default", "unconfined"];

function seccompErrors(profile: string, path: string): FieldError[] {
  if (seccompProfiles.includes(profile)) return [];
  if (profile.startsWith("localhost/")) return descendingPathErrors(path, profile.slice("localhost/".length));
  return [invalid(path, profile, "must be a valid seccomp profile")];
}

/** Old annotations and new fields must say the same. `path`: of the spec. */
export function annotationsAgainstFields(annotations: Annotations, spec: V1PodSpec, path: string): FieldError[] {
  if (annotations === undefined) return [];
  const errors = matchErrors(
    "seccomp",
    annotations[seccompPod],
    spec.securityContext?.seccompProfile,
    `${path}.securityContext.seccompProfile`,
  );
  const containers = containersWithPaths(spec, path);
  for (const [{ name, securityContext }, at] of containers) {
    const annotation = annotations[seccompContainerPrefix + name];
    errors.push(
      ...matchErrors("seccomp", annotation, securityContext?.seccompProfile, `${at}.securityContext.seccompProfile`),
    );
  }
  if (spec.os?.name === "windows") return errors;
  for (const [{ name, securityContext }, at] of containers) {
    const profile = securityContext?.appArmorProfile ?? spec.securityContext?.appArmorProfile;
    errors.push(
      ...matchErrors("apparmor", annotations[appArmorPrefix + name], profile, `${at}.securityContext.appArmorProfile`),
    );
  }
  return errors;
}

function matchErrors(
  what: string,
  annotation: string | undefined,
  profile: { type: string; localhostProfile?: string } | undefined,
  path: string,
): FieldError[] {
  if (annotation === undefined || profile === undefined) return [];
  const wanted = {
    Unconfined: ["unconfined"],
    RuntimeDefault: ["runtime/default", ...(what === "seccomp" ? ["docker/default"] : [])],
  }[profile.type];
  const wrongType = forbidden(`${path}.type`, `${what} type in annotation and field must match`);
  if (wanted !== undefined) return wanted.includes(annotation) ? [] : [wrongType];
  if (profile.type !== "Localhost") return [];
  if (!annotation.startsWith("localhost/")) return [wrongType];
  if (annotation === `localhost/${profile.localhostProfile}`) return [];
  return [forbidden(`${path}.localhostProfile`, `${what} profile in annotation and field must match`)];
}
