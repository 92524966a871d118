import { describe, expect, test } from "vitest";
import { formatResolvConf, parseResolvConf, podResolver, type PodResolverInput } from "./resolv-conf.ts";

const input: PodResolverInput = {
  namespace: "shop",
  clusterDns: ["10.43.0.10"],
  clusterDomain: "cluster.local",
  hostResolvConf: "# made by hand\nnameserver 192.0.2.1\nsearch corp.example.\noptions timeout:1\n",
};
const clusterText =
  "search shop.svc.cluster.local svc.cluster.local cluster.local corp.example\nnameserver 10.43.0.10\noptions ndots:5\n";
const hostText = "search corp.example\nnameserver 192.0.2.1\noptions timeout:1\n";

describe("a pod's resolver", () => {
  test.each([
    ["by default", {}, clusterText],
    ["with ClusterFirst", { dnsPolicy: "ClusterFirst" }, clusterText],
    ["with ClusterFirst on the host's network", { dnsPolicy: "ClusterFirst", hostNetwork: true }, hostText],
    ["with ClusterFirstWithHostNet", { dnsPolicy: "ClusterFirstWithHostNet", hostNetwork: true }, clusterText],
    ["with Default", { dnsPolicy: "Default" }, hostText],
    ["with None", { dnsPolicy: "None" }, ""],
    ["without cluster DNS", { clusterDns: [] }, hostText],
  ])("%s", (_name, more, text) => expect(formatResolvConf(podResolver({ ...input, ...more }))).toBe(text));

  test("takes dnsConfig on top: no duplicates, own options win", () => {
    const dnsConfig = {
      nameservers: ["10.43.0.10", "192.0.2.9"],
      searches: ["svc.cluster.local", "extra.example"],
      options: [{ name: "ndots", value: "2" }, { name: "edns0" }],
    };
    expect(podResolver({ ...input, dnsConfig })).toEqual({
      servers: ["10.43.0.10", "192.0.2.9"],
      searches: ["shop.svc.cluster.local", "svc.cluster.local", "cluster.local", "corp.example", "extra.example"],
      options: ["ndots:2", "edns0"],
      warnings: [],
    });
  });

  test("has at most three servers, 32 search domains and 2,048 characters of them, and says what was left out", () => {
    const nameservers = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"];
    const searches = Array.from({ length: 40 }, (_, index) => `d${index}.${"x".repeat(80)}.example`);
    const found = podResolver({ ...input, dnsPolicy: "None", dnsConfig: { nameservers, searches } });
    expect(found.servers).toEqual(nameservers.slice(0, 3));
    expect(found.searches.length).toBeLessThanOrEqual(32);
    expect(found.searches.join(" ").length).toBeLessThanOrEqual(2_048);
    expect(found.warnings).toHaveLength(2);
  });
});

test("of several search lines the last one counts, and comments are left out", () => {
  expect(parseResolvConf("search a b\nsearch c. .\nnameserver 192.0.2.1 ; first\noptions a\noptions b:1\n")).toEqual({
    servers: ["192.0.2.1"],
    searches: ["c", "."],
    options: ["a", "b:1"],
  });
});
