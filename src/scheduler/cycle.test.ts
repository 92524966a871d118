import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { V1Pod, V1PodDisruptionBudget, V1PodSpec, V1Service } from "#api/generated/types.ts";
import type { KubernetesObject } from "#api/object.ts";
import { seededRandom } from "#lib/random.ts";
import { allPlugins } from "./all.ts";
import { clusterOf } from "./cluster-of.ts";
import { type Decision, decide, nodesToFind } from "./cycle.ts";
import { hollowNode as node, hollowPod as pod, type HollowPod } from "./hollow.ts";
import { podInfoOf } from "./pod-info.ts";

function decided(wanted: V1Pod, objects: readonly KubernetesObject[], seed = 1): Decision {
  return decide(podInfoOf(wanted), clusterOf(objects), { plugins: allPlugins, random: seededRandom(seed) });
}

const placeOf = (decision: Decision): string => (decision.kind === "chosen" ? decision.node : decision.message);
const notHelpful = (nodes: number) =>
  `no new claims to deallocate, preemption: 0/${nodes} nodes are available: ${nodes} Preemption is not helpful for scheduling.`;
const noVictims = (nodes: number) =>
  `no new claims to deallocate, preemption: 0/${nodes} nodes are available: ${nodes} No preemption victims found for incoming pod.`;

describe("cycle: messages", () => {
  const cases: [string, V1Pod, KubernetesObject[], string][] = [
    ["no nodes", pod("p"), [], "no nodes available to schedule pods"],
    [
      "more than the node has",
      pod("p", { requests: { cpu: "5" } }),
      [node("a")],
      `0/1 nodes are available: 1 Insufficient cpu. ${notHelpful(1)}`,
    ],
    [
      "more than is left",
      pod("p", { requests: { cpu: "3" } }),
      [node("a"), pod("o", { nodeName: "a", requests: { cpu: "2" } })],
      `0/1 nodes are available: 1 Insufficient cpu. ${noVictims(1)}`,
    ],
    [
      "reasons of several nodes, as text in order",
      pod("p", { requests: { cpu: "3" }, nodeSelector: { disk: "ssd" } }),
      [
        node("a", { labels: { disk: "ssd" }, allocatable: { cpu: "2" } }),
        node("b"),
        node("c", { labels: { disk: "ssd" }, taints: [{ key: "k", effect: "NoExecute" }] }),
        node("d", { labels: { disk: "ssd" }, unschedulable: true }),
      ],
      "0/4 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match Pod's node affinity/selector, " +
        `1 node(s) had untolerated taint(s), 1 node(s) were unschedulable. ${notHelpful(4)}`,
    ],
    [
      "a node takes only so many pods, and several resources are short at once",
      pod("p", { requests: { cpu: "5", memory: "9Gi", "example.com/gpu": "1" } }),
      [node("a", { allocatable: { pods: "0" } })],
      "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient example.com/gpu, 1 Insufficient memory, 1 Too many pods. " +
        notHelpful(1),
    ],
    [
      "a claim that is missing",
      pod("p", { volumes: [{ name: "v", persistentVolumeClaim: { claimName: "none" } }] }),
      [node("a")],
      '0/1 nodes are available: persistentvolumeclaim "none" not found. not found',
    ],
    [
      "a field selector that names no node that exists",
      pod("p", {
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: ["z"] }] }],
            },
          },
        },
      }),
      [node("a")],
      `0/1 nodes are available: 1 node(s) didn't satisfy plugin(s) [NodeAffinity]. ${notHelpful(1)}`,
    ],
    [
      "may not preempt",
      pod("p", { requests: { cpu: "3" }, priority: 10, preemptionPolicy: "Never" }),
      [node("a"), pod("o", { nodeName: "a", requests: { cpu: "2" } })],
      "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, " +
        "preemption: not eligible due to preemptionPolicy=Never.",
    ],
  ];
  it.each(cases)("%s", (_, wanted, objects, message) => {
    expect(placeOf(decided(wanted, objects))).toBe(message);
  });
});

describe("cycle: scores", () => {
  const preferring = (labels: Record<string, number>): Partial<V1PodSpec> => ({
    affinity: {
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: Object.entries(labels).map(([key, weight]) => ({
          weight,
          preference: { matchExpressions: [{ key, operator: "Exists" }] },
        })),
      },
    },
  });
  const service: V1Service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "s", namespace: "default" },
    spec: { selector: { app: "a" } },
  };
  const cases: [string, V1Pod, KubernetesObject[], string][] = [
    [
      "the emptier node",
      pod("p", { requests: { cpu: "1" } }),
      [node("a"), node("b"), pod("o", { nodeName: "a", requests: { cpu: "1", memory: "2Gi" } })],
      "b",
    ],
    [
      "the heavier preference",
      pod("p", preferring({ x: 10, y: 20 })),
      [node("a", { labels: { x: "" } }), node("b", { labels: { y: "" } })],
      "b",
    ],
    [
      "fewer taints that only make less liked",
      pod("p"),
      [node("a", { taints: [{ key: "k", effect: "PreferNoSchedule" }] }), node("b")],
      "b",
    ],
    [
      "the node that has the large image",
      pod("p", { containers: [{ name: "c", image: "big" }] }),
      [node("a", { images: [{ names: ["big:latest"], sizeBytes: 900 * 2 ** 20 }] }), node("b")],
      "a",
    ],
    [
      "away from siblings of a service",
      pod("p", { labels: { app: "a" } }),
      [service, node("a"), node("b"), pod("o", { nodeName: "a", labels: { app: "a" } })],
      "b",
    ],
  ];
  it.each(cases)("%s", (_, wanted, objects, name) => {
    for (let seed = 0; seed < 5; seed++) expect(placeOf(decided(wanted, objects, seed))).toBe(name);
  });

  it("with many nodes enough are looked at, not all", () => {
    expect([1, 99, 100, 1000, 5000, 10_000].map(nodesToFind)).toEqual([1, 99, 100, 420, 500, 500]);
  });
});

describe("cycle: preemption", () => {
  const budget = (allowed: number): V1PodDisruptionBudget => ({
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: { name: "b", namespace: "default" },
    spec: { selector: { matchLabels: { app: "db" } } },
    status: { currentHealthy: 1, desiredHealthy: 1, disruptionsAllowed: allowed, expectedPods: 1 },
  });
  const victimsOf = (decision: Decision) =>
    decision.kind === "unschedulable" && decision.preemption !== undefined
      ? [decision.preemption.node, ...decision.preemption.victims.map(({ name }) => name)]
      : placeOf(decision);
  const small = (name: string) => node(name, { allocatable: { cpu: "2" } });
  const on = (nodeName: string, cpu: string, more: HollowPod = {}) => ({ nodeName, requests: { cpu }, ...more });
  const high = pod("p", { requests: { cpu: "2" }, priority: 100 });
  const cases: [string, V1Pod, KubernetesObject[], string[]][] = [
    [
      "no more than needed, the least important first",
      pod("p", { requests: { cpu: "1" }, priority: 100 }),
      [small("a"), pod("v1", on("a", "1", { priority: 5 })), pod("v2", on("a", "1"))],
      ["a", "v2"],
    ],
    [
      "the node whose victims are of lower priority",
      high,
      [small("a"), small("b"), pod("v1", on("a", "2", { priority: 5 })), pod("v2", on("b", "2", { priority: 4 }))],
      ["b", "v2"],
    ],
    [
      "the node with fewer victims",
      high,
      [small("a"), small("b"), pod("v1", on("a", "1")), pod("v2", on("a", "1")), pod("v3", on("b", "2"))],
      ["b", "v3"],
    ],
    [
      "the node whose victim started last",
      high,
      [
        small("a"),
        small("b"),
        pod("v1", on("a", "2", { startTime: "2024-01-01T00:00:00Z" })),
        pod("v2", on("b", "2", { startTime: "2020-01-01T00:00:00Z" })),
      ],
      ["a", "v1"],
    ],
    [
      "a disruption budget is spared, even for a higher priority",
      high,
      [
        budget(0),
        small("a"),
        small("b"),
        pod("v1", on("a", "2", { labels: { app: "db" } })),
        pod("v2", on("b", "2", { priority: 50 })),
      ],
      ["b", "v2"],
    ],
    [
      "a budget that allows a disruption is no obstacle",
      high,
      [
        budget(1),
        small("a"),
        small("b"),
        pod("v1", on("a", "2", { labels: { app: "db" } })),
        pod("v2", on("b", "2", { priority: 50 })),
      ],
      ["a", "v1"],
    ],
  ];
  it.each(cases)("%s", (_, wanted, objects, expected) => {
    const decision = decided(wanted, objects);
    expect(victimsOf(decision)).toEqual(expected);
    expect(placeOf(decision)).toMatch(/^0\/\d nodes are available: \d Insufficient cpu\.$/);
  });

  it("trying evictions leaves the cluster as it was", () => {
    const objects = [small("a"), pod("v1", on("a", "1")), pod("v2", on("a", "1", { hostNetwork: true }))];
    const cluster = clusterOf(objects);
    const before = structuredClone([...(cluster.state.node("a")?.requested ?? [])]);
    decide(podInfoOf(high), cluster, { plugins: allPlugins, random: seededRandom(1) });
    expect([...(cluster.state.node("a")?.requested ?? [])]).toEqual(before);
    expect([...(cluster.state.node("a")?.pods.keys() ?? [])].toSorted()).toEqual(["uid-v1", "uid-v2"]);
  });

  it("room that is promised to a pod is not given to one of lower priority", () => {
    const promised = { ...high, status: { nominatedNodeName: "a" } };
    const objects = [node("a", { allocatable: { cpu: "3" } }), promised];
    expect(placeOf(decided(pod("late", { requests: { cpu: "2" } }), objects))).toContain("1 Insufficient cpu");
    expect(placeOf(decided(pod("late", { requests: { cpu: "1" } }), objects))).toBe("a");
    expect(placeOf(decided(pod("late", { requests: { cpu: "2" }, priority: 200 }), objects))).toBe("a");
  });
});

describe("cycle: preemption on small clusters", () => {
  const podArbitrary = fc.record({
    at: fc.nat(2),
    cpu: fc.constantFrom("500m", "1", "2"),
    priority: fc.nat(3),
    port: fc.constantFrom(undefined, 80),
  });
  const toPod = (
    name: string,
    { cpu, priority, port, at }: typeof podArbitrary extends fc.Arbitrary<infer P> ? P : never,
    isPlaced: boolean,
  ) =>
    pod(name, {
      priority,
      containers: [
        {
          name: "c",
          image: "i",
          resources: { requests: { cpu } },
          ...(port && { ports: [{ containerPort: port, hostPort: port }] }),
        },
      ],
      ...(isPlaced && { nodeName: `n${at}` }),
    });

  it("without its victims the pod fits, with any of them back it does not, and none is its equal", () => {
    fc.assert(
      fc.property(fc.array(podArbitrary, { maxLength: 8 }), podArbitrary, (others, wanted) => {
        const nodes = ["n0", "n1", "n2"].map((name) => node(name, { allocatable: { cpu: "2" } }));
        const pods = others.map((one, at) => toPod(`o${at}`, one, true));
        const high = toPod("p", wanted, false);
        const decision = decided(high, [...nodes, ...pods]);
        if (decision.kind !== "unschedulable" || decision.preemption === undefined) return;
        const { node: place, victims } = decision.preemption;
        const without = (spared?: string) =>
          pods.filter(
            ({ metadata }) => metadata.name === spared || !victims.some(({ name }) => name === metadata.name),
          );
        const only = nodes.filter(({ metadata }) => metadata.name === place);
        expect(placeOf(decided(high, [...only, ...without()]))).toBe(place);
        for (const { name, priority, nodeName } of victims) {
          expect(priority).toBeLessThan(wanted.priority);
          expect(nodeName).toBe(place);
          expect(decided(high, [...only, ...without(name)]).kind).toBe("unschedulable");
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("cycle: on small clusters a brute-force oracle agrees", () => {
  const zone = fc.constantFrom("z1", "z2", undefined);
  const cpuArbitrary = fc.constantFrom("500m", "1", "2", "3");
  const nodeArbitrary = fc.record({
    zone,
    cpu: fc.constantFrom("1", "2", "4"),
    isTainted: fc.boolean(),
    isCordoned: fc.boolean(),
  });
  const podArbitrary = fc.record({
    at: fc.nat(3),
    cpu: cpuArbitrary,
    app: fc.constantFrom("x", "y"),
    port: fc.constantFrom(undefined, 80, 81),
    avoids: fc.constantFrom(undefined, "x", "y"),
  });
  const wantedArbitrary = fc.record({
    cpu: cpuArbitrary,
    app: fc.constantFrom("x", "y"),
    port: fc.constantFrom(undefined, 80, 81),
    avoids: fc.constantFrom(undefined, "x", "y"),
    seeks: fc.constantFrom(undefined, "x", "y"),
    zone,
    tolerates: fc.boolean(),
  });
  type Wanted = typeof wantedArbitrary extends fc.Arbitrary<infer W> ? W : never;

  const term = (app: string) => ({
    labelSelector: { matchLabels: { app } },
    topologyKey: "topology.kubernetes.io/zone",
  });
  const toPod = (
    name: string,
    { cpu, app, port, avoids, ...rest }: Omit<Wanted, "seeks" | "zone" | "tolerates"> & Partial<Wanted>,
    nodeName?: string,
  ) =>
    pod(name, {
      labels: { app },
      containers: [
        {
          name: "c",
          image: "i",
          resources: { requests: { cpu } },
          ...(port && { ports: [{ containerPort: port, hostPort: port }] }),
        },
      ],
      ...(nodeName && { nodeName }),
      ...(rest.tolerates === true && { tolerations: [{ key: "k", operator: "Exists" }] }),
      ...(rest.zone && { nodeSelector: { "topology.kubernetes.io/zone": rest.zone } }),
      affinity: {
        ...(avoids && { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term(avoids)] } }),
        ...(rest.seeks && { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term(rest.seeks)] } }),
      },
    });

  it("a pod goes where every rule allows it, and nowhere only if no node is allowed", () => {
    fc.assert(
      fc.property(
        fc.array(nodeArbitrary, { minLength: 1, maxLength: 4 }),
        fc.array(podArbitrary, { maxLength: 5 }),
        wantedArbitrary,
        (nodes, pods, wanted) => {
          const names = nodes.map((_, at) => `n${at}`);
          const there = pods.map((one) => ({ ...one, at: one.at % nodes.length }));
          const objects = [
            ...nodes.map(({ zone, cpu, isTainted, isCordoned }, at) =>
              node(names[at] ?? "", {
                allocatable: { cpu },
                ...(zone && { labels: { "topology.kubernetes.io/zone": zone } }),
                ...(isTainted && { taints: [{ key: "k", effect: "NoSchedule" }] }),
                unschedulable: isCordoned,
              }),
            ),
            ...there.map((one, at) => toPod(`o${at}`, one, names[one.at])),
          ];
          const zoneOf = (at: number) => nodes[at]?.zone;
          const milli = (cpu: string) => (cpu.endsWith("m") ? Number(cpu.slice(0, -1)) : Number(cpu) * 1000);
          const isNear = (at: number, matches: (one: (typeof there)[number]) => boolean) =>
            zoneOf(at) !== undefined && there.some((one) => zoneOf(one.at) === zoneOf(at) && matches(one));
          const anywhere = there.some((one) => zoneOf(one.at) !== undefined && one.app === wanted.seeks);
          const isAllowed = (at: number) => {
            const here = there.filter((one) => one.at === at);
            const used = here.reduce((sum, one) => sum + milli(one.cpu), 0);
            return (
              used + milli(wanted.cpu) <= milli(nodes[at]?.cpu ?? "0") &&
              nodes[at]?.isCordoned === false &&
              (!nodes[at].isTainted || wanted.tolerates) &&
              (wanted.zone === undefined || zoneOf(at) === wanted.zone) &&
              (wanted.port === undefined || !here.some(({ port }) => port === wanted.port)) &&
              !isNear(at, ({ app }) => app === wanted.avoids) &&
              !isNear(at, ({ avoids }) => avoids === wanted.app) &&
              (wanted.seeks === undefined ||
                isNear(at, ({ app }) => app === wanted.seeks) ||
                (zoneOf(at) !== undefined && !anywhere && wanted.seeks === wanted.app))
            );
          };
          const allowed = names.filter((_, at) => isAllowed(at));
          const decision = decided(toPod("p", wanted), objects);
          if (decision.kind === "chosen") expect(allowed).toContain(decision.node);
          else expect(allowed).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });
});
