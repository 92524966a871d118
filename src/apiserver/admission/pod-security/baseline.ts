/**
 * What the level "baseline" forbids: known ways out of a container. In the order in which upstream tells them. Upstream:
 * k8s.io/pod-security-admission/policy/check_*.go.
 */
import type { V1Container, V1LifecycleHandler, V1Probe, V1SELinuxOptions } from "#api/generated/types.ts";
import { goQuote } from "#api/go-text.ts";
import {
  type Check,
  containersOf,
  hasOwnUsers,
  named,
  namesWhere,
  plural,
  type PodLike,
  quoted,
  setters,
  sorted,
  type Violation,
} from "./containers.ts";

export const isGoodSeccomp = (type: string | undefined): boolean => type === "RuntimeDefault" || type === "Localhost";

const appArmorPrefix = "container.apparmor.security.beta.kubernetes.io/";

function appArmor(pod: PodLike): Violation | undefined {
  const own = pod.spec.securityContext?.appArmorProfile;
  const isBad = (type: string) => type !== "RuntimeDefault" && type !== "Localhost";
  const profileOf = ({ securityContext }: V1Container) => securityContext?.appArmorProfile;
  const names = namesWhere(pod, (container) => profileOf(container) !== undefined && isBad(profileOf(container)!.type));
  const types = [own, ...containersOf(pod).map(profileOf)].flatMap((profile) =>
    profile !== undefined && isBad(profile.type) ? [profile.type] : [],
  );
  const annotations = Object.entries(pod.metadata?.annotations ?? {})
    .filter(([key, value]) => key.startsWith(appArmorPrefix) && !isGoodAppArmor(value))
    .map(([key, value]) => `${key}=${goQuote(value)}`)
    .sort();
  const values = [...sorted(types), ...annotations];
  if (values.length === 0) return undefined;
  const who = [setters(own !== undefined && isBad(own.type), names)].filter((text) => text !== "");
  if (annotations.length > 0) who.push(plural("annotation", annotations.length));
  return {
    reason: plural("forbidden AppArmor profile", values.length),
    detail: `${who.join(" and ")} must not set AppArmor profile type to ${quoted(values)}`,
  };
}

const isGoodAppArmor = (value: string): boolean =>
  value === "" || value === "runtime/default" || value.startsWith("localhost/");

const usualCapabilities = new Set([
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_BIND_SERVICE",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
]);

function capabilities(pod: PodLike): Violation | undefined {
  const unusual = ({ securityContext }: V1Container) =>
    (securityContext?.capabilities?.add ?? []).filter((name) => !usualCapabilities.has(name));
  const names = namesWhere(pod, (container) => unusual(container).length > 0);
  if (names.length === 0) return undefined;
  const added = quoted(sorted(containersOf(pod).flatMap(unusual)));
  return {
    reason: "non-default capabilities",
    detail: `${named("container", names)} must not include ${added} in securityContext.capabilities.add`,
  };
}

function hostNamespaces({ spec }: PodLike): Violation | undefined {
  const set = (["hostNetwork", "hostPID", "hostIPC"] as const).filter((field) => spec[field] === true);
  if (set.length === 0) return undefined;
  return { reason: "host namespaces", detail: set.map((field) => `${field}=true`).join(", ") };
}

function hostPath({ spec }: PodLike): Violation | undefined {
  const names = (spec.volumes ?? []).filter((volume) => volume.hostPath !== undefined).map(({ name }) => name);
  return names.length === 0 ? undefined : { reason: "hostPath volumes", detail: named("volume", names) };
}

function hostPorts(pod: PodLike): Violation | undefined {
  const ports = ({ ports: own }: V1Container) =>
    (own ?? []).flatMap(({ hostPort = 0 }) => (hostPort === 0 ? [] : [String(hostPort)]));
  const names = namesWhere(pod, (container) => ports(container).length > 0);
  if (names.length === 0) return undefined;
  const used = sorted(containersOf(pod).flatMap(ports));
  const verb = names.length === 1 ? "uses" : "use";
  return {
    reason: "hostPort",
    detail: `${named("container", names)} ${verb} ${plural("hostPort", used.length)} ${used.join(", ")}`,
  };
}

function hostProbes(pod: PodLike): Violation | undefined {
  const hosts = ({ livenessProbe, readinessProbe, startupProbe, lifecycle }: V1Container) =>
    [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop].flatMap(hostsOf);
  const names = sorted(namesWhere(pod, (container) => hosts(container).length > 0));
  if (names.length === 0) return undefined;
  const used = sorted(containersOf(pod).flatMap(hosts));
  const verb = names.length === 1 ? "uses" : "use";
  const reason = "probe or lifecycle host";
  return {
    reason,
    detail: `${named("container", names)} ${verb} ${plural(reason, used.length)} ${quoted(used)}`,
  };
}

const hostsOf = (handler: V1Probe | V1LifecycleHandler | undefined): string[] =>
  [handler?.httpGet?.host ?? "", handler?.tcpSocket?.host ?? ""].filter((host) => host !== "");

function privileged(pod: PodLike): Violation | undefined {
  const names = namesWhere(pod, ({ securityContext }) => securityContext?.privileged === true);
  if (names.length === 0) return undefined;
  return { reason: "privileged", detail: `${named("container", names)} must not set securityContext.privileged=true` };
}

function procMount(pod: PodLike, minor: number): Violation | undefined {
  if (hasOwnUsers(pod, minor)) return undefined;
  const mountOf = ({ securityContext }: V1Container) => securityContext?.procMount ?? "Default";
  const names = namesWhere(pod, (container) => mountOf(container) !== "Default");
  if (names.length === 0) return undefined;
  const types = sorted(containersOf(pod).map(mountOf)).filter((type) => type !== "Default");
  return {
    reason: "procMount",
    detail: `${named("container", names)} must not set securityContext.procMount to ${quoted(types)}`,
  };
}

function seLinux(pod: PodLike, minor: number): Violation | undefined {
  const isGoodType = (type: string) =>
    ["", "container_t", "container_init_t", "container_kvm_t"].includes(type) ||
    (minor >= 31 && type === "container_engine_t");
  const isBad = (options: V1SELinuxOptions | undefined): boolean =>
    options !== undefined &&
    (!isGoodType(options.type ?? "") || (options.user ?? "") !== "" || (options.role ?? "") !== "");
  const own = pod.spec.securityContext?.seLinuxOptions;
  const optionsOf = ({ securityContext }: V1Container) => securityContext?.seLinuxOptions;
  const who = setters(
    isBad(own),
    namesWhere(pod, (container) => isBad(optionsOf(container))),
  );
  if (who === "") return undefined;
  const all = [own, ...containersOf(pod).map(optionsOf)].filter((options) => options !== undefined);
  const types = sorted(all.map(({ type = "" }) => type)).filter((type) => !isGoodType(type));
  const faults = types.length === 0 ? [] : [`${plural("type", types.length)} ${quoted(types)}`];
  if (all.some(({ user = "" }) => user !== "")) faults.push("user may not be set");
  if (all.some(({ role = "" }) => role !== "")) faults.push("role may not be set");
  return {
    reason: "seLinuxOptions",
    detail: `${who} set forbidden securityContext.seLinuxOptions: ${faults.join("; ")}`,
  };
}

const seccompPod = "seccomp.security.alpha.kubernetes.io/pod";
const seccompContainer = "container.seccomp.security.alpha.kubernetes.io/";

function seccomp(pod: PodLike, minor: number): Violation | undefined {
  if (minor < 19) return seccompAnnotations(pod);
  const who = badSeccompSetters(pod);
  return who === undefined ? undefined : { reason: "seccompProfile", detail: who };
}

/** Those who set a profile that is none of the good ones. */
export function badSeccompSetters(pod: PodLike): string | undefined {
  const own = pod.spec.securityContext?.seccompProfile?.type;
  const typeOf = ({ securityContext }: V1Container) => securityContext?.seccompProfile?.type;
  const isBad = (type: string | undefined): type is string => type !== undefined && !isGoodSeccomp(type);
  const who = setters(
    isBad(own),
    namesWhere(pod, (container) => isBad(typeOf(container))),
  );
  if (who === "") return undefined;
  const values = sorted([own, ...containersOf(pod).map(typeOf)].filter(isBad));
  return `${who} must not set securityContext.seccompProfile.type to ${quoted(values)}`;
}

function seccompAnnotations(pod: PodLike): Violation | undefined {
  const keys = [seccompPod, ...containersOf(pod).map(({ name }) => seccompContainer + name)];
  const bad = sorted(keys).flatMap((key) => {
    const value = pod.metadata?.annotations?.[key];
    if (value === undefined || isGoodAnnotation(value)) return [];
    return [`${key}=${goQuote(value)}`];
  });
  if (bad.length === 0) return undefined;
  return {
    reason: "seccompProfile",
    detail: `forbidden ${plural("annotation", bad.length)} ${bad.join(", ")}`,
  };
}

const isGoodAnnotation = (value: string): boolean =>
  value === "runtime/default" || value === "docker/default" || value.startsWith("localhost/");

/** By the first minor version that allows them. */
const safeSysctls = new Map([
  ["kernel.shm_rmid_forced", 0],
  ["net.ipv4.ip_local_port_range", 0],
  ["net.ipv4.tcp_syncookies", 0],
  ["net.ipv4.ping_group_range", 0],
  ["net.ipv4.ip_unprivileged_port_start", 0],
  ["net.ipv4.ip_local_reserved_ports", 27],
  ["net.ipv4.tcp_keepalive_time", 29],
  ["net.ipv4.tcp_fin_timeout", 29],
  ["net.ipv4.tcp_keepalive_intvl", 29],
  ["net.ipv4.tcp_keepalive_probes", 29],
  ["net.ipv4.tcp_rmem", 32],
  ["net.ipv4.tcp_wmem", 32],
]);

function sysctls({ spec }: PodLike, minor: number): Violation | undefined {
  const bad = (spec.securityContext?.sysctls ?? [])
    .map(({ name }) => name)
    .filter((name) => (safeSysctls.get(name) ?? Infinity) > minor);
  return bad.length === 0 ? undefined : { reason: "forbidden sysctls", detail: bad.join(", ") };
}

function windowsHostProcess(pod: PodLike): Violation | undefined {
  const own = pod.spec.securityContext?.windowsOptions?.hostProcess === true;
  const who = setters(
    own,
    namesWhere(pod, ({ securityContext }) => securityContext?.windowsOptions?.hostProcess === true),
  );
  if (who === "") return undefined;
  return { reason: "hostProcess", detail: `${who} must not set securityContext.windowsOptions.hostProcess=true` };
}

const level = "baseline";
export const baselineChecks: readonly Check[] = [
  { id: "appArmorProfile", level, since: 0, violation: appArmor },
  { id: "capabilities_baseline", level, since: 0, violation: capabilities },
  { id: "hostNamespaces", level, since: 0, violation: hostNamespaces },
  { id: "hostPathVolumes", level, since: 0, violation: hostPath },
  { id: "hostPorts", level, since: 0, violation: hostPorts },
  { id: "hostProbesAndHostLifecycle", level, since: 34, violation: hostProbes },
  { id: "privileged", level, since: 0, violation: privileged },
  { id: "procMount", level, since: 0, violation: procMount },
  { id: "seLinuxOptions", level, since: 0, violation: seLinux },
  { id: "seccompProfile_baseline", level, since: 0, violation: seccomp },
  { id: "sysctls", level, since: 0, violation: sysctls },
  { id: "windowsHostProcess", level, since: 0, violation: windowsHostProcess },
];
