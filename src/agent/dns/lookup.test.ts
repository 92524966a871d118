import { beforeEach, describe, expect, test } from "vitest";
import type { V1Endpoint, V1EndpointSlice, V1Service } from "#api/generated/types.ts";
import { parseCidr } from "#agent/network/address.ts";
import { type Answer, lookup, type Zone } from "./lookup.ts";
import { ServiceIndex } from "./service-index.ts";

const zone: Zone = {
  domain: "cluster.local",
  serverIps: ["10.43.0.10"],
  reverseCidrs: [parseCidr("10.42.0.0/16")!, parseCidr("10.43.0.0/16")!],
  serial: 1,
};
let index: ServiceIndex;

const service = (name: string, spec: object): void =>
  index.setService(`default/${name}`, { metadata: { name, namespace: "default" }, spec } as V1Service);
const slice = (
  name: string,
  endpoints: V1Endpoint[],
  ports: object[] = [{ name: "http", port: 8080, protocol: "TCP" }],
): void =>
  index.setSlice(
    {
      metadata: { name: `${name}-1`, namespace: "default", labels: { "kubernetes.io/service-name": name } },
      addressType: "IPv4",
      endpoints,
      ports,
    } as V1EndpointSlice,
    undefined,
  );

beforeEach(() => {
  index = new ServiceIndex();
  index.setNamespace("default", { metadata: { name: "default" } });
  service("web", { clusterIP: "10.43.0.5", clusterIPs: ["10.43.0.5", "fd43::5"], ports: [{ name: "HTTP", port: 80 }] });
  slice("web", [{ addresses: ["10.42.0.5"] }]);
  service("db", { clusterIP: "None", ports: [{ name: "sql", port: 5432, protocol: "TCP" }] });
  slice(
    "db",
    [
      { addresses: ["10.42.0.6"], hostname: "db-0", conditions: { ready: true } },
      { addresses: ["10.42.0.7"] },
      { addresses: ["10.42.0.8"], conditions: { ready: false } },
    ],
    [{ name: "sql", port: 5432, protocol: "TCP" }],
  );
  service("out", { type: "ExternalName", externalName: "example.com." });
  service("alias", { type: "ExternalName", externalName: "web.default.svc.cluster.local" });
  service("ring", { type: "ExternalName", externalName: "ring.default.svc.cluster.local" });
  service("empty", { clusterIP: "None" });
});

const ask = (name: string, type = "A"): Answer => lookup(index, zone, name, type);
const values = (answer: Answer): unknown =>
  answer.kind === "found" ? answer.records.map(({ data }) => Object.values(data)[0] as string) : answer.kind;

describe("the cluster's zone", () => {
  test.each([
    ["web.default.svc.cluster.local", "A", ["10.43.0.5"]],
    ["WEB.Default.svc.cluster.LOCAL", "A", ["10.43.0.5"]],
    ["web.default.svc.cluster.local", "AAAA", ["fd43::5"]],
    ["web.default.svc.cluster.local", "ANY", ["10.43.0.5", "fd43::5", "web.default.svc.cluster.local"]],
    ["web.default.svc.cluster.local", "TXT", "empty"],
    ["_http._tcp.web.default.svc.cluster.local", "SRV", ["web.default.svc.cluster.local"]],
    ["_http._udp.web.default.svc.cluster.local", "SRV", "missing"],
    ["_tcp.web.default.svc.cluster.local", "A", "empty"],
    ["10-42-0-5.web.default.svc.cluster.local", "A", ["10.42.0.5"]],
    ["db.default.svc.cluster.local", "A", ["10.42.0.6", "10.42.0.7"]],
    ["db-0.db.default.svc.cluster.local", "A", ["10.42.0.6"]],
    ["10-42-0-7.db.default.svc.cluster.local", "A", ["10.42.0.7"]],
    ["10-42-0-8.db.default.svc.cluster.local", "A", "missing"],
    [
      "_sql._tcp.db.default.svc.cluster.local",
      "SRV",
      ["db-0.db.default.svc.cluster.local", "10-42-0-7.db.default.svc.cluster.local"],
    ],
    ["db-0.db.default.svc.cluster.local", "SRV", ["db-0.db.default.svc.cluster.local"]],
    ["empty.default.svc.cluster.local", "A", "empty"],
    ["none.default.svc.cluster.local", "A", "missing"],
    ["default.svc.cluster.local", "A", "empty"],
    ["other.svc.cluster.local", "A", "missing"],
    ["svc.cluster.local", "A", "empty"],
    ["cluster.local", "A", "empty"],
    ["cluster.local", "NS", ["ns.dns.cluster.local"]],
    ["cluster.local", "SOA", ["ns.dns.cluster.local"]],
    ["ns.dns.cluster.local", "A", ["10.43.0.10"]],
    ["dns-version.cluster.local", "TXT", ["1.1.0"]],
    ["nothing.cluster.local", "A", "missing"],
    ["10-42-0-9.default.pod.cluster.local", "A", ["10.42.0.9"]],
    ["fd00--9.default.pod.cluster.local", "AAAA", ["fd00::9"]],
    ["10-42-0-9.other.pod.cluster.local", "A", "missing"],
    ["web.default.pod.cluster.local", "A", "missing"],
    ["a.b.web.default.svc.cluster.local", "A", "missing"],
    ["5.0.43.10.in-addr.arpa", "PTR", ["web.default.svc.cluster.local"]],
    ["6.0.42.10.in-addr.arpa", "PTR", ["db-0.db.default.svc.cluster.local"]],
    ["9.0.42.10.in-addr.arpa", "PTR", "missing"],
    ["5.0.43.10.in-addr.arpa", "A", "empty"],
    ["8.8.8.8.in-addr.arpa", "PTR", "forward"],
    ["example.com", "A", "forward"],
    ["notcluster.local", "A", "forward"],
    ["out.default.svc.cluster.local", "CNAME", ["example.com"]],
    ["alias.default.svc.cluster.local", "A", ["web.default.svc.cluster.local", "10.43.0.5"]],
  ])("says to %s %s: %j", (name, type, expected) => expect(values(ask(name, type))).toEqual(expected));

  test("an ExternalName outside is followed by other servers, a ring of names ends", () => {
    expect(ask("out.default.svc.cluster.local")).toMatchObject({ kind: "found", follow: "example.com" });
    expect(ask("ring.default.svc.cluster.local")).toMatchObject({ kind: "found" });
  });

  test("service records come with their targets' addresses", () => {
    expect(ask("_sql._tcp.db.default.svc.cluster.local", "SRV")).toMatchObject({
      records: [{ data: { port: 5432 } }, { data: { port: 5432 } }],
      additional: [{ name: "db-0.db.default.svc.cluster.local", data: { address: "10.42.0.6" } }, {}],
    });
  });
});

describe("changes", () => {
  test("a Service that becomes an ExternalName loses its addresses, and back", () => {
    service("web", { type: "ExternalName", externalName: "example.com" });
    expect(values(ask("web.default.svc.cluster.local"))).toEqual(["example.com"]);
    expect(values(ask("5.0.43.10.in-addr.arpa", "PTR"))).toBe("missing");
    service("web", { clusterIP: "10.43.0.6", ports: [] });
    expect(values(ask("web.default.svc.cluster.local"))).toEqual(["10.43.0.6"]);
  });

  test("what is gone is not answered for", () => {
    index.setService("default/web", undefined);
    expect(ask("web.default.svc.cluster.local").kind).toBe("missing");
    index.setNamespace("default", undefined);
    expect(ask("default.svc.cluster.local").kind).toBe("missing");
  });
});
