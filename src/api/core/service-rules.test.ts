import { describe, expect, it } from "vitest";
import type { V1Service, V1ServiceSpec } from "#api/generated/types.ts";
import { defaultService } from "./service-defaults.ts";
import { serviceErrors } from "./service-rules.ts";
import { serviceStatusErrors } from "./service-status.ts";
import { serviceWarnings } from "./service-warnings.ts";

type Spec = Partial<V1ServiceSpec>;

function service(spec: Spec, annotations: Record<string, string> = {}): V1Service {
  const made = { metadata: { name: "s", annotations }, spec: { ports: [{ port: 80 }], ...structuredClone(spec) } };
  defaultService(made);
  return made;
}

const told = (errors: { field: string; message: string }[]) =>
  errors.map(({ field, message }) => `${field}: ${message}`);
const balancer = { type: "LoadBalancer" };

describe("a new service", () => {
  it.each<[string, Spec, string[]]>([
    ["may have the port of a node's agent", { ...balancer, ports: [{ port: 10_250 }] }, []],
    [
      "has None as its only address",
      { clusterIP: "None", clusterIPs: ["None", "10.0.0.1"] },
      [`spec.clusterIPs: Invalid value: ["None","10.0.0.1"]: 'None' must be the first and only value`],
    ],
    [
      "has None first",
      { clusterIP: "10.0.0.1", clusterIPs: ["10.0.0.1", "None"] },
      ['spec.clusterIPs[1]: Invalid value: "None": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
    ],
    [
      "has families that are known, each once",
      { ipFamilies: ["IPv5", "IPv5", "IPv4"] },
      [
        'spec.ipFamilies[0]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6"',
        'spec.ipFamilies[1]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6"',
        'spec.ipFamilies[1]: Duplicate value: "IPv5"',
      ],
    ],
    [
      "has addresses of its families",
      { clusterIP: "10.0.0.1", clusterIPs: ["10.0.0.1", "fd00::1"], ipFamilies: ["IPv6", "IPv4"] },
      [
        'spec.clusterIPs[0]: Invalid value: "10.0.0.1": expected an IPv6 value as indicated by `ipFamilies[0]`',
        'spec.clusterIPs[1]: Invalid value: "fd00::1": expected an IPv4 value as indicated by `ipFamilies[1]`',
      ],
    ],
    [
      "has two addresses at most",
      { clusterIP: "10.0.0.1", clusterIPs: ["10.0.0.1", "fd00::1", "10.0.0.2"] },
      ['spec.clusterIPs: Invalid value: ["10.0.0.1","fd00::1","10.0.0.2"]: may only hold up to 2 values'],
    ],
  ])("%s", (_, spec, wanted) => expect(told(serviceErrors(service(spec), undefined))).toEqual(wanted));
});

describe("a changed service", () => {
  const dual: Spec = {
    clusterIP: "10.0.0.1",
    clusterIPs: ["10.0.0.1", "fd00::1"],
    ipFamilies: ["IPv4", "IPv6"],
    ipFamilyPolicy: "PreferDualStack",
  };

  it.each<[string, Spec, Spec, string[]]>([
    [
      "keeps its second address",
      { ...dual, clusterIPs: ["10.0.0.1", "fd00::2"] },
      dual,
      ['spec.clusterIPs[1]: Invalid value: ["10.0.0.1","fd00::2"]: may not change once set'],
    ],
    [
      "gives up the second only for one stack",
      { ...dual, clusterIPs: ["10.0.0.1"], ipFamilies: ["IPv4"] },
      dual,
      [
        "spec.ipFamilyPolicy: Invalid value: \"PreferDualStack\": must be set to 'SingleStack' when releasing the secondary clusterIP",
        "spec.ipFamilyPolicy: Invalid value: \"PreferDualStack\": must be set to 'SingleStack' when releasing the secondary ipFamily",
      ],
    ],
    ["does so", { ...dual, clusterIPs: ["10.0.0.1"], ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack" }, dual, []],
    [
      "keeps its class, whose form is told twice",
      { ...balancer, loadBalancerClass: "A b" },
      { ...balancer, loadBalancerClass: "a/b" },
      [
        'spec.loadBalancerClass: Invalid value: "A b": may not change once set',
        expect.stringContaining("must consist of"),
        expect.stringContaining("must consist of"),
      ] as string[],
    ],
  ])("%s", (_, spec, old, wanted) => expect(told(serviceErrors(service(spec), service(old)))).toEqual(wanted));
});

describe("warnings of a service", () => {
  const external = "spec.externalIPs is deprecated and may no longer be implemented in some clusters";
  it.each<[string, Spec, string[]]>([
    ["none", {}, []],
    [
      "of what has no use without an address",
      {
        clusterIP: "None",
        clusterIPs: ["None"],
        loadBalancerIP: "1.2.3.4",
        externalIPs: ["1.2.3.4"],
        sessionAffinity: "ClientIP",
      },
      [
        "spec.loadBalancerIP is ignored for headless services",
        "spec.externalIPs is ignored for headless services",
        "spec.SessionAffinity is ignored for headless services",
        external,
      ],
    ],
    [
      "of forms of addresses",
      { ...balancer, loadBalancerIP: "FD00::1", externalIPs: ["fd00::0:1"], loadBalancerSourceRanges: ["FD00::/64"] },
      [
        external,
        'spec.externalIPs[0]: IPv6 address "fd00::0:1" should be in RFC 5952 canonical format ("fd00::1")',
        'spec.loadBalancerIP: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")',
        'spec.loadBalancerSourceRanges[0]: IPv6 CIDR value "FD00::/64" should be in RFC 5952 canonical format ("fd00::/64")',
      ],
    ],
    [
      "of an old distribution",
      { trafficDistribution: "PreferClose" },
      ['spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'],
    ],
  ])("%s", (_, spec, wanted) => expect(serviceWarnings(service(spec))).toEqual(wanted));
});

describe("the status of a service", () => {
  it.each<[string, object, string[]]>([
    ["has a mode with an address", { ip: "1.2.3.4" }, ["ipMode: Required value: must be specified when `ip` is set"]],
    [
      "has no mode without",
      { hostname: "a.b", ipMode: "VIP" },
      ["ipMode: Forbidden: may not be specified when `ip` is not set"],
    ],
    [
      "has a known mode and a name that is none of an address",
      { ip: "1.2.3.4", ipMode: "X", hostname: "1.2.3.4" },
      [
        'ipMode: Unsupported value: "X": supported values: "Proxy", "VIP"',
        'hostname: Invalid value: "1.2.3.4": must be a DNS name, not an IP address',
      ],
    ],
  ])("%s", (_, ingress, wanted) => {
    const made = { ...service(balancer), status: { loadBalancer: { ingress: [ingress] } } };
    expect(told(serviceStatusErrors(made))).toEqual(wanted.map((text) => `status.loadBalancer.ingress[0].${text}`));
  });
});
