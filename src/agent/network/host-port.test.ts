import { describe, expect, test } from "vitest";
import type { V1Pod } from "#api/generated/types.ts";
import { cniConfig } from "./cni-config.ts";
import { podsContents } from "./host-port.ts";

const pod = (name: string, ip: string, ports: object[], more: object = {}, phase = "Running"): V1Pod =>
  ({
    metadata: { name },
    spec: { containers: [{ name: "c", ports }], ...more },
    status: { phase, podIP: ip, podIPs: [{ ip }] },
  }) as unknown as V1Pod;

const port = { containerPort: 80, hostPort: 8080, protocol: "TCP" };
const ranges = { podCidrs: ["10.42.0.0/24"], clusterCidrs: ["10.42.0.0/16"] };

describe("host ports", () => {
  test("of all addresses, of one address and of other protocols stand beside each other", () => {
    const pods = [
      pod("a", "10.42.0.2", [port, { ...port, hostIP: "127.0.0.1", hostPort: 9 }]),
      pod("b", "10.42.0.3", [{ ...port, protocol: "UDP", hostIP: "0.0.0.0" }]),
    ];
    const { elements } = podsContents("ip", { pods, ...ranges });
    expect(elements.get("any-ports")).toEqual(
      new Map([
        ["tcp . 8080", "10.42.0.2 . 80"],
        ["udp . 8080", "10.42.0.3 . 80"],
      ]),
    );
    expect(elements.get("address-ports")).toEqual(new Map([["127.0.0.1 . tcp . 9", "10.42.0.2 . 80"]]));
    expect(elements.get("cluster-cidrs")).toEqual(new Map([["10.42.0.0/16", ""]]));
  });

  test("sidecars have them; host-network pods, ended pods and pods without address do not", () => {
    const sidecar = pod("s", "10.42.0.4", [], {
      initContainers: [{ name: "i", restartPolicy: "Always", ports: [port] }],
    });
    const pods = [
      pod("h", "10.0.0.1", [port], { hostNetwork: true }),
      pod("e", "10.42.0.5", [port], {}, "Succeeded"),
      { ...pod("n", "", [port]), status: { phase: "Pending" } },
      pod("six", "fd00::1", [port]),
      sidecar,
    ];
    const { elements } = podsContents("ip", { pods, ...ranges });
    expect(elements.get("any-ports")).toEqual(new Map([["tcp . 8080", "10.42.0.4 . 80"]]));
  });
});

test("the CNI configuration names the node's ranges, its own state directory and no port mapping", () => {
  const options = { bridge: "capstan0", podCidrs: ["10.42.3.0/24"], mtu: 1450, stateDirectory: "/data/addresses" };
  const { plugins, name } = JSON.parse(cniConfig(options)) as { name: string; plugins: object[] };
  expect(name).toBe("capstan");
  expect(plugins).toMatchObject([
    {
      type: "bridge",
      bridge: "capstan0",
      mtu: 1450,
      ipMasq: false,
      ipam: { type: "host-local", ranges: [[{ subnet: "10.42.3.0/24" }]], dataDir: "/data/addresses" },
    },
  ]);
});
