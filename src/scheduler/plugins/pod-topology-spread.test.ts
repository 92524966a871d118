import { expect, it } from "vitest";
import { hollowNode as node, hollowPod as pod } from "#scheduler/hollow.ts";
import { scores, verdicts } from "#scheduler/try-plugin.ts";
import type { V1Pod, V1TopologySpreadConstraint } from "#api/generated/types.ts";
import { podTopologySpread } from "./pod-topology-spread.ts";

const zone = "topology.kubernetes.io/zone";
const spread = (more: Partial<V1TopologySpreadConstraint> = {}) => ({
  labels: { app: "a" },
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: zone,
      whenUnsatisfiable: "DoNotSchedule",
      labelSelector: { matchLabels: { app: "a" } },
      ...more,
    },
  ],
});
const nodes = [
  node("a", { labels: { [zone]: "z1" } }),
  node("b", { labels: { [zone]: "z1" }, taints: [{ key: "k", effect: "NoSchedule" }] }),
  node("c", { labels: { [zone]: "z2" } }),
  node("d"),
];
const sibling = (name: string, nodeName: string): V1Pod => pod(name, { nodeName, labels: { app: "a" } });
const no = "misfit: node(s) didn't match pod topology spread constraints";
const unlabelled = "neverFits: node(s) didn't match pod topology spread constraints (missing required label)";

it.each([
  ["into the emptier zone", spread(), [sibling("o", "a")], [no, no, "fits", unlabelled]],
  ["more skew is allowed", spread({ maxSkew: 2 }), [sibling("o", "a")], ["fits", "fits", "fits", unlabelled]],
  [
    "a pod that does not count itself",
    { ...spread(), labels: { app: "b" } },
    [sibling("o", "a")],
    ["fits", "fits", "fits", unlabelled],
  ],
  [
    "too few domains: the least is zero",
    spread({ minDomains: 3 }),
    [sibling("o", "a"), sibling("q", "c")],
    [no, no, no, unlabelled],
  ],
  [
    "pods that end do not count",
    spread(),
    [{ ...sibling("o", "a"), metadata: { ...sibling("o", "a").metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } }],
    ["fits", "fits", "fits", unlabelled],
  ],
  [
    "nodes out of the pod's reach do not count",
    { ...spread(), nodeSelector: { [zone]: "z1" } },
    [sibling("o", "a")],
    ["fits", "fits", "fits", unlabelled],
  ],
  [
    "unless the policy says so",
    { ...spread({ nodeAffinityPolicy: "Ignore" }), nodeSelector: { [zone]: "z1" } },
    [sibling("o", "a")],
    [no, no, "fits", unlabelled],
  ],
  ["pods on tainted nodes count by default", spread(), [sibling("o", "b")], [no, no, "fits", unlabelled]],
  [
    "and not where taints are honoured",
    spread({ nodeTaintsPolicy: "Honor" }),
    [sibling("o", "b")],
    ["fits", "fits", "fits", unlabelled],
  ],
  [
    "no selector counts nobody",
    {
      labels: { app: "a" },
      topologySpreadConstraints: [{ maxSkew: 1, topologyKey: zone, whenUnsatisfiable: "DoNotSchedule" }],
    },
    [sibling("o", "a")],
    ["fits", "fits", "fits", unlabelled],
  ],
])("PodTopologySpread: %s", (_, options, objects, expected) => {
  expect(verdicts(podTopologySpread, pod("p", options), [...nodes, ...objects])).toEqual(expected);
});

it("PodTopologySpread: where it only should hold, fewer siblings score more and a missing label least", () => {
  const wish = spread({ whenUnsatisfiable: "ScheduleAnyway" });
  const [a, b, c, d] =
    scores(podTopologySpread, pod("p", wish), [...nodes, sibling("o", "a"), sibling("q", "a")]) ?? [];
  expect(a).toBe(b);
  expect(c).toBeGreaterThan(a ?? 0);
  expect(d).toBe(0);
});

it("PodTopologySpread: by default pods of a service keep apart, other pods do not care", () => {
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "s", namespace: "default" },
    spec: { selector: { app: "a" } },
  };
  const alone = pod("p", { labels: { app: "a" } });
  const [a, , c] = scores(podTopologySpread, alone, [...nodes, service, sibling("o", "a")]) ?? [];
  expect(c).toBeGreaterThan(a ?? 0);
  expect(scores(podTopologySpread, alone, [...nodes, sibling("o", "a")])).toBeUndefined();
});
