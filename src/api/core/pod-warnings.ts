/** What works but should not be written so. Upstream: pkg/api/pod/warnings.go. */
import type { V1Container, V1ObjectMeta, V1PodSpec, V1Volume } from "#api/generated/types.ts";
import { goQuote } from "#api/go-text.ts";
import { canonicalQuantity, toQuantity } from "#api/quantity.ts";
import { ipWarnings } from "#api/validation/ip.ts";
import { isLabelValue } from "#api/validation/names.ts";
import { appArmorPrefix, appArmorWarning, seccompContainerPrefix, seccompPod } from "./pod-annotations.ts";
import { containersWithPaths } from "./pod-os.ts";
import { overlapWarnings } from "./volume-overlap.ts";

/** Labels of nodes that have another name today. */
export const deprecatedLabels: Readonly<Record<string, string>> = {
  "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
  "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
};

const deprecatedAnnotations = {
  "scheduler.alpha.kubernetes.io/critical-pod": 'non-functional in v1.16+; use the "priorityClassName" field instead',
  "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
  "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
};

const deprecatedVolumes: readonly [field: keyof V1Volume, shown: string, text: string][] = [
  ["photonPersistentDisk", "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"],
  ["gitRepo", "gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"],
  ["scaleIO", "scaleIO", "deprecated in v1.16, non-functional in v1.22+"],
  ["flocker", "flocker", "deprecated in v1.22, non-functional in v1.25+"],
  ["storageos", "storageOS", "deprecated in v1.22, non-functional in v1.25+"],
  ["quobyte", "quobyte", "deprecated in v1.22, non-functional in v1.25+"],
  ["glusterfs", "glusterfs", "deprecated in v1.25, non-functional in v1.26+"],
  ["cephfs", "cephfs", "deprecated in v1.28, non-functional in v1.31+"],
  ["rbd", "rbd", "deprecated in v1.28, non-functional in v1.31+"],
];

/** `path`: "" for a pod, "spec.template" for a template. */
export function podWarnings(spec: V1PodSpec, meta: V1ObjectMeta | undefined, path: string): string[] {
  const at = path === "" ? "" : `${path}.`;
  return [
    ...labelWarnings(spec, `${at}spec`),
    ...annotationWarnings(meta?.annotations, deprecatedAnnotations, `${at}metadata.annotations`),
    ...volumeWarnings(spec.volumes ?? [], `${at}spec.volumes`),
    ...listWarnings(spec, `${at}spec`),
    ...fractionWarnings(spec.overhead, `${at}spec.overhead`, ["memory", "ephemeral-storage"]),
    ...seccompWarning(spec.securityContext?.seccompProfile, meta, seccompPod, at),
    ...containersWithPaths(spec, `${at}spec`).flatMap(([container, to]) =>
      containerWarnings(container, spec, meta, at, to),
    ),
    ...portWarnings(spec, `${at}spec`),
    ...portNameWarnings(spec, `${at}spec`),
    ...graceWarnings(spec, `${at}spec`),
    ...affinityWarnings(spec, `${at}spec`),
    ...addressWarnings(spec, `${at}spec`),
  ];
}

const noPod = "a null labelSelector results in matching no pod";

function labelWarnings({ nodeSelector, affinity, topologySpreadConstraints = [] }: V1PodSpec, path: string): string[] {
  const warnings: string[] = [];
  for (const key in nodeSelector)
    if (Object.hasOwn(deprecatedLabels, key)) warnings.push(`${path}.nodeSelector[${key}]: ${deprecatedLabels[key]}`);
  const at = `${path}.affinity.nodeAffinity`;
  const needed = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  for (const [index, term] of needed.entries())
    warnings.push(
      ...termWarnings(term, `${at}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${index}]`),
    );
  const wished = affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  for (const [index, { preference }] of wished.entries())
    warnings.push(
      ...termWarnings(preference, `${at}.preferredDuringSchedulingIgnoredDuringExecution[${index}].preference`, true),
    );
  for (const [index, { topologyKey, labelSelector }] of topologySpreadConstraints.entries()) {
    const to = `${path}.topologySpreadConstraints[${index}]`;
    if (topologyKey in deprecatedLabels)
      warnings.push(`${to}.topologyKey: ${topologyKey} is ${deprecatedLabels[topologyKey]}`);
    if (labelSelector === undefined) warnings.push(`${to}.labelSelector: ${noPod}`);
  }
  return warnings;
}

/** Deprecated keys of one node selector term, and if asked for, values that no label has. */
export function termWarnings(
  term: { matchExpressions?: { key: string; values?: string[] }[] } | undefined,
  path: string,
  checksValues = false,
): string[] {
  return (term?.matchExpressions ?? []).flatMap(({ key, values = [] }, index) => {
    const at = `${path}.matchExpressions[${index}]`;
    const faults = (value: string, to: number) =>
      isLabelValue(value).map((fault) => `${at}.values[${to}]: ${value} is invalid, ${fault}`);
    return [
      ...(Object.hasOwn(deprecatedLabels, key) ? [`${at}.key: ${key} is ${deprecatedLabels[key]}`] : []),
      ...(checksValues ? values.flatMap(faults) : []),
    ];
  });
}

function annotationWarnings(
  annotations: Record<string, string> | undefined,
  deprecated: Record<string, string>,
  path: string,
) {
  return Object.entries(deprecated)
    .filter(([key]) => annotations?.[key] !== undefined)
    .map(([key, text]) => `${path}[${key}]: ${text}`);
}

function volumeWarnings(volumes: readonly V1Volume[], path: string): string[] {
  const warnings = volumes.flatMap((volume, index) => [
    ...deprecatedVolumes
      .filter(([field]) => volume[field] !== undefined)
      .map(([, shown, text]) => `${path}[${index}].${shown}: ${text}`),
    ...(["requests", "limits"] as const).flatMap((field) =>
      fractionWarnings(
        volume.ephemeral?.volumeClaimTemplate?.spec?.resources?.[field],
        `${path}[${index}].ephemeral.volumeClaimTemplate.spec.resources.${field}`,
        ["storage"],
      ),
    ),
  ]);
  return [...warnings, ...overlapWarnings(volumes)];
}

function listWarnings({ hostAliases = [], imagePullSecrets = [] }: V1PodSpec, path: string): string[] {
  const repeated = (values: string[], say: (index: number, value: string) => string) => {
    const seen = new Set<string>();
    return values.flatMap((value, index) => {
      const isSeen = seen.has(value);
      seen.add(value);
      return isSeen ? [say(index, value)] : [];
    });
  };
  const names = imagePullSecrets.map(({ name = "" }) => name);
  return [
    ...repeated(
      hostAliases.map(({ ip }) => ip),
      (index, ip) => `${path}.hostAliases[${index}].ip: duplicate ip ${goQuote(ip)}`,
    ),
    ...repeated(names, (index, name) => `${path}.imagePullSecrets[${index}].name: duplicate name ${goQuote(name)}`),
    ...names.flatMap((name, index) =>
      name === "" ? [`${path}.imagePullSecrets[${index}].name: invalid empty name ""`] : [],
    ),
  ];
}

const nanosPerUnit = 1_000_000_000n;

/** Bytes come whole. */
export function fractionWarnings(
  amounts: Record<string, string> | undefined,
  path: string,
  names: readonly string[],
): string[] {
  return names.flatMap((name) => {
    const amount = amounts?.[name];
    if (amount === undefined || toQuantity(amount).nanos % nanosPerUnit === 0n) return [];
    return [
      `${path}[${name}]: fractional byte value ${goQuote(canonicalQuantity(amount))} is invalid, must be an integer`,
    ];
  });
}

function seccompWarning(profile: unknown, meta: V1ObjectMeta | undefined, key: string, at: string): string[] {
  if (profile !== undefined || meta?.annotations?.[key] === undefined) return [];
  return [`${at}metadata.annotations[${key}]: non-functional in v1.27+; use the "seccompProfile" field instead`];
}

function containerWarnings(
  container: V1Container,
  spec: V1PodSpec,
  meta: V1ObjectMeta | undefined,
  at: string,
  path: string,
): string[] {
  const { name, resources, securityContext } = container;
  const warnings = seccompWarning(securityContext?.seccompProfile, meta, seccompContainerPrefix + name, at);
  const hasProfile = (securityContext?.appArmorProfile ?? spec.securityContext?.appArmorProfile) !== undefined;
  const key = appArmorPrefix + name;
  // A pod's own are told when they become fields.
  if (at !== "" && !hasProfile && meta?.annotations?.[key] !== undefined) warnings.push(`${at}${appArmorWarning(key)}`);
  for (const resource of ["memory", "ephemeral-storage"])
    for (const field of ["limits", "requests"] as const)
      warnings.push(...fractionWarnings(resources?.[field], `${path}.resources.${field}`, [resource]));
  return [...warnings, ...environmentWarnings(container.env ?? [], `${path}.env`)];
}

function environmentWarnings(variables: NonNullable<V1Container["env"]>, path: string): string[] {
  const seen = new Set<string>();
  return variables.flatMap(({ name, value = "", valueFrom }, index) => {
    const isSeen = seen.has(name);
    seen.add(name);
    const own = `$(${name})`;
    if (!isSeen || (valueFrom === undefined && value !== own && value.includes(own))) return [];
    return [`${path}[${index}]: hides previous definition of ${goQuote(name)}, which may be dropped when using apply`];
  });
}

interface PortAt {
  at: string;
  hostIP: string;
  hostPort: number;
}

function portWarnings(spec: V1PodSpec, path: string): string[] {
  const warnings: string[] = [];
  const byPort = new Map<string, PortAt[]>();
  for (const [container, to] of containersWithPaths(spec, path))
    for (const [index, port] of (container.ports ?? []).entries()) {
      const { name = "", containerPort, protocol, hostIP = "", hostPort = 0 } = port;
      const at = `${to}.ports[${index}]`;
      if (hostIP !== "" && hostPort === 0) {
        const shown = `{Name:${name} HostPort:0 ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`;
        warnings.push(`${at}: hostIP set without hostPort: ${shown}`);
      }
      const key = `${containerPort}/${protocol}`;
      const others = byPort.get(key) ?? [];
      for (const other of others) warnings.push(...collision({ at, hostIP, hostPort }, other));
      byPort.set(key, [...others, { at, hostIP, hostPort }]);
    }
  return warnings;
}

/** Services and probes take the first of the ports of one name. */
function portNameWarnings(spec: V1PodSpec, path: string): string[] {
  const byName = new Map<string, string>();
  const named = containersWithPaths(spec, path).flatMap(([{ ports = [] }, to]) =>
    ports.map(({ name = "" }, index) => ({ name, at: `${to}.ports[${index}]` })),
  );
  return named.flatMap(({ name, at }) => {
    const first = byName.get(name);
    if (name === "") return [];
    if (first === undefined) {
      byName.set(name, at);
      return [];
    }
    const text = `services and probes that select ports by name will use ${first}`;
    return [`${at}: duplicate port name ${goQuote(name)} with ${first}, ${text}`];
  });
}

function addressWarnings({ dnsConfig, hostAliases = [] }: V1PodSpec, path: string): string[] {
  return [
    ...(dnsConfig?.nameservers ?? []).flatMap((ip, index) => ipWarnings(`${path}.dnsConfig.nameservers[${index}]`, ip)),
    ...hostAliases.flatMap(({ ip }, index) => ipWarnings(`${path}.hostAliases[${index}].ip`, ip)),
  ];
}

function collision(port: PortAt, other: PortAt): string[] {
  const isSameHost = port.hostIP === other.hostIP;
  if (isSameHost && port.hostPort === other.hostPort) return [`${port.at}: duplicate port definition with ${other.at}`];
  if (port.hostPort === 0 || other.hostPort === 0) return [`${port.at}: overlapping port definition with ${other.at}`];
  const isAmbiguous = port.hostPort === other.hostPort && (port.hostIP === "") !== (other.hostIP === "");
  return isAmbiguous ? [`${port.at}: dangerously ambiguous port definition with ${other.at}`] : [];
}

function graceWarnings({ terminationGracePeriodSeconds: seconds = 0 }: V1PodSpec, path: string): string[] {
  const text = "must be >= 0; negative values are invalid and will be treated as 1";
  return seconds < 0 ? [`${path}.terminationGracePeriodSeconds: ${text}`] : [];
}

function affinityWarnings({ affinity }: V1PodSpec, path: string): string[] {
  return (["podAffinity", "podAntiAffinity"] as const).flatMap((kind) => {
    const at = `${path}.affinity.${kind}`;
    const {
      requiredDuringSchedulingIgnoredDuringExecution: needed = [],
      preferredDuringSchedulingIgnoredDuringExecution: wished = [],
    } = affinity?.[kind] ?? {};
    return [
      ...needed.flatMap(({ labelSelector }, index) =>
        labelSelector === undefined
          ? [`${at}.requiredDuringSchedulingIgnoredDuringExecution[${index}].labelSelector: ${noPod}`]
          : [],
      ),
      ...wished.flatMap(({ podAffinityTerm }, index) =>
        podAffinityTerm.labelSelector === undefined
          ? [`${at}.preferredDuringSchedulingIgnoredDuringExecution[${index}].podAffinityTerm.labelSelector: ${noPod}`]
          : [],
      ),
    ];
  });
}
