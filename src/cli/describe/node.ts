/** A node: its state, its capacity, its pods and what they ask of it. */
import { Lease } from "#api/coordination/lease.ts";
import { Pod } from "#api/core/pod.ts";
import { shortDuration } from "#api/columns.ts";
import type { V1Node, V1Pod } from "#api/generated/types.ts";
import { StatusError } from "#api/status-error.ts";
import { canonicalQuantity, milliValue, wholeValue } from "#api/quantity.ts";
import { type DescribeContext, describer } from "./describer.ts";
import { writeEvents } from "./events.ts";
import { bound, sortedEntries, timeText, writeAnnotations, writeLabels, writeMany } from "./metadata.ts";
import { amountOf, podAmounts } from "./pod-amounts.ts";

const rolePrefix = "node-role.kubernetes.io/";
const leaseNamespace = "kube-node-lease";
const shownAmounts = ["cpu", "memory", "ephemeral-storage"] as const;

export const describeNode = describer<V1Node>(async (node, context) => {
  const { writer } = context;
  const { line } = bound(writer);
  const { metadata, spec } = node;
  line(0, `Name:\t${metadata.name ?? ""}`);
  line(0, `Roles:\t${rolesText(metadata.labels)}`);
  writeLabels(writer, "Labels", metadata.labels);
  writeAnnotations(writer, metadata.annotations);
  line(0, `CreationTimestamp:\t${timeText(metadata.creationTimestamp)}`);
  writeMany(writer, "Taints", taintTexts(node));
  line(0, `Unschedulable:\t${spec?.unschedulable === true}`);
  await writeLease(node, context);
  writeConditions(node, context);
  writeStatus(node, context);
  await writePods(node, context);
  await writeEvents(node, context);
});

function rolesText(labels: Readonly<Record<string, string>> | undefined): string {
  const roles = Object.entries(labels ?? {}).flatMap(([key, value]) =>
    key.startsWith(rolePrefix) && key.length > rolePrefix.length
      ? [key.slice(rolePrefix.length)]
      : key === "kubernetes.io/role" && value !== ""
        ? [value]
        : [],
  );
  return [...new Set(roles)].sort().join(",") || "<none>";
}

function taintTexts({ spec }: V1Node): string[] {
  const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  return [...(spec?.taints ?? [])]
    .sort((a, b) => order(`${a.effect}${a.key}`, `${b.effect}${b.key}`) && order(a.key, b.key))
    .map(({ key, value, effect }) => (value ? `${key}=${value}:${effect}` : effect ? `${key}:${effect}` : key));
}

async function writeLease({ metadata }: V1Node, { session, writer }: DescribeContext): Promise<void> {
  try {
    const { spec } = await session.client.get(Lease, { namespace: leaseNamespace, name: metadata.name ?? "" });
    const shown = (time: unknown) => (typeof time === "string" ? timeText(time) : "<unset>");
    writer.line(0, "Lease:");
    writer.line(1, `HolderIdentity:\t${spec?.holderIdentity ?? "<unset>"}`);
    writer.line(1, `AcquireTime:\t${shown(spec?.acquireTime)}`);
    writer.line(1, `RenewTime:\t${shown(spec?.renewTime)}`);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    writer.line(0, `Lease:\tFailed to get lease: ${error.message}`);
  }
}

function writeConditions({ status }: V1Node, { writer }: DescribeContext): void {
  if ((status?.conditions ?? []).length === 0) return;
  writer.line(0, "Conditions:\n  Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage");
  writer.line(1, "----\t------\t-----------------\t------------------\t------\t-------");
  for (const { type, status: value, lastHeartbeatTime, lastTransitionTime, reason = "", message = "" } of status!
    .conditions!)
    writer.line(
      1,
      `${type} \t${value} \t${timeText(lastHeartbeatTime as string | undefined)} \t${timeText(lastTransitionTime as string | undefined)} \t${reason} \t${message}`,
    );
}

function writeStatus({ spec, status }: V1Node, { writer }: DescribeContext): void {
  const { line } = bound(writer);
  line(0, "Addresses:");
  for (const { type, address } of status?.addresses ?? []) line(1, `${type}:\t${address}`);
  for (const [title, list] of [
    ["Capacity", status?.capacity],
    ["Allocatable", status?.allocatable],
  ] as const) {
    const entries = sortedEntries(list as Record<string, string> | undefined);
    if (entries.length === 0) continue;
    line(0, `${title}:`);
    for (const [name, amount] of entries) line(1, `${name}:\t${amount}`);
  }
  const info = status?.nodeInfo;
  line(0, "System Info:");
  for (const [title, value] of [
    ["Machine ID", info?.machineID],
    ["System UUID", info?.systemUUID],
    ["Boot ID", info?.bootID],
    ["Kernel Version", info?.kernelVersion],
    ["OS Image", info?.osImage],
    ["Operating System", info?.operatingSystem],
    ["Architecture", info?.architecture],
    ["Container Runtime Version", info?.containerRuntimeVersion],
    ["Kubelet Version", info?.kubeletVersion],
    ["Kube-Proxy Version", info?.kubeProxyVersion],
  ] as const)
    line(1, `${title}:\t${value ?? ""}`);
  if (spec?.podCIDR) line(0, `PodCIDR:\t${spec.podCIDR}`);
  if ((spec?.podCIDRs ?? []).length > 0) line(0, `PodCIDRs:\t${spec!.podCIDRs!.join(",")}`);
  if (spec?.providerID) line(0, `ProviderID:\t${spec.providerID}`);
}

async function writePods(node: V1Node, { session, writer, now }: DescribeContext): Promise<void> {
  const { items } = await session.client.list(Pod, {
    fieldSelector: `spec.nodeName=${node.metadata.name},status.phase!=Succeeded,status.phase!=Failed`,
  });
  const allocatable = (node.status?.allocatable ?? node.status?.capacity ?? {}) as Record<string, string>;
  const share = (name: string, amount: string) => `${amount} (${percent(name, amount, allocatable[name])}%)`;
  writer.line(0, `Non-terminated Pods:\t(${items.length} in total)`);
  writer.line(1, "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge");
  writer.line(1, "---------\t----\t\t------------\t----------\t---------------\t-------------\t---");
  for (const pod of items as V1Pod[]) {
    const { requests, limits } = podAmounts(pod);
    const cells = (["cpu", "memory"] as const).flatMap((name) =>
      [requests, limits].map((list) => share(name, amountOf(list, name))),
    );
    const age = shortDuration(now - Date.parse(pod.metadata.creationTimestamp ?? ""));
    writer.line(1, `${pod.metadata.namespace}\t${pod.metadata.name}\t\t${cells.join("\t")}\t${age}`);
  }
  writeSums(items as V1Pod[], allocatable, share, writer);
}

function writeSums(
  pods: readonly V1Pod[],
  allocatable: Readonly<Record<string, string>>,
  share: (name: string, amount: string) => string,
  writer: DescribeContext["writer"],
): void {
  const totals = podAmounts(...pods);
  writer.line(0, "Allocated resources:");
  writer.line(1, "(Total limits may be over 100 percent, i.e., overcommitted.)");
  writer.line(1, "Resource\tRequests\tLimits\n  --------\t--------\t------");
  const huge = Object.keys(allocatable)
    .filter((name) => name.startsWith("hugepages-"))
    .sort();
  for (const name of [...shownAmounts, ...huge])
    writer.line(
      1,
      `${name}\t${share(name, amountOf(totals.requests, name))}\t${share(name, amountOf(totals.limits, name))}`,
    );
  const extended = Object.keys(allocatable)
    .filter((name) => name.includes("/"))
    .sort();
  for (const name of extended)
    writer.line(1, `${name}\t${amountOf(totals.requests, name)}\t${amountOf(totals.limits, name)}`);
}

function percent(name: string, amount: string, whole: string | undefined): number {
  const value = name === "cpu" ? milliValue : wholeValue;
  const all = whole === undefined ? 0 : value(whole);
  return all === 0 ? 0 : Math.trunc((value(canonicalQuantity(amount)) / all) * 100);
}
