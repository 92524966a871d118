/**
 * What the level "restricted" asks for beyond "baseline": hardened pods. In the order in which upstream tells it. Upstream:
 * k8s.io/pod-security-admission/policy/check_*.go.
 */
import type { V1Container, V1Volume } from "#api/generated/types.ts";
import { badSeccompSetters, isGoodSeccomp } from "./baseline.ts";
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

function privilegeEscalation({ spec, metadata }: PodLike, minor: number): Violation | undefined {
  if (minor >= 25 && isWindows(spec)) return undefined;
  const names = namesWhere(
    { spec, metadata },
    ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false,
  );
  if (names.length === 0) return undefined;
  return {
    reason: "allowPrivilegeEscalation != false",
    detail: `${named("container", names)} must set securityContext.allowPrivilegeEscalation=false`,
  };
}

const isWindows = ({ os }: PodLike["spec"]): boolean => os?.name === "windows";

function capabilities(pod: PodLike, minor: number): Violation | undefined {
  if (minor >= 25 && isWindows(pod.spec)) return undefined;
  const of = ({ securityContext }: V1Container) => securityContext?.capabilities;
  const keeping = namesWhere(pod, (container) => of(container)?.drop?.includes("ALL") !== true);
  const extra = (container: V1Container) => (of(container)?.add ?? []).filter((name) => name !== "NET_BIND_SERVICE");
  const adding = namesWhere(pod, (container) => extra(container).length > 0);
  const faults: string[] = [];
  if (keeping.length > 0)
    faults.push(`${named("container", keeping)} must set securityContext.capabilities.drop=["ALL"]`);
  if (adding.length > 0) {
    const added = quoted(sorted(containersOf(pod).flatMap(extra)));
    faults.push(`${named("container", adding)} must not include ${added} in securityContext.capabilities.add`);
  }
  return faults.length === 0 ? undefined : { reason: "unrestricted capabilities", detail: faults.join("; ") };
}

const allowedVolumes = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "image",
  "persistentVolumeClaim",
  "projected",
  "secret",
] as const satisfies readonly (keyof V1Volume)[];
const restrictedVolumes = [
  "hostPath",
  "gcePersistentDisk",
  "awsElasticBlockStore",
  "gitRepo",
  "nfs",
  "iscsi",
  "glusterfs",
  "rbd",
  "flexVolume",
  "cinder",
  "cephfs",
  "flocker",
  "fc",
  "azureFile",
  "vsphereVolume",
  "quobyte",
  "azureDisk",
  "photonPersistentDisk",
  "portworxVolume",
  "scaleIO",
  "storageos",
] as const satisfies readonly (keyof V1Volume)[];

function volumes({ spec }: PodLike): Violation | undefined {
  const bad = (spec.volumes ?? []).filter((volume) => allowedVolumes.every((type) => volume[type] === undefined));
  if (bad.length === 0) return undefined;
  const types = sorted(bad.map((volume) => restrictedVolumes.find((type) => volume[type] !== undefined) ?? "unknown"));
  const names = bad.map(({ name }) => name);
  const verb = names.length === 1 ? "uses" : "use";
  return {
    reason: "restricted volume types",
    detail: `${named("volume", names)} ${verb} ${plural("restricted volume type", types.length)} ${quoted(types)}`,
  };
}

function runAsNonRoot(pod: PodLike, minor: number): Violation | undefined {
  if (hasOwnUsers(pod, minor)) return undefined;
  const reason = "runAsNonRoot != true";
  const own = pod.spec.securityContext?.runAsNonRoot;
  const of = ({ securityContext }: V1Container) => securityContext?.runAsNonRoot;
  const who = setters(
    own === false,
    namesWhere(pod, (container) => of(container) === false),
  );
  if (who !== "") return { reason, detail: `${who} must not set securityContext.runAsNonRoot=false` };
  const silent = own === true ? [] : namesWhere(pod, (container) => of(container) === undefined);
  if (silent.length === 0) return undefined;
  return { reason, detail: `pod or ${named("container", silent)} must set securityContext.runAsNonRoot=true` };
}

function runAsUser(pod: PodLike, minor: number): Violation | undefined {
  if (hasOwnUsers(pod, minor)) return undefined;
  const who = setters(
    pod.spec.securityContext?.runAsUser === 0,
    namesWhere(pod, ({ securityContext }) => securityContext?.runAsUser === 0),
  );
  return who === "" ? undefined : { reason: "runAsUser=0", detail: `${who} must not set runAsUser=0` };
}

function seccomp(pod: PodLike, minor: number): Violation | undefined {
  if (minor >= 25 && isWindows(pod.spec)) return undefined;
  const reason = "seccompProfile";
  const bad = badSeccompSetters(pod);
  if (bad !== undefined) return { reason, detail: bad };
  if (isGoodSeccomp(pod.spec.securityContext?.seccompProfile?.type)) return undefined;
  const silent = namesWhere(pod, ({ securityContext }) => securityContext?.seccompProfile === undefined);
  if (silent.length === 0) return undefined;
  const wanted = `must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`;
  return { reason, detail: `pod or ${named("container", silent)} ${wanted}` };
}

const level = "restricted";
export const restrictedChecks: readonly Check[] = [
  { id: "allowPrivilegeEscalation", level, since: 8, violation: privilegeEscalation },
  { id: "capabilities_restricted", level, since: 22, replaces: "capabilities_baseline", violation: capabilities },
  { id: "restrictedVolumes", level, since: 0, replaces: "hostPathVolumes", violation: volumes },
  { id: "runAsNonRoot", level, since: 0, violation: runAsNonRoot },
  { id: "runAsUser", level, since: 23, violation: runAsUser },
  { id: "seccompProfile_restricted", level, since: 19, replaces: "seccompProfile_baseline", violation: seccomp },
];
