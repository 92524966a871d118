/** A node's status says where its server is. Whoever may write that may not make the API server talk to somebody else. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "#lib/clock.ts";
import type { ClusterCache } from "#apiserver/cache/cluster-cache.ts";
import { type ClusterPki, openPki } from "#apiserver/pki.ts";
import { createNodeDialer, type NodeDialer } from "./node-connection.ts";

const folder = mkdtempSync(join(tmpdir(), "capstan-node-connection-"));
const servers: Server[] = [];
const asked: string[] = [];
let dialer: NodeDialer;
const ports = new Map<string, number>();

/** What node `name` shows: a certificate of `commonName`, by `issuer`. */
async function serve(name: string, issuer: ClusterPki, commonName: string): Promise<void> {
  const { cert, key } = await issuer.keep(`server-${name}`, { commonName, hosts: ["127.0.0.1"] });
  const server = createServer({ cert, key }, (request, response) => {
    asked.push(`${name} ${request.url}`);
    response.end("hello");
  });
  servers.push(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  ports.set(name, (server.address() as AddressInfo).port);
}

beforeAll(async () => {
  const pki = await openPki(join(folder, "own"), systemClock);
  const foreign = await openPki(join(folder, "foreign"), systemClock);
  await serve("itself", pki, "system:node:itself");
  await serve("a-copy", pki, "system:node:itself");
  await serve("no-node", pki, "admin");
  await serve("foreign", foreign, "system:node:foreign");
  const node = (name: string) => ({
    metadata: { name },
    status: {
      addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
      daemonEndpoints: { kubeletEndpoint: { Port: ports.get(name) } },
    },
  });
  const cache = { resource: () => ({ get: (name: string) => ({ object: node(name) }) }) } as unknown as ClusterCache;
  const client = () => pki.keep("client", { commonName: "kube-apiserver-kubelet-client" });
  dialer = createNodeDialer(cache, pki.ca.cert, client);
});
afterAll(() => {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true });
});

describe("a node's server", () => {
  const soon = () => AbortSignal.timeout(5_000);

  it("is asked if its certificate is the node's", async () => {
    expect(await text(await dialer.request("itself", "/pods", soon()))).toBe("hello");
    (await dialer.dial("itself", soon())).destroy();
  });

  it("is shown this server's certificate by the first who ask, too", async () => {
    const [first, second] = await Promise.all([dialer.tlsOf("itself"), dialer.tlsOf("a-copy")]);
    expect(first.cert).toContain("BEGIN CERTIFICATE");
    expect(second.cert).toBe(first.cert);
  });

  it.each([
    ["a-copy", "the certificate is not that of node a-copy"],
    ["no-node", "the certificate is not that of node no-node"],
    ["foreign", "error dialing backend"],
  ])("is not asked anything if it shows what %s has", async (name, why) => {
    await expect(dialer.request(name, "/pods", soon())).rejects.toThrow(why);
    await expect(dialer.dial(name, soon())).rejects.toThrow("error dialing backend");
    expect(asked.filter((one) => one.startsWith(name))).toEqual([]);
  });
});
