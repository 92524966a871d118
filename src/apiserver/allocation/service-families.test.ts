import { describe, expect, it } from "vitest";
import type { V1ServiceSpec } from "#api/generated/types.ts";
import { keepAllocated, normalizeClusterIps } from "./kept-values.ts";
import { fillFamilies } from "./service-families.ts";

type Spec = Partial<V1ServiceSpec>;
const base: Spec = { type: "ClusterIP", selector: { a: "b" } };
const single: Spec = { ...base, clusterIP: "10.0.0.5", clusterIPs: ["10.0.0.5"], ipFamilies: ["IPv4"] };
const dual: Spec = {
  ...base,
  clusterIP: "10.0.0.5",
  clusterIPs: ["10.0.0.5", "fd00::5"],
  ipFamilies: ["IPv4", "IPv6"],
  ipFamilyPolicy: "RequireDualStack",
};

function filled(spec: Spec, old: Spec | undefined, configured: readonly string[]) {
  const target = structuredClone(spec) as V1ServiceSpec;
  const errors = fillFamilies(target, old as V1ServiceSpec | undefined, configured);
  if (errors.length > 0) return errors.map(({ field, message }) => `${field}: ${message}`);
  return [(target.ipFamilies ?? []).join(), target.ipFamilyPolicy];
}

describe("families of a service, in a cluster of one family", () => {
  it.each<[string, Spec, Spec | undefined, unknown[]]>([
    ["the usual one", base, undefined, ["IPv4", "SingleStack"]],
    ["one for who prefers two", { ...base, ipFamilyPolicy: "PreferDualStack" }, undefined, ["IPv4", "PreferDualStack"]],
    [
      "both without address and selector",
      { type: "ClusterIP", clusterIP: "None", clusterIPs: ["None"] },
      undefined,
      ["IPv4,IPv6", "RequireDualStack"],
    ],
    [
      "not two",
      { ...base, ipFamilyPolicy: "RequireDualStack" },
      undefined,
      [
        'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
      ],
    ],
    [
      "two need a policy",
      { ...base, ipFamilies: ["IPv4", "IPv6"] },
      undefined,
      [
        "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified",
      ],
    ],
    [
      "two that are preferred must be there",
      { ...base, ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "PreferDualStack" },
      undefined,
      ['spec.ipFamilies[1]: Invalid value: "IPv6": not configured on this cluster'],
    ],
    [
      "an address of another family",
      { ...base, clusterIP: "fd00::1", clusterIPs: ["fd00::1"] },
      undefined,
      ['spec.clusterIPs[0]: Invalid value: ["fd00::1"]: IPv6 is not configured on this cluster'],
    ],
    [
      "the policy that it had",
      { ...single, ipFamilyPolicy: undefined },
      { ...single, ipFamilyPolicy: "PreferDualStack" },
      ["IPv4", "PreferDualStack"],
    ],
  ])("%s", (_, spec, old, wanted) => expect(filled(spec, old, ["IPv4"])).toEqual(wanted));
});

describe("families of a service, in a cluster of two", () => {
  it.each<[string, Spec, Spec | undefined, unknown[]]>([
    ["one unless told", base, undefined, ["IPv4", "SingleStack"]],
    ["both if preferred", { ...base, ipFamilyPolicy: "PreferDualStack" }, undefined, ["IPv4,IPv6", "PreferDualStack"]],
    [
      "one that prefers both stays as it was",
      { ...single, ipFamilyPolicy: "PreferDualStack" },
      { ...single, ipFamilyPolicy: "PreferDualStack" },
      ["IPv4", "PreferDualStack"],
    ],
    ["the second goes with its policy", { ...dual, ipFamilyPolicy: "SingleStack" }, dual, ["IPv4", "SingleStack"]],
    [
      "the second stays with its policy",
      { ...dual, ipFamilies: ["IPv4"], clusterIPs: ["10.0.0.5"] },
      dual,
      [
        "spec.ipFamilyPolicy: Invalid value: \"RequireDualStack\": must be 'SingleStack' to release the secondary cluster IP",
        "spec.ipFamilyPolicy: Invalid value: \"RequireDualStack\": must be 'SingleStack' to release the secondary IP family",
      ],
    ],
  ])("%s", (_, spec, old, wanted) => expect(filled(spec, old, ["IPv4", "IPv6"])).toEqual(wanted));
});

describe("an update of a service", () => {
  const old = {
    type: "NodePort",
    clusterIP: "10.0.0.5",
    clusterIPs: ["10.0.0.5"],
    ports: [
      { name: "a", port: 80, nodePort: 30_001 },
      { name: "b", port: 81, nodePort: 30_002 },
    ],
  };

  it.each<[string, Spec, unknown]>([
    ["keeps addresses", { type: "NodePort" }, { clusterIP: "10.0.0.5", clusterIPs: ["10.0.0.5"] }],
    ["follows a client that knows one field", { clusterIP: "None", type: "ClusterIP" }, { clusterIPs: ["None"] }],
    [
      "keeps numbers by name of the port, not those asked for elsewhere",
      {
        type: "NodePort",
        ports: [
          { name: "b", port: 90 },
          { name: "a", port: 80 },
          { name: "c", port: 82, nodePort: 30_001 },
        ],
      },
      { ports: [{ nodePort: 30_002 }, {}, { nodePort: 30_001 }] },
    ],
  ])("%s", (_, spec, wanted) => {
    const target = structuredClone(spec) as V1ServiceSpec;
    keepAllocated(target, old);
    normalizeClusterIps(target, old);
    expect(target).toMatchObject(wanted as object);
  });

  it("to an external name keeps no address", () => {
    const target: V1ServiceSpec = { type: "ExternalName" };
    keepAllocated(target, old);
    normalizeClusterIps(target, old);
    expect(target).toEqual({ type: "ExternalName" });
  });
});
