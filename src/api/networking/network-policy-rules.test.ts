import { describe, expect, it } from "vitest";
import type { V1NetworkPolicy, V1NetworkPolicyPeer, V1NetworkPolicyPort } from "#api/generated/types.ts";
import { networkPolicyErrors, networkPolicyWarnings } from "./network-policy-rules.ts";

const policy = (peer: V1NetworkPolicyPeer, ports: V1NetworkPolicyPort[] = []): V1NetworkPolicy => ({
  metadata: { name: "n" },
  spec: { podSelector: {}, ingress: [{ ports, from: [peer] }], policyTypes: ["Ingress"] },
});
const texts = (given: V1NetworkPolicy, old?: V1NetworkPolicy) =>
  networkPolicyErrors(given, old).map(({ field, message }) => `${field.replace("spec.ingress[0].", "")}: ${message}`);
const block = (cidr: string, ...except: string[]) => ({ ipBlock: { cidr, except } });

describe("network policy", () => {
  it.each([
    [block("10.0.0.0/8", "10.1.0.0/16"), []],
    [
      block("10.0.0.0/8", "10.0.0.0/8"),
      ['from[0].ipBlock.except[0]: Invalid value: "10.0.0.0/8": must be a strict subset of `cidr`'],
    ],
    [
      block("2001:db8::/32", "10.0.0.0/16"),
      ['from[0].ipBlock.except[0]: Invalid value: "10.0.0.0/16": must be a strict subset of `cidr`'],
    ],
    [{}, ["from[0]: Required value: must specify a peer"]],
    [
      { ...block("10.0.0.0/8"), podSelector: {} },
      ["from[0]: Forbidden: may not specify both ipBlock and another peer"],
    ],
  ])("peer %j has these faults", (peer, expected) => expect(texts(policy(peer))).toEqual(expected));

  it.each([
    [{ port: 80, endPort: 90 }, []],
    [{ port: 80, endPort: 70 }, ["ports[0].endPort: Invalid value: 80: must be greater than or equal to `port`"]],
    [{ endPort: 70 }, ["ports[0].endPort: Invalid value: 70: may not be specified when `port` is not specified"]],
    [
      { port: "http", endPort: 70 },
      ["ports[0].endPort: Invalid value: 70: may not be specified when `port` is non-numeric"],
    ],
    [{ protocol: "ICMP" }, ['ports[0].protocol: Unsupported value: "ICMP": supported values: "TCP", "UDP", "SCTP"']],
  ])("port %j has these faults", (port, expected) =>
    expect(texts(policy({ podSelector: {} }, [port]))).toEqual(expected),
  );

  it("a range that was there before may stay in its old form", () => {
    const old = policy(block("10.1.2.3/8"));
    expect(texts(old)).toHaveLength(1);
    expect(texts(old, old)).toEqual([]);
  });

  it("warns of ranges that another would write otherwise", () => {
    expect(networkPolicyWarnings(policy(block("FD00::/16", "fd00:1::/32", "fd00:0002::/32")))).toEqual([
      'spec.ingress[0].from[0].ipBlock.cidr: IPv6 CIDR value "FD00::/16" should be in RFC 5952 canonical format ("fd00::/16")',
      'spec.ingress[0].from[0].ipBlock.except[1]: IPv6 CIDR value "fd00:0002::/32" should be in RFC 5952 canonical format ("fd00:2::/32")',
    ]);
  });
});
