import { expect, test } from "vitest";
import type { Pod } from "#api/core/pod.ts";
import { hostsFile, parseResolvConf, podDns, podHostName } from "./pod-dns.ts";

const cluster = { servers: ["10.43.0.10"], domain: "cluster.local" };
const host = parseResolvConf("# mine\nsearch corp.example\nnameserver 9.9.9.9\noptions timeout:1\n");
const podOf = (spec: Partial<NonNullable<Pod["spec"]>>): Pod => ({
  metadata: { name: "p", namespace: "n" },
  spec: { containers: [], ...spec },
});

test("a pod asks the cluster first, and its own settings are appended without duplicates", () => {
  const dnsConfig = {
    nameservers: ["1.2.3.4"],
    searches: ["a.example", "cluster.local"],
    options: [{ name: "ndots", value: "1" }, { name: "edns0" }],
  };
  expect(podDns(podOf({ dnsConfig }), cluster, host)).toEqual({
    servers: ["10.43.0.10", "1.2.3.4"],
    searches: ["n.svc.cluster.local", "svc.cluster.local", "cluster.local", "corp.example", "a.example"],
    options: ["ndots:1", "edns0"],
  });
});

test.each([
  [{ dnsPolicy: "Default" }, ["9.9.9.9"]],
  [{ dnsPolicy: "None" }, []],
  [{ hostNetwork: true }, ["9.9.9.9"]],
  [{ hostNetwork: true, dnsPolicy: "ClusterFirstWithHostNet" }, ["10.43.0.10"]],
])("%o", (spec, servers) => expect(podDns(podOf(spec), cluster, host).servers).toEqual(servers));

test("the full name needs a subdomain, and the kernel hears it only if the pod says so", () => {
  expect(podHostName(podOf({ subdomain: "sub" }), "cluster.local")).toEqual({
    kernel: "p",
    short: "p",
    full: "p.sub.n.svc.cluster.local",
  });
  expect(podHostName(podOf({ subdomain: "sub", setHostnameAsFQDN: true }), "cluster.local").kernel).toBe(
    "p.sub.n.svc.cluster.local",
  );
});

test("the hosts file ends with the pod's names and its aliases", () => {
  const text = hostsFile(
    podOf({ hostAliases: [{ ip: "1.1.1.1", hostnames: ["a", "b"] }] }),
    ["10.0.0.1"],
    "cluster.local",
    "",
  );
  expect(text).toContain("10.0.0.1\tp\n\n# Entries added by HostAliases.\n1.1.1.1\ta\tb\n");
});
