/**
 * Whether this node takes a pod that was bound to it: the scheduler may have been wrong, late or passed over. Pure.
 * Upstream: pkg/kubelet/lifecycle/predicate.go, sysctl/allowlist.go.
 */
import type { Node } from "#api/core/node.ts";
import type { Pod } from "#api/core/pod.ts";
import type { V1NodeSelectorRequirement, V1NodeSelectorTerm, V1Taint, V1Toleration } from "#api/generated/types.ts";
import { milliValue, wholeValue } from "#api/quantity.ts";
import type { PodFailure } from "./pod-status.ts";
import { podRequests } from "./pod-resources.ts";

/** `others`: pods of this node that are not over. Undefined: taken. */
export function refuse(pod: Pod, node: Node, others: readonly Pod[]): PodFailure | undefined {
  return (
    refuseSysctls(pod) ??
    refuseSystem(pod) ??
    refuseGroupsPolicy(pod, node) ??
    refuseResources(pod, node, others) ??
    refuseAffinity(pod, node) ??
    refusePorts(pod, others) ??
    refuseTaints(pod, node)
  );
}

const safeSysctls = new Set([
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.ping_group_range",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
  "net.ipv4.tcp_rmem",
  "net.ipv4.tcp_wmem",
]);

function refuseSysctls({ spec }: Pod): PodFailure | undefined {
  for (const { name } of spec?.securityContext?.sysctls ?? []) {
    const dotted = name.replaceAll("/", ".");
    const message = (why: string): PodFailure => ({
      reason: "SysctlForbidden",
      message: `forbidden sysctl: "${dotted}" ${why}`,
    });
    if (!safeSysctls.has(dotted)) return message("not allowlisted");
    if (dotted.startsWith("net.") && spec?.hostNetwork === true) return message("not allowed with host net enabled");
    if (dotted.startsWith("kernel.") && spec?.hostIPC === true) return message("not allowed with host ipc enabled");
  }
  return undefined;
}

const system = "linux";

function refuseSystem({ metadata, spec }: Pod): PodFailure | undefined {
  if ((metadata.labels?.["kubernetes.io/os"] ?? system) !== system)
    return {
      reason: "PodOSSelectorNodeLabelDoesNotMatch",
      message: "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
    };
  if ((spec?.os?.name ?? system) !== system)
    return { reason: "PodOSNotSupported", message: "Failed to admit pod as the OS field doesn't match node OS" };
  return undefined;
}

function refuseGroupsPolicy({ spec }: Pod, { status }: Node): PodFailure | undefined {
  const policy = spec?.securityContext?.supplementalGroupsPolicy;
  if (policy !== "Strict" || status?.features?.supplementalGroupsPolicy === true) return undefined;
  return {
    reason: "SupplementalGroupsPolicyNotSupported",
    message: `SupplementalGroupsPolicy=${policy} is not supported in this node`,
  };
}

function refuseAffinity({ spec }: Pod, { metadata }: Node): PodFailure | undefined {
  const labels = metadata.labels ?? {};
  const selected = Object.entries(spec?.nodeSelector ?? {}).every(([key, value]) => labels[key] === value);
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const allowed = required?.nodeSelectorTerms.some((term) => matchesTerm(term, labels, metadata.name ?? "")) ?? true;
  if (selected && allowed) return undefined;
  const message = "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector";
  return { reason: "NodeAffinity", message };
}

function matchesTerm(term: V1NodeSelectorTerm, labels: Readonly<Record<string, string>>, name: string): boolean {
  const { matchExpressions = [], matchFields = [] } = term;
  if (matchExpressions.length + matchFields.length === 0) return false;
  return (
    matchExpressions.every((requirement) => matches(requirement, labels[requirement.key])) &&
    matchFields.every((requirement) => requirement.key === "metadata.name" && matches(requirement, name))
  );
}

function matches({ operator, values = [] }: V1NodeSelectorRequirement, value: string | undefined): boolean {
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
      return value !== undefined && Number(value) > Number(values[0]);
    case "Lt":
      return value !== undefined && Number(value) < Number(values[0]);
    default:
      return false;
  }
}

/** Only NoExecute counts here: what the scheduler decides is its own business. */
function refuseTaints({ spec }: Pod, node: Node): PodFailure | undefined {
  const taint = node.spec?.taints?.find(
    (one) => one.effect === "NoExecute" && !(spec?.tolerations ?? []).some((toleration) => tolerates(toleration, one)),
  );
  if (taint === undefined) return undefined;
  return {
    reason: "TaintToleration",
    message: "Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate",
  };
}

function tolerates({ key, operator = "Equal", value = "", effect }: V1Toleration, taint: V1Taint): boolean {
  if (effect !== undefined && effect !== "" && effect !== taint.effect) return false;
  if (key !== undefined && key !== "" && key !== taint.key) return false;
  return operator === "Exists" || (key === taint.key && value === (taint.value ?? ""));
}

function refusePorts(pod: Pod, others: readonly Pod[]): PodFailure | undefined {
  const taken = others.flatMap(hostPorts);
  const isTaken = ({ port, ip }: HostPort): boolean =>
    taken.some((one) => one.port === port && (one.ip === ip || ip === anyIp || one.ip === anyIp));
  if (!hostPorts(pod).some(isTaken)) return undefined;
  const message = "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports";
  return { reason: "NodePorts", message };
}

const anyIp = "0.0.0.0";

interface HostPort {
  /** "TCP/80" */
  readonly port: string;
  readonly ip: string;
}

function hostPorts({ spec }: Pod): HostPort[] {
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  return [...sidecars, ...(spec?.containers ?? [])].flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort, protocol = "TCP", hostIP = "" }) => {
      const ip = hostIP === "" ? anyIp : hostIP;
      return hostPort === undefined || hostPort === 0 ? [] : [{ port: `${protocol}/${hostPort}`, ip }];
    }),
  );
}

function refuseResources(pod: Pod, { status }: Node, others: readonly Pod[]): PodFailure | undefined {
  const allocatable = status?.allocatable ?? {};
  const pods = wholeValue(allocatable["pods"] ?? "0");
  if (others.length + 1 > pods) return shortOf("pods", 1, others.length, pods);
  const requests = podRequests(pod);
  const used = others.map(podRequests);
  for (const [name, text] of Object.entries(requests).toSorted(byTurn)) {
    // What no node has is somebody else's to give: a resource of the cluster.
    if (isExtended(name) && allocatable[name] === undefined) continue;
    const amount = name === "cpu" ? milliValue : wholeValue;
    const wanted = amount(text);
    const capacity = amount(allocatable[name] ?? "0");
    const taken = used.reduce((sum, list) => sum + amount(list[name] ?? "0"), 0);
    if (wanted > 0 && wanted + taken > capacity) return shortOf(name, wanted, taken, capacity);
  }
  return undefined;
}

const turns = ["cpu", "memory", "ephemeral-storage"];
const turnOf = (name: string): number => (turns.includes(name) ? turns.indexOf(name) : turns.length);

function byTurn([a]: [string, string], [b]: [string, string]): number {
  return turnOf(a) - turnOf(b) || (a < b ? -1 : 1);
}

/** Upstream: pkg/apis/core/v1/helper IsExtendedResourceName. */
const isExtended = (name: string): boolean => name.includes("/") && !name.includes("kubernetes.io/");

function shortOf(name: string, requested: number, used: number, capacity: number): PodFailure {
  const message = `Node didn't have enough resource: ${name}, requested: ${requested}, used: ${used}, capacity: ${capacity}`;
  return { reason: `OutOf${name}`, message };
}
