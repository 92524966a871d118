import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Node } from "#api/core/node.ts";
import type { Service } from "#api/core/service.ts";
import type { V1Endpoint } from "#api/generated/types.ts";
import { topologyHints, wantsTopologyHints } from "./topology-hints.ts";

const node = (zone: string, cpu = "4", labels = {}, ready = "True"): Node => ({
  metadata: { name: zone, labels: { "topology.kubernetes.io/zone": zone, ...labels } },
  status: { allocatable: { cpu }, conditions: [{ type: "Ready", status: ready }] },
});
const endpoints = (zones: string, ready = true): V1Endpoint[] =>
  [...zones].map((zone) => ({ addresses: [], zone, conditions: { ready } }));
const text = (given: readonly V1Endpoint[], nodes: readonly Node[]): string => {
  const found = topologyHints(given, nodes);
  return "fault" in found ? found.fault : given.map((each) => found.hints.get(each) ?? "-").join("");
};
const ab = [node("a"), node("b")];

describe("topology hints", () => {
  const noInfo = "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes";
  const table: readonly [claim: string, endpoints: V1Endpoint[], nodes: Node[], hints: string][] = [
    ["keep endpoints in their zones", endpoints("aabb"), ab, "aabb"],
    ["are for ready endpoints only", [...endpoints("ab"), ...endpoints("ab", false)], ab, "ab--"],
    ["lend endpoints to a zone with too few", endpoints("aaab"), ab, "baab"],
    ["give zones with more CPU more", endpoints("aaabbb"), [node("a", "8"), node("b", "4")], "aaaabb"],
    [
      "do not count the nodes of the control plane",
      endpoints("ab"),
      [...ab, node("c", "4", { "node-role.kubernetes.io/control-plane": "" })],
      "ab",
    ],
    ["do not count nodes that are not ready", endpoints("ab"), [...ab, node("c", "4", {}, "Unknown")], "ab"],
    ["need two zones", endpoints("aa"), [node("a")], noInfo],
    ["need every node's zone", endpoints("ab"), [...ab, node("")], noInfo],
    ["need every node's CPU", endpoints("ab"), [...ab, node("a", "0")], noInfo],
    ["need an endpoint for each zone", endpoints("a"), ab, "Insufficient number of endpoints (1 endpoints, 2 zones)"],
    [
      "need enough endpoints to share",
      endpoints("abc"),
      [node("a", "8"), node("b", "4"), node("c", "4")],
      "Unable to allocate minimum required endpoints to each zone without exceeding overload threshold (3 endpoints, 3 zones)",
    ],
    [
      "need every endpoint's zone",
      [...endpoints("aab"), { addresses: [], conditions: { ready: true } }],
      ab,
      "One or more endpoints do not have a zone specified",
    ],
  ];
  test.each(table)("%s", (_, given, nodes, hints) => expect(text(given, nodes)).toBe(hints));

  test("leave no zone without a fifth more load than its share allows", () => {
    const zones = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 6, maxLength: 40 });
    fc.assert(
      fc.property(zones, fc.nat({ max: 8 }), fc.nat({ max: 8 }), (where, one, other) => {
        const nodes = [node("a", "4"), node("b", String(4 + one)), node("c", String(4 + other))];
        const found = text(endpoints(where), nodes);
        if (found.length !== where.length) return;
        const total = 12 + one + other;
        for (const [zone, cpu] of [
          ["a", 4],
          ["b", 4 + one],
          ["c", 4 + other],
        ] as const) {
          const share = (cpu / total) * where.length;
          expect([...found].filter((each) => each === zone).length).toBeGreaterThanOrEqual(Math.floor(share / 1.2));
        }
      }),
      { numRuns: 200 },
    );
  });

  test.each([
    [{ "service.kubernetes.io/topology-mode": "Auto" }, true],
    [{ "service.kubernetes.io/topology-aware-hints": "auto" }, true],
    [{ "service.kubernetes.io/topology-mode": "Disabled" }, false],
    [
      { "service.kubernetes.io/topology-aware-hints": "Disabled", "service.kubernetes.io/topology-mode": "Auto" },
      false,
    ],
    [{}, false],
  ])("are asked for by %j: %s", (annotations, wanted) => {
    expect(wantsTopologyHints({ metadata: { name: "s", annotations } } as Service)).toBe(wanted);
  });
});
