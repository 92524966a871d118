/** Security contexts of pods and containers. Upstream: ValidateSecurityContext, validatePodSpecSecurityContext. */
import type {
  V1AppArmorProfile,
  V1PodSecurityContext,
  V1PodSpec,
  V1SeccompProfile,
  V1SecurityContext,
  V1Sysctl,
  V1WindowsSecurityContextOptions,
} from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { duplicate, invalid, invalidEach, notSupported, required, tooLong } from "#api/validation/field-errors.ts";
import { isGroupId, isUserId } from "#api/validation/formats.ts";
import { isDns1123Subdomain } from "#api/validation/names.ts";
import { oneOfIfSet } from "#api/validation/values.ts";
import { descendingPathErrors } from "./paths.ts";
import { localhostProfileBytesMax } from "./pod-annotations.ts";

const profileTypes = ["Localhost", "RuntimeDefault", "Unconfined"];

function seccompErrors(profile: V1SeccompProfile | undefined, path: string): FieldError[] {
  if (profile === undefined) return [];
  const { type = "", localhostProfile } = profile;
  const errors: FieldError[] = [];
  if (type === "") errors.push(required(`${path}.type`, "type is required when seccompProfile is set"));
  else if (!profileTypes.includes(type)) errors.push(notSupported(`${path}.type`, type, profileTypes));
  const at = `${path}.localhostProfile`;
  if (type === "Localhost")
    errors.push(
      ...(localhostProfile === undefined
        ? [required(at, "must be set when seccomp type is Localhost")]
        : descendingPathErrors(at, localhostProfile)),
    );
  else if (localhostProfile !== undefined)
    errors.push(invalid(at, profile, "can only be set when seccomp type is Localhost"));
  return errors;
}

function appArmorErrors(profile: V1AppArmorProfile | undefined, path: string): FieldError[] {
  if (profile === undefined) return [];
  const { type = "", localhostProfile } = profile;
  const at = `${path}.localhostProfile`;
  if (type === "Localhost") return localhostProfileErrors(localhostProfile, at);
  if (type === "") return [required(`${path}.type`, "type is required when appArmorProfile is set")];
  if (!profileTypes.includes(type)) return [notSupported(`${path}.type`, type, profileTypes)];
  return localhostProfile === undefined
    ? []
    : [invalid(at, localhostProfile, "can only be set when AppArmor type is Localhost")];
}

function localhostProfileErrors(profile: string | undefined, field: string): FieldError[] {
  const missing = required(field, "must be set when AppArmor type is Localhost");
  if (profile === undefined) return [missing];
  const errors: FieldError[] = [];
  if (profile.trim() !== profile) errors.push(invalid(field, profile, "must not be padded with whitespace"));
  else if (profile === "") errors.push(missing);
  if (Buffer.byteLength(profile) > localhostProfileBytesMax) errors.push(tooLong(field, localhostProfileBytesMax));
  return errors;
}

/** `hostUsers`: the pod shares the host's user namespace. */
export function securityContextErrors(
  context: V1SecurityContext | undefined,
  hostUsers: boolean,
  path: string,
): FieldError[] {
  if (context === undefined) return [];
  const { runAsUser, runAsGroup, procMount } = context;
  const errors: FieldError[] = [];
  if (runAsUser !== undefined) errors.push(...invalidEach(`${path}.runAsUser`, runAsUser, isUserId(runAsUser)));
  if (runAsGroup !== undefined) errors.push(...invalidEach(`${path}.runAsGroup`, runAsGroup, isGroupId(runAsGroup)));
  errors.push(...oneOfIfSet(`${path}.procMount`, procMount, ["Default", "Unmasked"]));
  if (procMount === "Unmasked" && hostUsers)
    errors.push(invalid(`${path}.procMount`, procMount, "`hostUsers` must be false to use `Unmasked`"));
  errors.push(...seccompErrors(context.seccompProfile, `${path}.seccompProfile`));
  errors.push(...escalationErrors(context, path));
  errors.push(...windowsErrors(context.windowsOptions, `${path}.windowsOptions`));
  return [...errors, ...appArmorErrors(context.appArmorProfile, `${path}.appArmorProfile`)];
}

function escalationErrors(context: V1SecurityContext, path: string): FieldError[] {
  if (context.allowPrivilegeEscalation !== false) return [];
  const errors: FieldError[] = [];
  const cannot = (what: string) =>
    invalid(path, context, `cannot set \`allowPrivilegeEscalation\` to false and ${what}`);
  if (context.privileged === true) errors.push(cannot("`privileged` to true"));
  for (const capability of context.capabilities?.add ?? [])
    if (capability === "CAP_SYS_ADMIN") errors.push(cannot("`capabilities.Add` CAP_SYS_ADMIN"));
  return errors;
}

const gmsaSpecBytesMax = 64 * 1024;
const domainCharactersMax = 256;
const userCharactersMax = 104;
const netBiosDomain = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const dnsLabelPattern = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?";
const dnsDomain = new RegExp(`^${dnsLabelPattern}(?:\\.${dnsLabelPattern})*$`);
const userForbidden = '" / \\ : ; | = , + * ? < > @ [ ]';

export function windowsErrors(options: V1WindowsSecurityContextOptions | undefined, path: string): FieldError[] {
  if (options === undefined) return [];
  const { gmsaCredentialSpecName: name, gmsaCredentialSpec: spec, runAsUserName } = options;
  const errors: FieldError[] = [];
  if (name !== undefined) errors.push(...invalidEach(`${path}.gmsaCredentialSpecName`, name, isDns1123Subdomain(name)));
  if (spec === "")
    errors.push(invalid(`${path}.gmsaCredentialSpec`, spec, "gmsaCredentialSpec cannot be an empty string"));
  else if (spec !== undefined && Buffer.byteLength(spec) > gmsaSpecBytesMax)
    errors.push(invalid(`${path}.gmsaCredentialSpec`, spec, "gmsaCredentialSpec size must be under 64 KiB"));
  if (runAsUserName !== undefined)
    errors.push(
      ...userNameFaults(runAsUserName).map((fault) => invalid(`${path}.runAsUserName`, runAsUserName, fault)),
    );
  return errors;
}

function userNameFaults(name: string): string[] {
  if (name === "") return ["runAsUserName cannot be an empty string"];
  // oxlint-disable-next-line no-control-regex
  if (/[\x00-\x1f\x7f]/.test(name)) return ["runAsUserName cannot contain control characters"];
  const parts = name.split("\\");
  if (parts.length > 2) return ["runAsUserName cannot contain more than one backslash"];
  const user = parts.at(-1)!;
  const faults: string[] = [];
  if (parts.length === 2) {
    const domain = parts[0]!;
    if (domain.length >= domainCharactersMax)
      faults.push(`runAsUserName's Domain length must be under ${domainCharactersMax} characters`);
    if (!netBiosDomain.test(domain) && !dnsDomain.test(domain))
      faults.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format");
  }
  if (user === "") faults.push("runAsUserName's User cannot be empty");
  else if (user.length > userCharactersMax)
    faults.push(`runAsUserName's User length must not be longer than ${userCharactersMax} characters`);
  if (/^[. ]+$/.test(user)) faults.push("runAsUserName's User cannot contain only periods or spaces");
  if (/["/\\:;|=,+*?<>@[\]]/.test(user))
    faults.push(`runAsUserName's User cannot contain the following characters: ${userForbidden.replaceAll(" ", "")}`);
  return faults;
}

/** `spec.securityContext`; `spec` for the host's namespaces, which Kubernetes counts to it. */
export function podSecurityContextErrors(spec: V1PodSpec, path: string): FieldError[] {
  const context = spec.securityContext ?? {};
  const errors = [
    ...idErrors(`${path}.fsGroup`, context.fsGroup),
    ...idErrors(`${path}.runAsUser`, context.runAsUser),
    ...idErrors(`${path}.runAsGroup`, context.runAsGroup),
    ...(context.supplementalGroups ?? []).flatMap((group, index) =>
      idErrors(`${path}.supplementalGroups[${index}]`, group),
    ),
  ];
  if (spec.shareProcessNamespace === true && spec.hostPID === true) {
    const text = "ShareProcessNamespace and HostPID cannot both be enabled";
    errors.push(invalid(`${path}.shareProcessNamespace`, true, text));
  }
  errors.push(...sysctlsErrors(context.sysctls ?? [], spec, `${path}.sysctls`));
  errors.push(...oneOfIfSet(`${path}.fsGroupChangePolicy`, context.fsGroupChangePolicy, ["Always", "OnRootMismatch"]));
  errors.push(...seccompErrors(context.seccompProfile, `${path}.seccompProfile`));
  errors.push(...windowsErrors(context.windowsOptions, `${path}.windowsOptions`));
  errors.push(...appArmorErrors(context.appArmorProfile, `${path}.appArmorProfile`));
  return [...errors, ...policyErrors(context, path)];
}

/** The feature that mounts with an SELinux label is off in this release: files are relabelled one by one. */
const policyErrors = (context: V1PodSecurityContext, path: string) => [
  ...oneOfIfSet(`${path}.supplementalGroupsPolicy`, context.supplementalGroupsPolicy, ["Merge", "Strict"]),
  ...oneOfIfSet(`${path}.seLinuxChangePolicy`, context.seLinuxChangePolicy, ["Recursive"]),
];

const idErrors = (field: string, id: number | undefined) =>
  id === undefined ? [] : invalidEach(field, id, isUserId(id));

const sysctlBytesMax = 253;
const sysctlPattern = "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";
const sysctlRule = new RegExp(sysctlPattern);
const isIpcSysctl = (name: string) => name === "kernel.sem" || /^(kernel\.(shm|msg)|fs\.mqueue\.)/.test(name);

/** A name whose first separator is a slash has slashes for dots and dots for slashes. */
function dottedSysctl(name: string): string {
  if (/[./]/.exec(name)?.[0] !== "/") return name;
  return name.replace(/[./]/g, (separator) => (separator === "/" ? "." : "/"));
}

function sysctlsErrors(sysctls: readonly V1Sysctl[], spec: V1PodSpec, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [index, { name = "" }] of sysctls.entries()) {
    const at = `${path}[${index}].name`;
    if (name === "") errors.push(required(at));
    else if (name.length > sysctlBytesMax || !sysctlRule.test(name))
      errors.push(invalid(at, name, `must have at most ${sysctlBytesMax} characters and match regex ${sysctlPattern}`));
    else if (names.has(name)) errors.push(duplicate(at, name));
    const dotted = dottedSysctl(name);
    if (spec.hostNetwork === true && dotted.startsWith("net."))
      errors.push(invalid(at, name, "may not be specified when 'hostNetwork' is true"));
    else if (spec.hostIPC === true && isIpcSysctl(dotted))
      errors.push(invalid(at, name, "may not be specified when 'hostIPC' is true"));
    names.add(name);
  }
  return errors;
}
