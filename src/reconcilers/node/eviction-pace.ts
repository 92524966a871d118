/**
 * How fast nodes that are not well may be emptied: one after another in each zone, slower or not at all where most of a
 * zone is not well, and not at all where nobody is: then the fault is more likely here than there. Upstream: zone states
 * in pkg/controller/nodelifecycle.
 */
import { Node } from "#api/core/node.ts";
import { defineIndex } from "#client/object-set.ts";
import { timeOf } from "#reconcilers/pod-state.ts";
import type { View } from "#reconcilers/reconciler.ts";
import { nodeCondition } from "./node-health.ts";
import type { Taint } from "./taints.ts";

export const evictionEveryMs = 10_000;
export const slowEvictionEveryMs = 100_000;
/** A zone with such a share of nodes not well is disrupted; two nodes alone are no sign of it. */
const disruptedShare = 0.55;
const disruptedNodesMin = 3;
/** Disrupted zones of up to this size are left alone. */
export const smallZoneNodesMax = 50;
/** Who may not be emptied now is looked at again after this. */
const againMs = 5_000;

const evictionKeys = new Set(["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]);
export const isEvictionTaint = ({ key, effect }: Taint): boolean => effect === "NoExecute" && evictionKeys.has(key);

const zoneOf = ({ metadata: { labels = {} } }: Node): string => {
  const of = (name: string) =>
    labels[`topology.kubernetes.io/${name}`] ?? labels[`failure-domain.beta.kubernetes.io/${name}`] ?? "";
  return `${of("region")}/${of("zone")}`;
};

const byZone = defineIndex<Node>("node-zone", (node) => [zoneOf(node)]);
const byReadiness = defineIndex<Node>("node-ready", (node) => [nodeCondition(node, "Ready")?.status ?? "Unknown"]);

export type Pace =
  | { verdict: "now" }
  /** Later, at this time or when it is looked at again. */
  | { verdict: "later"; at: number }
  /** Nobody is emptied, and who was to be is spared. */
  | { verdict: "spare"; at: number };

/** Whether this node, which is not ready, may get its first taint that evicts. */
export function evictionPace(node: Node, view: View, now: number): Pace {
  const isOther = ({ metadata }: Node): boolean => metadata.name !== node.metadata.name;
  if (!view.byIndex(Node, byReadiness, "True").some(isOther)) return { verdict: "spare", at: now + againMs };
  if ((node.spec?.taints ?? []).some(isEvictionTaint)) return { verdict: "now" };
  const zone = view.byIndex(Node, byZone, zoneOf(node));
  const ready = zone.filter((each) => isOther(each) && nodeCondition(each, "Ready")?.status === "True").length;
  const unwell = zone.length - ready;
  const isDisrupted = ready > 0 && unwell >= disruptedNodesMin && unwell / zone.length >= disruptedShare;
  if (isDisrupted && zone.length <= smallZoneNodesMax) return { verdict: "later", at: now + againMs };
  const last = Math.max(...zone.flatMap(({ spec }) => (spec?.taints ?? []).filter(isEvictionTaint).map(addedAt)), 0);
  const at = last + (isDisrupted ? slowEvictionEveryMs : evictionEveryMs);
  return at > now ? { verdict: "later", at } : { verdict: "now" };
}

const addedAt = ({ timeAdded }: Taint): number => timeOf(timeAdded);
