import { describe, expect, test } from "vitest";
import type { V1Endpoint, V1EndpointSlice, V1Service, V1ServicePort } from "#api/generated/types.ts";
import { parseCidr } from "#agent/network/address.ts";
import { isProxied, planService, type ProxyNode } from "./service-plan.ts";

const node: ProxyNode = {
  nodeName: "n1",
  zone: "east",
  nodeIps: ["192.168.0.1"],
  servedIps: ["10.43.0.10"],
  podCidrs: [parseCidr("10.42.1.0/24")!],
  clusterCidrs: [parseCidr("10.42.0.0/16")!, parseCidr("10.43.0.0/16")!],
  guardedIps: new Set(["192.168.0.1", "192.168.0.2"]),
};

const service = (spec: object = {}, more: object = {}): V1Service =>
  ({
    metadata: { name: "web", namespace: "default", creationTimestamp: "2026-01-01T00:00:00Z" },
    spec: {
      clusterIP: "10.43.0.5",
      clusterIPs: ["10.43.0.5"],
      ports: [{ name: "http", port: 80, protocol: "TCP" }],
      ...spec,
    },
    ...more,
  }) as V1Service;

const slice = (
  endpoints: V1Endpoint[],
  ports: object[] = [{ name: "http", port: 8080, protocol: "TCP" }],
): V1EndpointSlice => ({ metadata: { name: "x" }, addressType: "IPv4", endpoints, ports }) as V1EndpointSlice;

const ready = (ip: string, nodeName?: string): V1Endpoint => ({
  addresses: [ip],
  conditions: { ready: true, serving: true, terminating: false },
  ...(nodeName === undefined ? {} : { nodeName }),
});
const draining = (ip: string, nodeName: string): V1Endpoint => ({
  addresses: [ip],
  nodeName,
  conditions: { ready: false, serving: true, terminating: true },
});
const here = ready("10.42.1.7", "n1");
const there = ready("10.42.2.7", "n2");

const plan = (one: V1Service, endpoints: V1Endpoint[]) => planService(one, [slice(endpoints)], node);
const frontends = (one: V1Service, endpoints: V1Endpoint[]) =>
  Object.fromEntries(plan(one, endpoints).frontends.map((frontend) => [frontend.key, frontend]));

describe("a cluster address", () => {
  test("leads to all ready endpoints, sorted", () => {
    expect(plan(service(), [there, here]).frontends).toEqual([
      {
        family: "ip",
        kind: "cluster",
        key: "10.43.0.5 . tcp . 80",
        targets: ["10.42.1.7 . 8080", "10.42.2.7 . 8080"],
      },
    ]);
  });

  test("refuses without endpoints, and drops with a Local policy where others have some", () => {
    expect(plan(service(), []).frontends[0]).toMatchObject({ targets: [], otherwise: "reject" });
    const local = service({ internalTrafficPolicy: "Local" });
    expect(plan(local, [there]).frontends[0]).toMatchObject({ targets: [], otherwise: "drop" });
    expect(plan(local, [there, here]).frontends[0]).toMatchObject({ targets: ["10.42.1.7 . 8080"] });
    expect(plan(local, []).frontends[0]).toMatchObject({ otherwise: "reject" });
  });

  test("leads to endpoints that serve while they terminate only if none is ready", () => {
    const going = draining("10.42.2.9", "n2");
    expect(plan(service(), [going]).frontends[0]?.targets).toEqual(["10.42.2.9 . 8080"]);
    expect(plan(service(), [going, here]).frontends[0]?.targets).toEqual(["10.42.1.7 . 8080"]);
    const local = service({ internalTrafficPolicy: "Local" });
    expect(plan(local, [draining("10.42.1.9", "n1"), there]).frontends[0]?.targets).toEqual(["10.42.1.9 . 8080"]);
  });

  test("an endpoint that does not say whether it serves does", () => {
    const going = { ...here, conditions: { ready: false, terminating: true } };
    expect(plan(service(), [going]).frontends[0]?.targets).toEqual(["10.42.1.7 . 8080"]);
  });

  test("an endpoint that neither is ready nor serves gets nothing", () => {
    const dead = { ...here, conditions: { ready: false, serving: false, terminating: true } };
    expect(plan(service(), [dead]).frontends[0]).toMatchObject({ targets: [], otherwise: "reject" });
  });

  test("endpoints at loopback, link-local and unreadable addresses are left out", () => {
    const bad = ["127.0.0.1", "169.254.169.254", "example.com", "fd00::1"].map((ip) => ready(ip));
    expect(plan(service(), bad).frontends[0]?.targets).toEqual([]);
  });

  test("ports are matched by name and protocol, in whatever slices they are", () => {
    const two = service({
      ports: [
        { name: "a", port: 1 },
        { name: "b", port: 2, protocol: "UDP" },
      ],
    });
    const slices = [
      slice([here], [{ name: "a", port: 10, protocol: "TCP" }]),
      slice(
        [there],
        [
          { name: "b", port: 20, protocol: "UDP" },
          { name: "a", port: 11, protocol: "TCP" },
        ],
      ),
    ];
    const found = planService(two, slices, node).frontends.map(({ key, targets }) => [key, targets]);
    expect(found).toEqual([
      ["10.43.0.5 . tcp . 1", ["10.42.1.7 . 10", "10.42.2.7 . 11"]],
      ["10.43.0.5 . udp . 2", ["10.42.2.7 . 20"]],
    ]);
  });

  test("that the node answers on itself is left alone", () => {
    const dns = service({ clusterIP: "10.43.0.10", clusterIPs: ["10.43.0.10"] });
    expect(plan(dns, [])).toMatchObject({ frontends: [], clusterIps: [] });
  });
});

describe("hints", () => {
  const hinted = (ip: string, forZone?: string, forNode?: string): V1Endpoint => ({
    ...ready(ip),
    hints: {
      ...(forZone === undefined ? {} : { forZones: [{ name: forZone }] }),
      ...(forNode === undefined ? {} : { forNodes: [{ name: forNode }] }),
    },
  });
  test.each([
    ["the same zone", [hinted("10.42.1.1", "east"), hinted("10.42.2.1", "west")], ["10.42.1.1 . 8080"]],
    [
      "all, as one has no hint",
      [hinted("10.42.1.1", "east"), ready("10.42.2.1")],
      ["10.42.1.1 . 8080", "10.42.2.1 . 8080"],
    ],
    ["all, as none is for here", [hinted("10.42.1.1", "west")], ["10.42.1.1 . 8080"]],
    [
      "the same node first",
      [hinted("10.42.1.1", "east", "n1"), hinted("10.42.2.1", "east", "n2")],
      ["10.42.1.1 . 8080"],
    ],
  ])("keep traffic to %s", (_name, endpoints, targets) => {
    expect(plan(service(), endpoints).frontends[0]?.targets).toEqual(targets);
  });
});

describe("outside addresses", () => {
  const ported = (spec: object = {}): V1Service =>
    service({ type: "NodePort", ports: [{ name: "http", port: 80, nodePort: 30_080 }], ...spec });

  test("a node port listens on the node's address", () => {
    expect(frontends(ported(), [there])["192.168.0.1 . tcp . 30080"]).toMatchObject({
      kind: "node",
      targets: ["10.42.2.7 . 8080"],
    });
  });

  test("a Local policy leads to this node's endpoints, but the cluster's own traffic to all", () => {
    const local = ported({ externalTrafficPolicy: "Local" });
    expect(frontends(local, [here, there])["192.168.0.1 . tcp . 30080"]).toMatchObject({
      targets: ["10.42.1.7 . 8080"],
      insideTargets: ["10.42.1.7 . 8080", "10.42.2.7 . 8080"],
    });
    expect(frontends(local, [there])["192.168.0.1 . tcp . 30080"]).toMatchObject({
      targets: [],
      insideTargets: ["10.42.2.7 . 8080"],
      otherwise: "drop",
    });
    expect(frontends(local, [])["192.168.0.1 . tcp . 30080"]).toMatchObject({ otherwise: "reject" });
  });

  test("external addresses of the cluster, its nodes and special ones are never taken over", () => {
    const externalIPs = [
      "203.0.113.9",
      "10.43.0.1",
      "10.42.0.1",
      "192.168.0.2",
      "127.0.0.1",
      "169.254.169.254",
      "10.43.0.10",
    ];
    const keys = Object.keys(frontends(service({ externalIPs }), [here]));
    expect(keys).toEqual(["10.43.0.5 . tcp . 80", "203.0.113.9 . tcp . 80"]);
  });

  test("a load balancer's address is served with its source ranges, unless the balancer proxies itself", () => {
    const ingress = [{ ip: "203.0.113.1" }, { ip: "203.0.113.2", ipMode: "Proxy" }, { hostname: "lb.example" }];
    const status = { loadBalancer: { ingress } };
    const balanced = service(
      { type: "LoadBalancer", loadBalancerSourceRanges: [" 10.0.0.0/8", "fd00::/8"] },
      { status },
    );
    const found = frontends(balanced, [here]);
    expect(found["203.0.113.1 . tcp . 80"]).toMatchObject({ sources: ["10.0.0.0/8", "203.0.113.1"] });
    expect(found["203.0.113.2 . tcp . 80"]).toBeUndefined();
  });

  test("a health check counts this node's ready endpoints", () => {
    const spec = { type: "LoadBalancer", externalTrafficPolicy: "Local", healthCheckNodePort: 31_000 };
    expect(plan(service(spec), [here, there]).healthCheck).toEqual({
      namespace: "default",
      name: "web",
      port: 31_000,
      localEndpoints: 1,
    });
    expect(plan(service({ ...spec, externalTrafficPolicy: "Cluster" }), [here]).healthCheck).toBeUndefined();
    const two = service({
      ...spec,
      ports: [
        { name: "a", port: 80 },
        { name: "b", port: 81 },
      ] as V1ServicePort[],
    });
    const slices = [
      slice([here], [{ name: "a", port: 1 }]),
      slice([ready("10.42.1.8", "n1"), here], [{ name: "b", port: 2 }]),
    ];
    expect(planService(two, slices, node).healthCheck?.localEndpoints).toBe(2);
  });
});

test("client affinity lasts three hours unless said otherwise", () => {
  expect(plan(service({ sessionAffinity: "ClientIP" }), [here]).frontends[0]?.stickySeconds).toBe(10_800);
  const sessionAffinityConfig = { clientIP: { timeoutSeconds: 7 } };
  const short = service({ sessionAffinity: "ClientIP", sessionAffinityConfig });
  expect(plan(short, [here]).frontends[0]?.stickySeconds).toBe(7);
});

test.each([
  ["a plain one", service(), true],
  ["a headless one", service({ clusterIP: "None" }), false],
  ["an ExternalName", service({ type: "ExternalName", clusterIP: "" }), false],
  [
    "another proxy's",
    service({}, { metadata: { labels: { "service.kubernetes.io/service-proxy-name": "x" } } }),
    false,
  ],
])("of Services %s: proxied is %s", (_name, one, expected) => expect(isProxied(one)).toBe(expected));
