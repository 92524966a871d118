import { X509Certificate, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { failure } from "#api/status-error.ts";
import { systemClock } from "#lib/clock.ts";
import { type JoinRequest, type NodePasswords, isJoinToken, joinNode, joinToken } from "./join.ts";
import { type ClusterPki, openPki } from "./pki.ts";

const folder = mkdtempSync(join(tmpdir(), "capstan-join-"));
const facts = {
  clusterCidr: "10.42.0.0/16",
  serviceCidr: "10.43.0.0/16",
  clusterDns: "10.43.0.10",
  clusterDomain: "cluster.local",
};
const publicKey = () =>
  generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "pem", type: "spki" }) as string;
const keptPasswords = (): NodePasswords => {
  const kept = new Map<string, string>();
  return {
    read: async (name) => kept.get(name),
    create: async (name, hash) => {
      if (kept.has(name)) throw failure(409, "AlreadyExists", "exists");
      kept.set(name, hash);
    },
  };
};
let pki: ClusterPki;
let request: JoinRequest;
beforeAll(async () => {
  pki = await openPki(folder, systemClock);
  request = {
    nodeName: "n1",
    nodePassword: "ab".repeat(16),
    addresses: ["10.0.0.1"],
    clientPublicKey: publicKey(),
    servingPublicKey: publicKey(),
    networkPublicKey: publicKey(),
  };
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("join", () => {
  it("certifies a node for its own name only", async () => {
    const answer = await joinNode(request, pki.ca, keptPasswords(), facts);
    const client = new X509Certificate(answer.clientCert);
    expect(client.subject).toBe("O=system:nodes\nCN=system:node:n1");
    expect(client.checkIssued(new X509Certificate(pki.ca.cert))).toBe(true);
    expect(new X509Certificate(answer.servingCert).checkIP("10.0.0.1")).toBe("10.0.0.1");
    expect(new X509Certificate(answer.networkCert).subject).toBe("O=capstan:node-network\nCN=capstan:node-network:n1");
    expect(answer.clusterDns).toBe("10.43.0.10");
  });
  it("lets the same machine come back, and refuses another one under its name", async () => {
    const passwords = keptPasswords();
    await joinNode(request, pki.ca, passwords, facts);
    await joinNode(request, pki.ca, passwords, facts);
    await expect(joinNode({ ...request, nodePassword: "cd".repeat(16) }, pki.ca, passwords, facts)).rejects.toThrow(
      /belongs to another machine/,
    );
  });
  it.each([
    [{ nodeName: "UPPER" }, "nodeName"],
    [{ nodeName: "a,O=system:masters" }, "nodeName"],
    [{ addresses: ["not-an-ip"] }, "addresses"],
    [{ nodePassword: "short" }, "nodePassword"],
    [{ clientPublicKey: "-----BEGIN PUBLIC KEY-----\nx" }, "public key"],
  ])("refuses %j", async (change, text) => {
    await expect(joinNode({ ...request, ...change }, pki.ca, keptPasswords(), facts)).rejects.toThrow(text);
  });
  it("a token carries the CA's hash and shows the secret; the secret alone does too", () => {
    const token = joinToken(pki.ca.cert, "s3cret");
    expect(token).toMatch(/^K10[0-9a-f]{64}::node:s3cret$/);
    expect([
      isJoinToken(token, "s3cret"),
      isJoinToken("s3cret", "s3cret"),
      isJoinToken(`${token}x`, "s3cret"),
      isJoinToken("", "s3cret"),
    ]).toEqual([true, true, false, false]);
  });
});
