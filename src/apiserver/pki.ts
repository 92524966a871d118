/**
 * The cluster's own certificates: one CA for servers and clients, one for front proxies, the key that signs service
 * account tokens. Made at first start in a directory of the data dir (files 0600), read back afterwards. ECDSA P-256.
 */
import "reflect-metadata";
import { webcrypto, X509Certificate as NodeCertificate } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";
import type { Clock } from "#lib/clock.ts";
import { certify, serialNumber } from "./certify.ts";

const dayMs = 24 * 60 * 60 * 1000;
const caLifetimeMs = 3650 * dayMs;
const leafLifetimeMs = 365 * dayMs;
/** Clocks of other machines may be behind. */
const backdateMs = 5 * 60 * 1000;
const shortMs = 8 * 60 * 60 * 1000;
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

type CryptoKey = webcrypto.CryptoKey;

x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);

export interface KeyPair {
  /** PEM. */
  cert: string;
  /** PEM, PKCS #8. */
  key: string;
}

export interface LeafRequest {
  commonName: string;
  organizations?: readonly string[];
  /** Names and addresses that the certificate is for; with any it is a server's, without a client's. */
  hosts?: readonly string[];
  /** A server's certificate that is also a client's. */
  client?: boolean;
  lifetimeMs?: number;
}

export class Authority {
  readonly cert: string;
  readonly #pair: KeyPair;
  readonly #clock: Clock;
  #signer: { certificate: x509.X509Certificate; key: CryptoKey } | undefined;

  constructor(pair: KeyPair, clock: Clock) {
    this.cert = pair.cert;
    this.#pair = pair;
    this.#clock = clock;
  }

  async issue(request: LeafRequest): Promise<KeyPair> {
    const keys = await generateKeys();
    const cert = await this.sign(keys.publicKey, request);
    return { cert, key: await exportKey(keys.privateKey) };
  }

  /** Certifies a public key that someone else made (bootstrap of a node). */
  async sign(publicKey: CryptoKey, request: LeafRequest): Promise<string> {
    const { hosts = [], commonName, organizations = [], lifetimeMs = leafLifetimeMs } = request;
    const usages = [
      ...(hosts.length > 0 ? [x509.ExtendedKeyUsage.serverAuth] : []),
      ...(hosts.length === 0 || request.client === true ? [x509.ExtendedKeyUsage.clientAuth] : []),
    ];
    const signer = (this.#signer ??= await loadSigner(this.#pair));
    const now = this.#clock.now();
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      subject: [...organizations.map((name) => ({ O: [name] })), { CN: [commonName] }],
      issuer: signer.certificate.subject,
      notBefore: new Date(now - backdateMs),
      notAfter: new Date(Math.min(now + lifetimeMs, signer.certificate.notAfter.getTime())),
      publicKey,
      signingKey: signer.key,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
        new x509.ExtendedKeyUsageExtension(usages),
        await x509.AuthorityKeyIdentifierExtension.create(signer.certificate.publicKey),
        ...(hosts.length === 0
          ? []
          : [
              new x509.SubjectAlternativeNameExtension(
                hosts.map((host) => ({ type: isIP(host) === 0 ? ("dns" as const) : ("ip" as const), value: host })),
              ),
            ]),
      ],
    });
    return `${certificate.toString("pem")}\n`;
  }

  /** Certifies what a PKCS #10 request (PEM) asks for, with the usages that the certificates API names. */
  async certify(request: string, { usages, lifetimeMs }: CertifyTerms): Promise<string> {
    const { certificate, key } = (this.#signer ??= await loadSigner(this.#pair));
    const now = this.#clock.now();
    return await certify(
      request,
      { certificate, key, algorithm },
      {
        usages,
        notBefore: new Date(now - backdateMs),
        notAfter: new Date(Math.min(endOf(now, lifetimeMs), certificate.notAfter.getTime())),
      },
    );
  }
}

/** A lifetime counts from the backdated start, unless it is so short that this would matter. Upstream: PermissiveSigningPolicy. */
const endOf = (now: number, lifetimeMs: number): number => now + lifetimeMs - (lifetimeMs < shortMs ? 0 : backdateMs);

export interface CertifyTerms {
  usages: readonly string[];
  lifetimeMs: number;
}

export interface ClusterPki {
  ca: Authority;
  frontProxyCa: Authority;
  /** PEM, PKCS #8: signs service account tokens. */
  serviceAccountKey: string;
  /** A certificate kept in the directory under `name`, made anew when it lacks a host or ends within 30 days. */
  keep(name: string, request: LeafRequest): Promise<KeyPair>;
}

export async function openPki(directory: string, clock: Clock): Promise<ClusterPki> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const ca = new Authority(await keepAuthority(directory, "ca", "capstan-ca", clock), clock);
  const frontProxyCa = new Authority(
    await keepAuthority(directory, "front-proxy-ca", "capstan-front-proxy-ca", clock),
    clock,
  );
  const serviceAccountKey = await keepFile(join(directory, "service-account.key"), async () =>
    exportKey((await generateKeys()).privateKey),
  );
  return {
    ca,
    frontProxyCa,
    serviceAccountKey,
    keep: oneAtATime((name, request) => keepLeaf(directory, name, request, ca, clock)),
  };
}

/** Two that ask for the same certificate at once must not write the key of one beside the certificate of the other. */
function oneAtATime(keep: ClusterPki["keep"]): ClusterPki["keep"] {
  const last = new Map<string, Promise<unknown>>();
  return (name, request) => {
    const kept = (last.get(name) ?? Promise.resolve()).then(() => keep(name, request));
    last.set(
      name,
      kept.catch(() => {}),
    );
    return kept;
  };
}

async function keepAuthority(directory: string, name: string, commonName: string, clock: Clock): Promise<KeyPair> {
  const file = join(directory, name);
  const found = await readPair(file);
  if (found !== undefined) return found;
  const keys = await generateKeys();
  const now = clock.now();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: `CN=${commonName}@${Math.floor(now / 1000)}`,
    notBefore: new Date(now - backdateMs),
    notAfter: new Date(now + caLifetimeMs),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return writePair(file, { cert: `${certificate.toString("pem")}\n`, key: await exportKey(keys.privateKey) });
}

async function keepLeaf(directory: string, name: string, request: LeafRequest, ca: Authority, clock: Clock) {
  const file = join(directory, name);
  const found = await readPair(file);
  if (found !== undefined && isGood(found.cert, request, ca.cert, clock.now())) return found;
  return writePair(file, await ca.issue(request));
}

function isGood(pem: string, { hosts = [] }: LeafRequest, caPem: string, now: number): boolean {
  const certificate = new NodeCertificate(pem);
  return (
    Date.parse(certificate.validTo) - now > 30 * dayMs &&
    certificate.checkIssued(new NodeCertificate(caPem)) &&
    hosts.every((host) =>
      isIP(host) === 0 ? certificate.checkHost(host) !== undefined : certificate.checkIP(host) !== undefined,
    )
  );
}

async function readPair(file: string): Promise<KeyPair | undefined> {
  const [cert, key] = await Promise.all([readIfThere(`${file}.crt`), readIfThere(`${file}.key`)]);
  return cert === undefined || key === undefined ? undefined : { cert, key };
}

async function writePair(file: string, pair: KeyPair): Promise<KeyPair> {
  await writeWhole(`${file}.key`, pair.key);
  await writeWhole(`${file}.crt`, pair.cert);
  return pair;
}

async function keepFile(file: string, make: () => Promise<string>): Promise<string> {
  const found = await readIfThere(file);
  if (found !== undefined) return found;
  const text = await make();
  await writeWhole(file, text);
  return text;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function writeWhole(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o600, flush: true });
  await rename(`${file}.new`, file);
}

const generateKeys = () =>
  webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]) as Promise<webcrypto.CryptoKeyPair>;

async function exportKey(key: CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY")}\n`;
}

async function loadSigner(pair: KeyPair) {
  const key = await webcrypto.subtle.importKey("pkcs8", x509.PemConverter.decodeFirst(pair.key), algorithm, false, [
    "sign",
  ]);
  return { certificate: new x509.X509Certificate(pair.cert), key: key as CryptoKey };
}
