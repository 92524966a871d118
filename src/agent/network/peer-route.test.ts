import { describe, expect, test } from "vitest";
import type { V1Node } from "#api/generated/types.ts";
import { parseCidr } from "./address.ts";
import { hardwareAddress, peerChanges, planPeers } from "./peer-route.ts";

const node = (name: string, podCIDR: string, address: string): V1Node => ({
  metadata: { name },
  spec: { podCIDR, podCIDRs: [podCIDR] },
  status: { addresses: [{ type: "InternalIP", address }] },
});
const nodes = [
  node("a", "10.42.0.0/24", "10.0.0.1"),
  node("b", "10.42.1.0/24", "10.0.0.2"),
  node("c", "10.42.2.0/24", "10.9.0.3"),
];
const segments = [parseCidr("10.0.0.0/24")!];
const nothing = { routes: new Map(), neighbours: new Map(), forwarding: new Map() };

describe("ways to other nodes", () => {
  test("lead by plain routes on one segment and through VXLAN beyond it", () => {
    const plan = planPeers({ nodeName: "a", nodes, segments, mode: "auto" });
    expect([...plan.routes]).toEqual([
      ["10.42.1.0/24", "via 10.0.0.2"],
      ["10.42.2.0/24", "via 10.42.2.0 dev capstan-vxlan onlink"],
    ]);
    expect([...plan.neighbours]).toEqual([["10.42.2.0", "0a:ca:0a:09:00:03"]]);
    expect([...plan.forwarding]).toEqual([["0a:ca:0a:09:00:03", "10.9.0.3"]]);
  });

  test("lead through VXLAN only, or by plain routes only, where that is wished", () => {
    expect(planPeers({ nodeName: "a", nodes, segments, mode: "vxlan" }).forwarding.size).toBe(2);
    expect([...planPeers({ nodeName: "a", nodes, segments, mode: "routes" }).routes.keys()]).toEqual(["10.42.1.0/24"]);
  });

  test("a node without a range or an address is left out", () => {
    const bare = [{ metadata: { name: "x" } }, { ...node("y", "10.42.5.0/24", "10.0.0.5"), status: {} }];
    expect(planPeers({ nodeName: "a", nodes: bare, segments, mode: "auto" })).toEqual(nothing);
  });

  test("a change says only what differs, neighbours before routes and after them when they go", () => {
    const plan = planPeers({ nodeName: "a", nodes, segments, mode: "auto" });
    expect(peerChanges(plan, plan)).toEqual({ ip: [], bridge: [] });
    expect(peerChanges(nothing, plan).ip[0]).toBe(
      "neigh replace 10.42.2.0 lladdr 0a:ca:0a:09:00:03 dev capstan-vxlan nud permanent",
    );
    const { ip, bridge } = peerChanges(
      plan,
      planPeers({ nodeName: "a", nodes: nodes.slice(0, 2), segments, mode: "auto" }),
    );
    expect(ip).toEqual(["route del 10.42.2.0/24 proto 202", "neigh del 10.42.2.0 dev capstan-vxlan"]);
    expect(bridge).toEqual(["fdb del 0a:ca:0a:09:00:03 dev capstan-vxlan dst 10.9.0.3 self"]);
  });

  test("hardware addresses are local, unicast and differ with the node's address", () => {
    expect(hardwareAddress("10.0.0.1")).toBe("0a:ca:0a:00:00:01");
    expect(hardwareAddress("fd00::1")).not.toBe(hardwareAddress("fd00::2"));
  });
});
