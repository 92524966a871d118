import { describe, expect, test } from "vitest";
import type { V1NetworkPolicy, V1Pod } from "#api/generated/types.ts";
import { diffContents } from "./nftables.ts";
import { planPolicies } from "./policy-plan.ts";

const pod = (name: string, ip: string, more: object = {}, status: object = {}): V1Pod =>
  ({
    metadata: { name, namespace: "shop", labels: { app: name } },
    spec: { nodeName: "n1", containers: [{ name: "c", ports: [{ name: "http", containerPort: 8080 }] }], ...more },
    status: { phase: "Running", podIPs: [{ ip }], ...status },
  }) as V1Pod;
const policy = (name: string, spec: object): V1NetworkPolicy =>
  ({ metadata: { name, namespace: "shop" }, spec: { podSelector: {}, ...spec } }) as V1NetworkPolicy;

const web = pod("web", "10.42.0.2");
const db = pod("db", "10.42.0.3");
const remote = { ...pod("far", "10.42.1.4"), spec: { nodeName: "n2", containers: [] } } as V1Pod;
const other = {
  ...pod("ops", "10.42.1.5"),
  metadata: { name: "ops", namespace: "ops", labels: { app: "ops" } },
} as V1Pod;
const namespaces = [
  { metadata: { name: "shop", labels: { team: "shop" } } },
  { metadata: { name: "ops", labels: { team: "ops" } } },
];

const plan = (policies: V1NetworkPolicy[], pods = [web, db, remote, other]) =>
  planPolicies("ip", { policies, pods, namespaces, nodeName: "n1" });
const chainFor = (contents: ReturnType<typeof plan>, direction: string, ip: string): readonly string[] | undefined => {
  const verdict = contents.elements.get(direction)?.get(ip);
  return verdict === undefined ? undefined : contents.chains.get(verdict.replace("jump ", ""));
};
const peersOf = (contents: ReturnType<typeof plan>): string[][] =>
  [...contents.elements].filter(([set]) => set.startsWith("peers-")).map(([, keys]) => [...keys.keys()].sort());

describe("network policies", () => {
  test("leave pods alone that none selects, and pods of other nodes to these", () => {
    const contents = plan([policy("p", { podSelector: { matchLabels: { app: "web" } }, policyTypes: ["Ingress"] })]);
    expect([...(contents.elements.get("ingress")?.keys() ?? [])]).toEqual(["10.42.0.2"]);
    expect(contents.elements.get("egress")?.size).toBe(0);
    expect(plan([policy("p", { podSelector: { matchLabels: { app: "far" } } })]).elements.get("ingress")?.size).toBe(0);
  });

  test("without rules drop everything but the pod's talk with itself", () => {
    const contents = plan([policy("p", { policyTypes: ["Ingress", "Egress"] })]);
    expect(chainFor(contents, "ingress", "10.42.0.2")).toEqual(["drop"]);
    expect(chainFor(contents, "egress", "10.42.0.3")).toEqual(["drop"]);
    expect(contents.elements.get("self")?.has("10.42.0.2 . 10.42.0.2")).toBe(true);
  });

  test("with an empty rule allow everything", () => {
    expect(chainFor(plan([policy("p", { policyTypes: ["Ingress"], ingress: [{}] })]), "ingress", "10.42.0.2")).toEqual([
      "return",
      "drop",
    ]);
  });

  test.each([
    ["pods of its namespace", { podSelector: { matchLabels: { app: "far" } } }, ["10.42.1.4"]],
    ["all pods of its namespace", { podSelector: {} }, ["10.42.0.2", "10.42.0.3", "10.42.1.4"]],
    ["all pods of chosen namespaces", { namespaceSelector: { matchLabels: { team: "ops" } } }, ["10.42.1.5"]],
    [
      "chosen pods of chosen namespaces",
      {
        namespaceSelector: {},
        podSelector: { matchExpressions: [{ key: "app", operator: "In", values: ["ops", "db"] }] },
      },
      ["10.42.0.3", "10.42.1.5"],
    ],
  ])("may allow %s", (_name, peer, ips) => {
    expect(peersOf(plan([policy("p", { ingress: [{ from: [peer] }] })]))).toEqual([ips]);
  });

  test("allow ranges with exceptions, of this family only", () => {
    const to = [
      { ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16", "10.1.2.0/24"] } },
      { ipBlock: { cidr: "fd00::/8" } },
      { ipBlock: { cidr: "192.0.2.1/32" } },
    ];
    const contents = plan([policy("p", { policyTypes: ["Egress"], egress: [{ to }] })]);
    expect(chainFor(contents, "egress", "10.42.0.2")).toEqual([
      "ip daddr 10.0.0.0/8 ip daddr != { 10.1.0.0/16 } return",
      "ip daddr 192.0.2.1 return",
      "drop",
    ]);
    const sixOnly = plan([policy("p", { policyTypes: ["Egress"], egress: [{ to: [to[1]] }] })]);
    expect(chainFor(sixOnly, "egress", "10.42.0.2")).toEqual(["drop"]);
  });

  test("allow ports by number, range, protocol and name", () => {
    const ports = [{ port: 80 }, { protocol: "UDP", port: 53, endPort: 60 }, { protocol: "SCTP" }, { port: "http" }];
    const contents = plan([policy("p", { ingress: [{ ports }] })]);
    const rules = chainFor(contents, "ingress", "10.42.0.2") ?? [];
    expect(rules).toHaveLength(5);
    expect(rules).toContain("meta l4proto tcp th dport 80 return");
    expect(rules).toContain("meta l4proto udp th dport 53-60 return");
    expect(rules).toContain("meta l4proto sctp return");
    const named = [...contents.elements].find(([set]) => set.startsWith("ports-"))?.[1];
    expect([...(named?.keys() ?? [])].sort()).toEqual([
      "10.42.0.2 . tcp . 8080",
      "10.42.0.3 . tcp . 8080",
      "10.42.1.5 . tcp . 8080",
    ]);
  });

  test("of one pod add up, and pods under the same policies share a chain", () => {
    const contents = plan([
      policy("a", { ingress: [{ ports: [{ port: 1 }] }] }),
      policy("b", { ingress: [{ ports: [{ port: 2 }] }] }),
    ]);
    expect(contents.chains.size).toBe(1);
    expect(chainFor(contents, "ingress", "10.42.0.2")).toEqual([
      "meta l4proto tcp th dport 1 return",
      "meta l4proto tcp th dport 2 return",
      "drop",
    ]);
  });

  test("without types are for ingress, and for egress if they have such rules", () => {
    const contents = plan([policy("p", { egress: [{}] })]);
    expect(chainFor(contents, "ingress", "10.42.0.2")).toEqual(["drop"]);
    expect(chainFor(contents, "egress", "10.42.0.2")).toEqual(["return", "drop"]);
  });

  test("take no notice of pods on the host's network, ended pods and pods without address", () => {
    const pods = [
      pod("h", "10.0.0.1", { hostNetwork: true }),
      pod("e", "10.42.0.9", {}, { phase: "Failed" }),
      pod("n", "", {}, { podIPs: [] }),
    ];
    expect(plan([policy("p", {})], pods).elements.get("ingress")?.size).toBe(0);
  });

  test("a pod that comes is a change of elements only", () => {
    const policies = [policy("p", { ingress: [{ from: [{ podSelector: {} }] }] })];
    const changes = diffContents(plan(policies, [web]), plan(policies, [web, db]));
    expect([
      changes.addChains.size,
      changes.deleteChains?.length,
      changes.addSets?.size,
      changes.deleteSets?.size,
    ]).toEqual([0, 0, 0, 0]);
    expect([...changes.addElements.values()].flatMap((keys) => [...keys.keys()]).sort()).toEqual([
      "10.42.0.3",
      "10.42.0.3",
      "10.42.0.3 . 10.42.0.3",
    ]);
  });
});
