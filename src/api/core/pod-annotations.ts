/** Annotations that mean something to a pod. Upstream: ValidatePodSpecificAnnotations. */
import type { V1PodSpec } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { goQuote } from "#api/go-text.ts";
import { forbidden, invalid, required } from "#api/validation/field-errors.ts";
import { descendingPathErrors } from "./paths.ts";
import { containersWithPaths } from "./pod-os.ts";

export const appArmorPrefix = "container.apparmor.security.beta.kubernetes.io/";
export const seccompPod = "seccomp.security.alpha.kubernetes.io/pod";
export const seccompContainerPrefix = "container.seccomp.security.alpha.kubernetes.io/";
export const mirrorPod = "kubernetes.io/config.mirror";
export const deletionCost = "controller.kubernetes.io/pod-deletion-cost";

type Annotations = Readonly<Record<string, string>> | undefined;

export function podAnnotationsErrors(annotations: Annotations, spec: V1PodSpec, path: string): FieldError[] {
  if (annotations === undefined) return [];
  const errors: FieldError[] = [];
  if (annotations[mirrorPod] !== undefined && !spec.nodeName)
    errors.push(required(`${path}.${mirrorPod}`, "must set spec.nodeName if mirror pod annotation is set"));
  const tolerations = annotations["scheduler.alpha.kubernetes.io/tolerations"];
  if (tolerations !== undefined && tolerations !== "")
    errors.push(...jsonErrors(tolerations, `${path}.scheduler.alpha.kubernetes.io/tolerations`));
  for (const key in annotations) {
    if (key.startsWith(appArmorPrefix)) errors.push(...appArmorErrors(key, annotations[key]!, spec, path));
    if (key === seccompPod || key.startsWith(seccompContainerPrefix))
      errors.push(...seccompErrors(annotations[key]!, `${path}.${key}`));
  }
  const cost = annotations[deletionCost];
  if (cost !== undefined && !isInt32(cost))
    errors.push(invalid(`${path}.${deletionCost}`, cost, "must be a 32bit integer"));
  return errors;
}

function jsonErrors(text: string, field: string): FieldError[] {
  try {
    JSON.parse(text);
    return [];
  } catch {
    return [invalid(field, "scheduler.alpha.kubernetes.io/tolerations", "must be a list of tolerations in JSON")];
  }
}

const isInt32 = (text: string) =>
  /^(-?[1-9][0-9]*|0)$/.test(text) && Number(text) >= -(2 ** 31) && Number(text) < 2 ** 31;

function appArmorErrors(key: string, profile: string, spec: V1PodSpec, path: string): FieldError[] {
  const name = key.slice(appArmorPrefix.length);
  const at = `${path}[${key}]`;
  const errors: FieldError[] = [];
  if (!containersWithPaths(spec, "").some(([container]) => container.name === name))
    errors.push(invalid(at, name, "container not found"));
  const isKnown = ["", "runtime/default", "unconfined"].includes(profile) || profile.startsWith("localhost/");
  if (!isKnown) errors.push(invalid(at, profile, `invalid AppArmor profile name: ${goQuote(profile)}`));
  return errors;
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
