/** Pod network, Services and DNS with real packets: two nodes as network namespaces, pods attached by real CNI plugins. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand } from "#agent/network/command.ts";
import type { LineProcess } from "#test/support/network/line-process.ts";
import { Machines, type TestPod } from "#test/support/network/machines.ts";

const machines = new Machines();
let pods: Record<"a1" | "b1" | "a2" | "b2", TestPod>;
let outside: LineProcess;
/** A process of each node, outside of pods. */
let hosts: LineProcess[];
const clusterIp = (last: number): string => `10.43.0.${last}`;

interface Reply {
  status?: number;
  name: string;
  from: string;
}

beforeAll(async () => {
  await machines.makeLan();
  for (const index of [1, 2]) await machines.makeNode(index);
  for (const index of [1, 2]) await set("nodes", node(index));
  await set("namespaces", { metadata: { name: "default" } });
  await Promise.all(machines.nodes.map(async (process) => await process.call("start", {})));
  const [a1, b1, a2, b2] = await Promise.all([
    machines.makePod(1, "a1"),
    machines.makePod(1, "b1"),
    machines.makePod(2, "a2"),
    machines.makePod(2, "b2"),
  ]);
  pods = { a1, b1, a2, b2 };
  outside = machines.start(machines.lan, "pod-process.ts", ["outside"]);
  const resolver = machines.start(machines.lan, "resolver-process.ts", ["10.199.0.254"]);
  hosts = [1, 2].map((index) =>
    machines.start(machines.nodeNamespace(index), "pod-process.ts", [`host${index}`, "18080"]),
  );
  await Promise.all([outside, resolver, ...hosts].map(async (started) => await started.call("ready")));
});

afterAll(async () => await machines.remove());

describe("ways between pods", () => {
  test("pods reach each other on one node and across nodes with their own addresses", async () => {
    expect(await get("a1", `http://${pods.b1.ip}:8080`)).toEqual({ status: 200, name: "b1", from: pods.a1.ip });
    expect(await get("a1", `http://${pods.b2.ip}:8080`)).toEqual({ status: 200, name: "b2", from: pods.a1.ip });
  });

  test("what leaves the cluster carries the node's address", async () => {
    const reply = await get("a2", "http://10.199.0.254:8080");
    expect(reply).toMatchObject({ name: "outside", from: machines.nodeIp(2) });
  });

  test("VXLAN leads across nodes too, and back to plain routes", async () => {
    await restart("vxlan");
    await restart("vxlan");
    expect(await get("a1", `http://${pods.b2.ip}:8080`)).toMatchObject({ name: "b2", from: pods.a1.ip });
    const route = await runCommand("ip", ["-n", machines.nodeNamespace(1), "route", "get", pods.b2.ip]);
    expect(route).toContain("capstan-vxlan");
    await restart("auto");
    expect(await get("b2", `http://${pods.a1.ip}:8080`)).toMatchObject({ name: "a1", from: pods.b2.ip });
  });
});

describe("Services", () => {
  test("a cluster address is balanced over endpoints of both nodes, and the pod's address is kept", async () => {
    await service("web", 20, {}, [endpoint("b1", 1), endpoint("b2", 2)]);
    const replies = await many("a1", `http://${clusterIp(20)}`, 16);
    expect(new Set(replies.map(({ name }) => name))).toEqual(new Set(["b1", "b2"]));
    expect(new Set(replies.map(({ from }) => from))).toEqual(new Set([pods.a1.ip]));
  });

  test("a pod reaches itself through its Service", async () => {
    await service("self", 21, {}, [endpoint("a1", 1)]);
    expect(await get("a1", `http://${clusterIp(21)}`)).toMatchObject({ name: "a1" });
  });

  test("without endpoints, and on ports that nobody has, connections are refused", async () => {
    await service("none", 22, {}, []);
    expect(await get("a1", `http://${clusterIp(22)}`)).toBe("refused");
    expect(await get("a1", `http://${clusterIp(20)}:81`)).toBe("refused");
  });

  test("an endpoint that serves while it terminates takes over when none is ready", async () => {
    const conditions = { ready: false, serving: true, terminating: true };
    await service("draining", 23, {}, [{ ...endpoint("b2", 2), conditions }]);
    expect(await get("a1", `http://${clusterIp(23)}`)).toMatchObject({ name: "b2" });
  });

  test("a client keeps its endpoint with ClientIP affinity, gets another when it is gone, and loses it in time", async () => {
    const sessionAffinityConfig = { clientIP: { timeoutSeconds: 1 } };
    const spec = { sessionAffinity: "ClientIP", sessionAffinityConfig };
    await service("sticky", 24, spec, [endpoint("b1", 1), endpoint("b2", 2)]);
    const url = `http://${clusterIp(24)}`;
    const [first] = new Set((await many("a1", url, 12)).map(({ name }) => name));
    const other = first === "b1" ? "b2" : "b1";
    await service("sticky", 24, spec, [endpoint(other, other === "b1" ? 1 : 2)]);
    expect(await get("a1", url)).toMatchObject({ name: other });
    await service("sticky", 24, spec, [endpoint("b1", 1), endpoint("b2", 2)]);
    expect(new Set((await many("a1", url, 12)).map(({ name }) => name))).toEqual(new Set([other]));
    const seen = new Set<string>();
    for (let round = 0; round < 12 && seen.size < 2; round++) {
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      seen.add(((await get("a1", url)) as Reply).name);
    }
    expect(seen.size).toBe(2);
  });

  test("a node port answers on every node, from outside, from pods and from the node itself", async () => {
    await service("ported", 25, { type: "NodePort" }, [endpoint("b2", 2)], { nodePort: 30_025 });
    for (const index of [1, 2]) {
      const url = `http://${machines.nodeIp(index)}:30025`;
      expect(await outside.call("get", { url })).toMatchObject({ name: "b2" });
      expect(await get("a1", url)).toMatchObject({ name: "b2" });
      expect(await hosts[0]?.call("get", { url })).toMatchObject({ name: "b2" });
    }
    expect(await hosts[0]?.call("get", { url: "http://127.0.0.1:30025" })).toBe("refused");
  });

  test("processes of a node reach Services, also one whose endpoint is the node itself", async () => {
    await service("host", 33, {}, [{ addresses: [machines.nodeIp(1)], nodeName: "n1" }], { targetPort: 18_080 });
    for (const host of hosts)
      expect(await host.call("get", { url: `http://${clusterIp(33)}` })).toMatchObject({ name: "host1" });
    expect(await get("a1", `http://${clusterIp(33)}`)).toMatchObject({ name: "host1", from: pods.a1.ip });
    expect(await get("b2", `http://${clusterIp(33)}`)).toMatchObject({ name: "host1" });
    expect(await hosts[0]?.call("get", { url: `http://${clusterIp(20)}` })).toMatchObject({ status: 200 });
  });

  test("externalTrafficPolicy Local keeps the client's address, drops where nobody is, but serves the cluster's own", async () => {
    const spec = { type: "NodePort", externalTrafficPolicy: "Local" };
    await service("local", 26, spec, [endpoint("b2", 2)], { nodePort: 30_026 });
    const there = `http://${machines.nodeIp(2)}:30026`;
    const elsewhere = `http://${machines.nodeIp(1)}:30026`;
    expect(await outside.call("get", { url: there })).toMatchObject({ name: "b2", from: "10.199.0.254" });
    expect(await outside.call("get", { url: elsewhere })).toBe("timeout");
    expect(await get("a1", elsewhere)).toMatchObject({ name: "b2" });
  });

  test("internalTrafficPolicy Local stays on the node", async () => {
    await service("here", 27, { internalTrafficPolicy: "Local" }, [endpoint("b1", 1), endpoint("b2", 2)]);
    const replies = await many("a2", `http://${clusterIp(27)}`, 8);
    expect(new Set(replies.map(({ name }) => name))).toEqual(new Set(["b2"]));
  });

  test("a load balancer's address is served in the cluster, for allowed sources only", async () => {
    const status = { loadBalancer: { ingress: [{ ip: "203.0.113.80" }] } };
    const spec = { type: "LoadBalancer", loadBalancerSourceRanges: [`${pods.a1.ip}/32`] };
    await service("balanced", 28, spec, [endpoint("b2", 2)], {}, status);
    expect(await get("a1", "http://203.0.113.80")).toMatchObject({ name: "b2" });
    expect(await get("b1", "http://203.0.113.80")).toBe("timeout");
  });

  test("an external address is served unless the cluster lives on it", async () => {
    const spec = { externalIPs: ["203.0.113.81", machines.nodeIp(2), clusterIp(20)] };
    await service("external", 29, spec, [endpoint("a1", 1)]);
    expect(await get("b2", "http://203.0.113.81")).toMatchObject({ name: "a1" });
    expect(await get("b2", `http://${machines.nodeIp(2)}`)).toBe("refused");
    expect(await get("a1", `http://${clusterIp(20)}`)).not.toMatchObject({ name: "a1" });
  });

  test("a UDP sender that goes on sending is led to the new endpoint at once", async () => {
    const port = { protocol: "UDP" };
    await service("echo", 30, {}, [endpoint("b1", 1)], port);
    const send = async (): Promise<unknown> => await pods.a1.process.call("send", { host: clusterIp(30), port: 80 });
    expect(await send()).toMatchObject({ name: "b1" });
    await service("echo", 30, {}, [endpoint("b2", 2)], port);
    expect(await send()).toMatchObject({ name: "b2" });
    await service("echo", 30, {}, [endpoint("b1", 1)], port);
    expect(await send()).toMatchObject({ name: "b1" });
  });

  test("a restart keeps rules and remembered clients", async () => {
    await service("kept", 31, { sessionAffinity: "ClientIP" }, [endpoint("b1", 1), endpoint("b2", 2)]);
    const url = `http://${clusterIp(31)}`;
    const { name } = (await get("a1", url)) as Reply;
    await machines.nodes[0]?.call("stop");
    expect(await get("a1", url)).toMatchObject({ name });
    await machines.nodes[0]?.call("start", {});
    const replies = await many("a1", url, 12);
    expect(new Set(replies.map((reply) => reply.name))).toEqual(new Set([name]));
  });

  test("rules that somebody else removed are made again", async () => {
    await machines.nft(machines.nodeNamespace(1), "delete table ip capstan-services");
    await service("again", 32, {}, [endpoint("b2", 2)]);
    await service("again", 32, {}, [endpoint("b1", 1)]);
    await machines.nodes[0]?.call("settle");
    expect(await get("a1", `http://${clusterIp(32)}`)).toMatchObject({ name: "b1" });
  });
});

describe("host ports", () => {
  test("answer on the node's addresses, on one address if so wished, and on loopback for the node itself", async () => {
    const port = (hostPort: number, hostIP?: string): object => ({
      containerPort: 8080,
      hostPort,
      ...(hostIP === undefined ? {} : { hostIP }),
    });
    const ports = [port(9_001), port(9_002, "127.0.0.1"), port(9_003, machines.nodeIp(1))];
    await set("pods", hostPortPod(ports), 1);
    const url = (host: string, number: number): string => `http://${host}:${number}`;
    expect(await outside.call("get", { url: url(machines.nodeIp(1), 9_001) })).toMatchObject({
      name: "a1",
      from: "10.199.0.254",
    });
    expect(await get("b1", url(machines.nodeIp(1), 9_003))).toMatchObject({ name: "a1" });
    expect(await get("a1", url(machines.nodeIp(1), 9_001))).toMatchObject({ name: "a1" });
    expect(await get("b1", url(machines.nodeIp(1), 9_002))).toBe("refused");
    for (const number of [9_001, 9_002])
      expect(await hosts[0]?.call("get", { url: url("127.0.0.1", number) })).toMatchObject({ name: "a1" });
  });

  function hostPortPod(ports: readonly object[]): object {
    return {
      metadata: { name: "a1", namespace: "default", uid: "a1" },
      spec: { nodeName: "n1", containers: [{ name: "c", ports }] },
      status: { phase: "Running", podIP: pods.a1.ip, podIPs: [{ ip: pods.a1.ip }] },
    };
  }
});

describe("DNS", () => {
  const resolve = async (host: string, type = "A", from: keyof typeof pods = "a1"): Promise<unknown> =>
    await pods[from].process.call("resolve", { server: clusterIp(10), host, type });

  test("answers with Services' addresses on every node", async () => {
    await service("named", 40, {}, [endpoint("b1", 1)]);
    expect(await resolve("named.default.svc.cluster.local")).toEqual([clusterIp(40)]);
    expect(await resolve("named.default.svc.cluster.local", "A", "b2")).toEqual([clusterIp(40)]);
    expect(await resolve("_http._tcp.named.default.svc.cluster.local", "SRV")).toMatchObject([
      { name: "named.default.svc.cluster.local", port: 80, priority: 0, weight: 100 },
    ]);
    expect(await resolve(clusterIp(40), "PTR")).toEqual(["named.default.svc.cluster.local"]);
    expect(await resolve("missing.default.svc.cluster.local")).toBe("ENOTFOUND");
    expect(await resolve("named.default.svc.cluster.local", "AAAA")).toBe("ENODATA");
  });

  test("answers with a headless Service's pods, more than fit in a packet by TCP", async () => {
    const many = Array.from({ length: 100 }, (_, index) => ({ addresses: [`10.42.9.${index + 1}`] }));
    await service("crowd", undefined, {}, [{ ...endpoint("b1", 1), hostname: "one" }, ...many]);
    expect(await resolve("one.crowd.default.svc.cluster.local")).toEqual([pods.b1.ip]);
    expect(((await resolve("crowd.default.svc.cluster.local")) as string[]).length).toBe(101);
  });

  test("asks the node's resolvers for other names, itself left out", async () => {
    expect(await resolve("outside.example")).toEqual(["203.0.113.7"]);
    expect(await resolve("nowhere.example")).toBe("ENOTFOUND");
    await set("services", {
      metadata: { name: "alias", namespace: "default" },
      spec: { type: "ExternalName", externalName: "outside.example" },
    });
    expect(await resolve("alias.default.svc.cluster.local", "CNAME")).toEqual(["outside.example"]);
    expect(await resolve("alias.default.svc.cluster.local")).toEqual(["203.0.113.7"]);
  });
});

describe("network policies", () => {
  const policy = async (spec: object | undefined): Promise<void> =>
    await set(
      "networkPolicies",
      { metadata: { name: "p", namespace: "default" }, spec },
      undefined,
      spec === undefined,
    );
  const reaches = async (from: keyof typeof pods, to: keyof typeof pods): Promise<boolean> =>
    (await get(from, `http://${pods[to].ip}:8080`)) !== "timeout";
  const to = (app: string): object => ({ podSelector: { matchLabels: { app } } });

  beforeAll(async () => {
    for (const [name, { ip }] of Object.entries(pods))
      await set("pods", {
        metadata: { name, namespace: "default", uid: name, labels: { app: name } },
        spec: {
          nodeName: `n${name.at(-1)}`,
          containers: [{ name: "c", ports: [{ name: "http", containerPort: 8080 }] }],
        },
        status: { phase: "Running", podIP: ip, podIPs: [{ ip }] },
      });
  });
  afterAll(async () => await policy(undefined));

  test("a selected pod takes in only what a rule allows, on one bridge and across nodes, by address or by Service", async () => {
    await service("guarded", 50, {}, [endpoint("b1", 1)]);
    await policy({ ...to("b1"), policyTypes: ["Ingress"], ingress: [{ from: [to("a2")], ports: [{ port: "http" }] }] });
    expect(await reaches("a1", "b1")).toBe(false);
    expect(await reaches("b2", "b1")).toBe(false);
    expect(await reaches("a2", "b1")).toBe(true);
    expect(await get("a2", `http://${clusterIp(50)}`)).toMatchObject({ name: "b1" });
    expect(await get("a1", `http://${clusterIp(50)}`)).toBe("timeout");
    expect(await reaches("b1", "a1")).toBe(true);
    expect(await reaches("b1", "b1")).toBe(true);
  });

  test("the pod's own node always reaches it", async () => {
    expect(await hosts[0]?.call("get", { url: `http://${pods.b1.ip}:8080` })).toMatchObject({ name: "b1" });
  });

  test("a selected pod goes out only where a rule allows: ranges with exceptions, ports and their ranges", async () => {
    const ipBlock = { cidr: "10.42.0.0/16", except: [`${pods.b2.ip}/32`] };
    const ports = [{ protocol: "TCP", port: 8_000, endPort: 8_100 }];
    await policy({ ...to("a1"), policyTypes: ["Egress"], egress: [{ to: [{ ipBlock }], ports }] });
    expect(await reaches("a1", "b1")).toBe(true);
    expect(await reaches("a1", "b2")).toBe(false);
    expect(await get("a1", "http://10.199.0.254:8080")).toBe("timeout");
    expect(await reaches("b2", "a1")).toBe(true);
  });

  test("without policies everything is open again", async () => {
    await policy(undefined);
    expect(await reaches("a1", "b2")).toBe(true);
    expect(await machines.nft(machines.nodeNamespace(1), "list", "table", "ip", "capstan-policy")).not.toContain(
      "drop",
    );
  });
});

test("cleanup leaves nothing of ours behind", async () => {
  await machines.nodes[1]?.call("stop");
  await machines.nodes[1]?.call("cleanup");
  const namespace = machines.nodeNamespace(2);
  expect(await machines.nft(namespace, "list", "tables")).toBe("");
  const links = await runCommand("ip", ["-n", namespace, "-br", "link"]);
  expect(links).not.toContain("capstan");
  expect(await runCommand("ip", ["-n", namespace, "route", "show", "proto", "202"])).toBe("");
  expect(await runCommand("ip", ["-n", namespace, "addr", "show", "dev", "lo"])).not.toContain(clusterIp(10));
});

async function get(from: keyof typeof pods, url: string): Promise<unknown> {
  return await pods[from].process.call("get", { url });
}

async function many(from: keyof typeof pods, url: string, count: number): Promise<Reply[]> {
  const replies: Reply[] = [];
  for (let index = 0; index < count; index++) replies.push((await get(from, url)) as Reply);
  return replies;
}

/** Tells the nodes of an object, all or one. */
async function set(kind: string, object: object, onlyNode?: number, isDeleted = false): Promise<void> {
  const told = machines.nodes.filter((_, index) => onlyNode === undefined || index === onlyNode - 1);
  await Promise.all(told.map(async (process) => await process.call("set", { kind, object, isDeleted })));
  await Promise.all(told.map(async (process) => await process.call("settle")));
}

async function restart(mode: string): Promise<void> {
  await Promise.all(machines.nodes.map(async (process) => await process.call("stop")));
  await Promise.all(machines.nodes.map(async (process) => await process.call("start", { mode })));
}

function node(index: number): object {
  return {
    metadata: { name: `n${index}` },
    spec: { podCIDR: `10.42.${index}.0/24`, podCIDRs: [`10.42.${index}.0/24`] },
    status: { addresses: [{ type: "InternalIP", address: machines.nodeIp(index) }] },
  };
}

function endpoint(pod: keyof typeof pods | string, nodeIndex: number): object {
  const { ip } = pods[pod as keyof typeof pods];
  return { addresses: [ip], nodeName: `n${nodeIndex}`, conditions: { ready: true } };
}

/** A Service with one port 80 → 8080 and one slice; headless without `last`. */
async function service(
  name: string,
  last: number | undefined,
  spec: object,
  endpoints: readonly object[],
  port: { protocol?: string; nodePort?: number; targetPort?: number } = {},
  status: object = {},
): Promise<void> {
  const ip = last === undefined ? "None" : clusterIp(last);
  const { protocol = "TCP", targetPort = 8080 } = port;
  const ports = [{ name: "http", port: 80, targetPort: 8080, protocol, ...port }];
  await set("endpointSlices", {
    metadata: { name: `${name}-x`, namespace: "default", labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    endpoints,
    ports: [{ name: "http", port: targetPort, protocol }],
  });
  await set("services", {
    metadata: { name, namespace: "default" },
    spec: { type: "ClusterIP", clusterIP: ip, clusterIPs: [ip], ports, ...spec },
    status,
  });
}
