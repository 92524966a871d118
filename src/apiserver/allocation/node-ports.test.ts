import { describe, expect, it } from "vitest";
import type { V1ServicePort, V1ServiceSpec } from "#api/generated/types.ts";
import { fillPorts, PortRequest } from "./node-ports.ts";

type Ports = Partial<V1ServicePort>[];
const isTaken = (port: string): boolean => port === "30100" || port === "30101";
const reservations = { isTaken };
const range = { from: 30_000, to: 30_200 };

function filled(spec: Partial<V1ServiceSpec>, old: Partial<V1ServiceSpec> | undefined, isDryRun = false) {
  const target = structuredClone(spec) as V1ServiceSpec;
  const request = new PortRequest(range, reservations, { next: () => 0 }, isDryRun);
  const errors = fillPorts(target, old as V1ServiceSpec | undefined, request);
  if (errors.length > 0) return errors.map(({ field, message }) => `${field}: ${message}`);
  return (target.ports ?? []).map(({ nodePort }) => nodePort);
}

const taken = (index: number, port: number) =>
  `spec.ports[${index}].nodePort: Invalid value: ${port}: provided port is already allocated`;
const udp = "UDP";

describe("node ports of a new service", () => {
  it.each<[string, Ports, unknown[]]>([
    [
      "are one a port, whatever the protocols",
      [{ port: 80 }, { port: 80, protocol: udp }, { port: 81 }],
      [30016, 30016, 30017],
    ],
    [
      "follow what is asked for, later too",
      [{ port: 80 }, { port: 80, protocol: udp, nodePort: 30150 }],
      [30150, 30150],
    ],
    [
      "may differ by protocol if asked for",
      [
        { port: 80, nodePort: 30150 },
        { port: 80, nodePort: 30151 },
      ],
      [30150, 30151],
    ],
    [
      "are never another's; the first fault counts",
      [
        { port: 80, nodePort: 30101 },
        { port: 81, nodePort: 1 },
      ],
      [taken(0, 30101)],
    ],
    [
      "are not one for two ports",
      [
        { port: 80, nodePort: 30150 },
        { port: 81, nodePort: 30150 },
      ],
      [taken(1, 30150)],
    ],
    [
      "are in the range",
      [{ port: 80, nodePort: 80 }],
      [
        "spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-30200",
      ],
    ],
  ])("%s", (_, ports, wanted) =>
    expect(filled({ type: "NodePort", ports: ports as V1ServicePort[] }, undefined)).toEqual(wanted),
  );

  it("are given to a load balancer that gives none only if asked for", () => {
    const spec = { type: "LoadBalancer", allocateLoadBalancerNodePorts: false };
    expect(filled({ ...spec, ports: [{ port: 80 }, { port: 81, nodePort: 30150 }] }, undefined)).toEqual([
      undefined,
      30150,
    ]);
    expect(filled({ ...spec, ports: [{ port: 81, nodePort: 30100 }] }, undefined)).toEqual([taken(0, 30100)]);
  });

  it("are nobody's in a dry run, in which any number may be asked for that is free", () => {
    expect(filled({ type: "NodePort", ports: [{ port: 80 }, { port: 81 }] }, undefined, true)).toEqual([32769, 32770]);
    expect(filled({ type: "NodePort", ports: [{ port: 80, nodePort: 80 }] }, undefined, true)).toEqual([80]);
    expect(filled({ type: "NodePort", ports: [{ port: 80, nodePort: 30100 }] }, undefined, true)).toEqual([
      taken(0, 30100),
    ]);
  });
});

describe("node ports of a changed service", () => {
  const old = { type: "NodePort", ports: [{ port: 80, nodePort: 30100 }] };

  it.each<[string, Ports, unknown[]]>([
    ["stay", [{ port: 80, nodePort: 30100 }], [30100]],
    ["are one for each port that has none", [{ port: 80 }, { port: 80, protocol: udp }], [30016, 30017]],
    [
      "may be shared by protocols",
      [
        { port: 80, nodePort: 30150 },
        { port: 80, protocol: udp, nodePort: 30150 },
      ],
      [30150, 30150],
    ],
    [
      "are never another's",
      [
        { port: 80, nodePort: 30100 },
        { port: 81, nodePort: 30101 },
      ],
      [taken(1, 30101)],
    ],
  ])("%s", (_, ports, wanted) =>
    expect(filled({ type: "NodePort", ports: ports as V1ServicePort[] }, old)).toEqual(wanted),
  );

  it("are refused as a failure when two ports of one protocol ask for one", () => {
    const ports = [
      { port: 80, nodePort: 30150 },
      { port: 81, nodePort: 30150 },
    ];
    expect(() => filled({ type: "NodePort", ports }, old)).toThrow("duplicate nodePort: {TCP 30150}");
  });
});
