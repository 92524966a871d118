/** The cells of a pod: what its containers' states add up to, in one word. Upstream: printers.go, printPod. */
import { age, ageColumn, column, nameColumn, wide } from "#api/columns.ts";
import type { V1ContainerStatus, V1Pod } from "#api/generated/types.ts";
import type { Column, RowCondition } from "#api/resource.ts";

interface Summary {
  ready: number;
  total: number;
  reason: string;
  restarts: number;
  lastRestart: string | undefined;
}

/** Later of two RFC 3339 times of one format. */
const later = (a: string | undefined, b: string | undefined) =>
  a === undefined || (b !== undefined && Date.parse(b) > Date.parse(a)) ? b : a;

/** A type may be listed twice: its first condition counts. */
const conditionIs = (pod: V1Pod, wanted: string) =>
  pod.status?.conditions?.find(({ type }) => type === wanted)?.status === "True";
/** Of readiness, any condition that says so counts. */
const someReady = (pod: V1Pod) =>
  pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;

/** "OOMKilled", "Signal:9" or "ExitCode:3". */
function endText({ reason, signal, exitCode }: { reason?: string; signal?: number; exitCode: number }): string {
  if (reason !== undefined && reason !== "") return reason;
  return signal ? `Signal:${signal}` : `ExitCode:${exitCode}`;
}

function summarize(pod: V1Pod): Summary {
  const { spec, status } = pod;
  const sidecars = new Set(
    (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always").map(({ name }) => name),
  );
  const summary: Summary = {
    ready: 0,
    total: (spec?.containers?.length ?? 0) + sidecars.size,
    reason: status?.reason || status?.phase || "",
    restarts: 0,
    lastRestart: undefined,
  };
  for (const { type, reason } of status?.conditions ?? [])
    if (type === "PodScheduled" && reason === "SchedulingGated") summary.reason = "SchedulingGated";
  const sidecarRestarts = { restarts: 0, lastRestart: undefined as string | undefined };
  const initializing = addInitContainers(pod, sidecars, summary, sidecarRestarts);
  if (!initializing || conditionIs(pod, "Initialized")) addContainers(pod, Object.assign(summary, sidecarRestarts));
  if (pod.metadata.deletionTimestamp !== undefined) {
    if (status?.reason === "NodeLost") summary.reason = "Unknown";
    else if (status?.phase !== "Failed" && status?.phase !== "Succeeded") summary.reason = "Terminating";
  }
  return summary;
}

type Restarts = Pick<Summary, "restarts" | "lastRestart">;

function addRestarts(to: Restarts, container: V1ContainerStatus): void {
  to.restarts += container.restartCount ?? 0;
  to.lastRestart = later(to.lastRestart, container.lastState?.terminated?.finishedAt ?? undefined);
}

/** Whether an init container still has to finish; its state becomes the reason. */
function addInitContainers(
  pod: V1Pod,
  sidecars: ReadonlySet<string>,
  summary: Summary,
  sidecarRestarts: Restarts,
): boolean {
  for (const [index, container] of (pod.status?.initContainerStatuses ?? []).entries()) {
    const isSidecar = sidecars.has(container.name);
    addRestarts(summary, container);
    if (isSidecar) addRestarts(sidecarRestarts, container);
    const { terminated, waiting } = container.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (isSidecar && container.started === true) {
      if (container.ready) summary.ready++;
      continue;
    }
    if (terminated !== undefined) summary.reason = `Init:${endText(terminated)}`;
    else if (waiting?.reason && waiting.reason !== "PodInitializing") summary.reason = `Init:${waiting.reason}`;
    else summary.reason = `Init:${index}/${pod.spec?.initContainers?.length ?? 0}`;
    return true;
  }
  return false;
}

function addContainers(pod: V1Pod, summary: Summary): void {
  let hasRunning = false;
  for (const container of (pod.status?.containerStatuses ?? []).toReversed()) {
    addRestarts(summary, container);
    const { waiting, terminated, running } = container.state ?? {};
    if (waiting?.reason) summary.reason = waiting.reason;
    else if (terminated !== undefined) summary.reason = endText(terminated);
    else if (container.ready && running !== undefined) {
      hasRunning = true;
      summary.ready++;
    }
  }
  if (summary.reason === "Completed" && hasRunning) summary.reason = someReady(pod) ? "Running" : "NotReady";
}

function restartsText(pod: V1Pod, now: number): string {
  const { restarts, lastRestart } = summarize(pod);
  return restarts !== 0 && lastRestart !== undefined ? `${restarts} (${age(lastRestart, now)} ago)` : String(restarts);
}

function readinessGatesText(pod: V1Pod): string {
  const gates = pod.spec?.readinessGates ?? [];
  if (gates.length === 0) return "<none>";
  return `${gates.filter(({ conditionType }) => conditionIs(pod, conditionType)).length}/${gates.length}`;
}

const orNone = (text: string | undefined) => (text === undefined || text === "" ? "<none>" : text);

export const podColumns: readonly Column<V1Pod>[] = [
  nameColumn,
  column("Ready", "The aggregate readiness state of this pod for accepting traffic.", (pod: V1Pod) => {
    const { ready, total } = summarize(pod);
    return `${ready}/${total}`;
  }),
  column("Status", "The aggregate status of the containers in this pod.", (pod: V1Pod) => summarize(pod).reason),
  column(
    "Restarts",
    "The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.",
    restartsText,
  ),
  ageColumn,
  column("IP", ["core.v1.PodStatus", "podIP"], (pod: V1Pod) => orNone(pod.status?.podIPs?.[0]?.ip), wide),
  column("Node", ["core.v1.PodSpec", "nodeName"], (pod: V1Pod) => orNone(pod.spec?.nodeName), wide),
  column(
    "Nominated Node",
    ["core.v1.PodStatus", "nominatedNodeName"],
    (pod: V1Pod) => orNone(pod.status?.nominatedNodeName),
    wide,
  ),
  column("Readiness Gates", ["core.v1.PodSpec", "readinessGates"], readinessGatesText, wide),
];

export function podRowConditions({ status }: V1Pod): RowCondition[] {
  if (status?.phase === "Succeeded")
    return [{ type: "Completed", status: "True", reason: "Succeeded", message: "The pod has completed successfully." }];
  if (status?.phase === "Failed")
    return [{ type: "Completed", status: "True", reason: "Failed", message: "The pod failed." }];
  return [];
}
