/**
 * How a machine becomes a node: it shows the join token and gets client and serving certificates for its name. A name
 * belongs to the machine that took it first: that machine made up a password, whose hash is kept as a Secret (k3s does
 * the same), so the token alone cannot take over another node's identity.
 */
import { createHash, createPublicKey, scryptSync, timingSafeEqual, randomBytes, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import { StatusError, failure } from "#api/status-error.ts";
import type { Authority } from "./pki.ts";

export const joinPath = "/capstan/v1/join";
export const caPath = "/cacerts";
/** A join request is a few hundred bytes. */
export const joinBodyBytesMax = 16 * 1024;
const passwordLengthMax = 256;

export interface JoinRequest {
  nodeName: string;
  /** Made by the node at its first start, kept in its data directory. */
  nodePassword: string;
  /** Addresses that the node's own server is reached at. */
  addresses: string[];
  /** SPKI PEM of the keys to certify. */
  clientPublicKey: string;
  servingPublicKey: string;
  /** For what reads Services, endpoints and other nodes: duties of the network, not of the node itself. */
  networkPublicKey: string;
}

/** What a node needs to know of its cluster. */
export interface ClusterFacts {
  clusterCidr: string;
  serviceCidr: string;
  clusterDns: string;
  clusterDomain: string;
}

export interface JoinAnswer extends ClusterFacts {
  clientCert: string;
  servingCert: string;
  networkCert: string;
}

/** Who the network duties of nodes are; manifests/node-network.yaml says what they may read. */
export const networkGroup = "capstan:node-network";

/** Where password hashes are kept: Secrets in kube-system, through the API. */
export interface NodePasswords {
  read(nodeName: string): Promise<string | undefined>;
  /** Rejects with AlreadyExists if somebody else was first. */
  create(nodeName: string, hash: string): Promise<void>;
}

/** "K10" + SHA-256 of the CA + "::node:" + secret: the CA's hash lets a node trust the server it joins. */
export function joinToken(caPem: string, secret: string): string {
  return `K10${createHash("sha256").update(caPem).digest("hex")}::node:${secret}`;
}

/** Whether `given` (a whole token, or the secret alone) shows knowledge of the secret. */
export function isJoinToken(given: string, secret: string): boolean {
  const shown = given.startsWith("K10") ? given.slice(given.indexOf("::node:") + "::node:".length) : given;
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(shown), digest(secret));
}

/** Throws StatusError: 400 for what is malformed, 403 for a name that belongs to another machine. */
export async function joinNode(
  body: unknown,
  ca: Authority,
  passwords: NodePasswords,
  facts: ClusterFacts,
): Promise<JoinAnswer> {
  const request = readRequest(body);
  await claimName(request, passwords);
  const [clientCert, servingCert, networkCert] = await Promise.all([
    ca.sign(await importKey(request.clientPublicKey), {
      commonName: `system:node:${request.nodeName}`,
      organizations: ["system:nodes"],
    }),
    ca.sign(await importKey(request.servingPublicKey), {
      commonName: `system:node:${request.nodeName}`,
      organizations: ["system:nodes"],
      hosts: [request.nodeName, ...request.addresses],
    }),
    ca.sign(await importKey(request.networkPublicKey), {
      commonName: `${networkGroup}:${request.nodeName}`,
      organizations: [networkGroup],
    }),
  ]);
  return { clientCert, servingCert, networkCert, ...facts };
}

function readRequest(body: unknown): JoinRequest {
  const given = (body ?? {}) as Partial<Record<keyof JoinRequest, unknown>>;
  const text = (name: keyof JoinRequest, pattern: RegExp): string => {
    const value = given[name];
    if (typeof value !== "string" || !pattern.test(value))
      throw failure(400, "BadRequest", `join: ${name} is missing or malformed`);
    return value;
  };
  const { addresses } = given;
  if (
    !Array.isArray(addresses) ||
    addresses.length > 16 ||
    !addresses.every((address) => typeof address === "string" && isIP(address) !== 0)
  ) {
    throw failure(400, "BadRequest", "join: addresses must be a list of IP addresses");
  }
  const nodePassword = text("nodePassword", /^[0-9a-f]{32,}$/);
  if (nodePassword.length > passwordLengthMax) throw failure(400, "BadRequest", "join: nodePassword is too long");
  return {
    nodeName: text("nodeName", /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/),
    nodePassword,
    addresses: addresses as string[],
    clientPublicKey: text("clientPublicKey", /^-----BEGIN PUBLIC KEY-----/),
    servingPublicKey: text("servingPublicKey", /^-----BEGIN PUBLIC KEY-----/),
    networkPublicKey: text("networkPublicKey", /^-----BEGIN PUBLIC KEY-----/),
  };
}

async function claimName({ nodeName, nodePassword }: JoinRequest, passwords: NodePasswords): Promise<void> {
  let known = await passwords.read(nodeName);
  if (known === undefined) {
    const hash = hashPassword(nodePassword, randomBytes(16));
    try {
      await passwords.create(nodeName, hash);
      return;
    } catch (error) {
      if (!(error instanceof StatusError) || error.reason !== "AlreadyExists") throw error;
      known = await passwords.read(nodeName);
    }
  }
  if (known === undefined || !isPassword(nodePassword, known)) {
    throw failure(
      403,
      "Forbidden",
      `node name ${JSON.stringify(nodeName)} belongs to another machine; choose another --node-name, or delete Secret kube-system/${nodeName}.node-password.capstan if that machine is gone`,
    );
  }
}

function hashPassword(password: string, salt: Buffer): string {
  return `scrypt:${salt.toString("hex")}:${scryptSync(password, salt, 32).toString("hex")}`;
}

function isPassword(password: string, known: string): boolean {
  const [, salt = "", hash = ""] = known.split(":");
  const wanted = Buffer.from(hash, "hex");
  const given = scryptSync(password, Buffer.from(salt, "hex"), 32);
  return wanted.length === given.length && timingSafeEqual(wanted, given);
}

async function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  try {
    const der = createPublicKey(pem).export({ format: "der", type: "spki" });
    return (await webcrypto.subtle.importKey("spki", der, { name: "ECDSA", namedCurve: "P-256" }, true, [
      "verify",
    ])) as webcrypto.CryptoKey;
  } catch (error) {
    throw new StatusError(failure(400, "BadRequest", "join: not an ECDSA P-256 public key").status, { cause: error });
  }
}
