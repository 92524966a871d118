/**
 * Marks nodes that are not heard of, and taints nodes by what their conditions say. Upstream: pkg/controller/nodelifecycle.
 */
import { formatTime } from "#lib/clock.ts";
import { Lease } from "#api/coordination/lease.ts";
import { Node } from "#api/core/node.ts";
import { Pod } from "#api/core/pod.ts";
import type { V1NodeCondition } from "#api/generated/types.ts";
import { podsByNode } from "#reconcilers/endpoints/pod-endpoints.ts";
import { isPodReady, isPodTerminal } from "#reconcilers/pod-state.ts";
import {
  defineReconciler,
  event,
  patch,
  trigger,
  updateStatus,
  wake,
  type Change,
  type View,
} from "#reconcilers/reconciler.ts";
import { canonical } from "#reconcilers/template-hash.ts";
import { evictionPace, isEvictionTaint } from "./eviction-pace.ts";
import { heardOf, leaseNamespace, nodeCondition } from "./node-health.ts";
import { sameTaint, type Taint } from "./taints.ts";

/** A node that was heard of once may be silent for this long. */
export const gracePeriodMs = 50_000;
/** A new node has this long to report for the first time. */
export const startupGraceMs = 60_000;

const prefix = "node.kubernetes.io/";
const silentReason = "NodeStatusUnknown";
const watchedConditions = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"] as const;
/** Taints that follow from a condition of this status. */
const conditionTaints: readonly (readonly [type: string, status: string, key: string])[] = [
  ["Ready", "False", "not-ready"],
  ["Ready", "Unknown", "unreachable"],
  ["MemoryPressure", "True", "memory-pressure"],
  ["DiskPressure", "True", "disk-pressure"],
  ["NetworkUnavailable", "True", "network-unavailable"],
  ["PIDPressure", "True", "pid-pressure"],
];

export const nodeLifecycleReconciler = defineReconciler<Node>({
  name: "node-lifecycle",
  component: "node-controller",
  watches: Node,
  reads: [Pod],
  // The pace of evictions is one for all nodes of a zone.
  serial: true,
  also: [
    trigger(Lease, ({ metadata: { namespace, name } }, _, other) =>
      namespace === leaseNamespace && other === undefined ? [{ name }] : [],
    ),
  ],
  reconcile(node, view, { now }) {
    if (node.metadata.deletionTimestamp !== undefined) return [];
    const { conditions, silentAt } = observed(node, view, now);
    const seen = { ...node, status: { ...node.status, conditions } };
    return [
      ...reported(node, seen),
      ...labelled(node),
      ...tainted(seen, node, view, now),
      ...podsMarked(node, seen, view, now),
      ...(silentAt === undefined ? [] : [wake(silentAt)]),
    ];
  },
});

/** The conditions as they are to be: Unknown once the node is silent for too long. */
function observed(
  node: Node,
  view: View,
  now: number,
): { conditions: V1NodeCondition[]; silentAt: number | undefined } {
  const before = node.status?.conditions ?? [];
  const neverReported = nodeCondition(node, "Ready") === undefined;
  const silentAt = heardOf(node, view) + (neverReported ? startupGraceMs : gracePeriodMs);
  if (silentAt > now) return { conditions: before, silentAt };
  const conditions = [...before];
  const time = formatTime(now);
  for (const type of watchedConditions) {
    const at = conditions.findIndex((condition) => condition.type === type);
    const current = conditions[at];
    if (current === undefined) {
      conditions.push({
        type,
        status: "Unknown",
        lastHeartbeatTime: node.metadata.creationTimestamp!,
        lastTransitionTime: time,
        reason: "NodeStatusNeverUpdated",
        message: "Kubelet never posted node status.",
      });
    } else if (current.status !== "Unknown") {
      const message = "Kubelet stopped posting node status.";
      conditions[at] = { ...current, status: "Unknown", lastTransitionTime: time, reason: silentReason, message };
    }
  }
  return { conditions, silentAt: undefined };
}

function reported(before: Node, after: Node): Change[] {
  if (canonical(before.status?.conditions ?? []) === canonical(after.status?.conditions ?? [])) return [];
  const wasReady = nodeCondition(before, "Ready")?.status === "True";
  const reason = "NodeNotReady";
  const { name, uid } = before.metadata;
  const about = { apiVersion: "v1", kind: "Node", name, uid };
  const message = `Node ${name} status is now: ${reason}`;
  return [updateStatus(Node, after), ...(wasReady ? [event(about, "Normal", reason, message)] : [])];
}

/** The old names of the labels for system and architecture follow the new ones. */
function labelled(node: Node): Change[] {
  const labels = node.metadata.labels ?? {};
  const missing: Record<string, string> = {};
  for (const name of ["os", "arch"]) {
    const value = labels[`kubernetes.io/${name}`];
    if (value !== undefined && labels[`beta.kubernetes.io/${name}`] !== value)
      missing[`beta.kubernetes.io/${name}`] = value;
  }
  return Object.keys(missing).length === 0 ? [] : [patch(Node, node, "merge", { metadata: { labels: missing } })];
}

function tainted(seen: Node, node: Node, view: View, now: number): Change[] {
  const current = node.spec?.taints ?? [];
  const evicting = noExecuteTaints(seen, view, now);
  const wished = [...noScheduleTaints(seen), ...evicting.taints];
  const isOwn = ({ key, effect }: Taint): boolean =>
    (effect === "NoSchedule" && ownKeys.has(key)) || isEvictionTaint({ key, effect });
  const kept = current.filter((taint) => !isOwn(taint) || wished.some((each) => sameTaint(each, taint)));
  const added = wished.filter((taint) => !current.some((each) => sameTaint(each, taint)));
  const wakes = evicting.at === undefined ? [] : [wake(evicting.at)];
  if (kept.length === current.length && added.length === 0) return wakes;
  const timeAdded = formatTime(now);
  const taints = [...kept, ...added.map((taint) => ({ ...taint, timeAdded }))];
  const { resourceVersion } = node.metadata;
  const sameWrite = seen.status?.conditions === node.status?.conditions;
  // After a status write of this plan the version is a newer one; the taints are then this controller's to say.
  const metadata = sameWrite ? { resourceVersion } : {};
  return [patch(Node, node, "merge", { metadata, spec: { taints: taints.length === 0 ? null : taints } }), ...wakes];
}

const ownKeys = new Set([...conditionTaints.map(([, , key]) => prefix + key), `${prefix}unschedulable`]);

function noScheduleTaints(node: Node): Taint[] {
  const effect = "NoSchedule";
  const taints = conditionTaints
    .filter(([type, status]) => nodeCondition(node, type)?.status === status)
    .map(([, , key]) => ({ key: prefix + key, effect }));
  return node.spec?.unschedulable === true ? [...taints, { key: `${prefix}unschedulable`, effect }] : taints;
}

/** The taint that evicts, if its turn has come, and when to look again. */
function noExecuteTaints(node: Node, view: View, now: number): { taints: Taint[]; at?: number } {
  const status = nodeCondition(node, "Ready")?.status;
  if (status === "True" || status === undefined) return { taints: [] };
  const pace = evictionPace(node, view, now);
  if (pace.verdict !== "now") return { taints: [], at: pace.at };
  return { taints: [{ key: prefix + (status === "False" ? "not-ready" : "unreachable"), effect: "NoExecute" }] };
}

/** Pods of a node that fell silent are not ready, whatever they said last; a node that speaks speaks for its pods too. */
function podsMarked(node: Node, seen: Node, view: View, now: number): Change[] {
  const ready = nodeCondition(seen, "Ready");
  if (ready?.status !== "Unknown" || ready.reason !== silentReason) return [];
  const time = formatTime(now);
  return view
    .byIndex(Pod, podsByNode, node.metadata.name ?? "")
    .filter((pod) => isPodReady(pod) && !isPodTerminal(pod))
    .flatMap((pod) => {
      const { uid, generation } = pod.metadata;
      const of = generation === undefined ? {} : { observedGeneration: generation };
      const conditions = [{ type: "Ready", ...of, status: "False", lastTransitionTime: time }];
      const body = { metadata: { uid }, status: { conditions } };
      return [
        patch(Pod, pod, "strategic", body, { subresource: "status" }),
        event(pod, "Warning", "NodeNotReady", "Node is not ready"),
      ];
    });
}
