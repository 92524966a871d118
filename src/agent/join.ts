/**
 * The node's side of joining: trusts the server by the CA hash in the token, has its keys certified and keeps everything
 * in its data directory, so that a restart needs no server that answers.
 */
import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { request as httpsRequest } from "node:https";
import { join } from "node:path";

export interface JoinOptions {
  /** https://host:port of any API server. */
  server: string;
  token: string;
  nodeName: string;
  /** Addresses for the node's serving certificate. */
  addresses: readonly string[];
  /** Where credentials are kept. */
  directory: string;
}

export interface NodeCredentials {
  server: string;
  nodeName: string;
  /** PEM. */
  ca: string;
  clientCert: string;
  clientKey: string;
  servingCert: string;
  servingKey: string;
  /** The identity of the node's network duties. */
  networkCert: string;
  networkKey: string;
  clusterCidr: string;
  serviceCidr: string;
  clusterDns: string;
  clusterDomain: string;
}

/** The server answered and said no: asking again does not help. */
export class JoinRefused extends Error {}

const answerBytesMax = 1024 * 1024;
const timeoutMs = 15_000;

/** Joins, or reads what an earlier join left; `refresh` asks the server again even so. Rejects with a text for the user. */
export async function joinCluster(options: JoinOptions, refresh = false): Promise<NodeCredentials> {
  const kept = refresh ? undefined : readCredentials(options.directory);
  const isSame =
    kept?.nodeName === options.nodeName &&
    kept.networkCert !== undefined &&
    options.addresses.every((address) => kept.addresses.includes(address));
  if (kept !== undefined && isSame) return { ...kept, server: options.server };
  await mkdir(options.directory, { recursive: true, mode: 0o700 });
  const ca = await fetchTrustedCa(options);
  const client = newKeyPair();
  const serving = newKeyPair();
  const network = newKeyPair();
  const answer = await post(`${options.server}/capstan/v1/join`, ca, options.token, {
    nodeName: options.nodeName,
    nodePassword: await keepPassword(options.directory),
    addresses: options.addresses,
    clientPublicKey: client.publicKey,
    servingPublicKey: serving.publicKey,
    networkPublicKey: network.publicKey,
  });
  const credentials: NodeCredentials = {
    ...(answer as Omit<NodeCredentials, "server" | "nodeName" | "ca" | "clientKey" | "servingKey" | "networkKey">),
    server: options.server,
    nodeName: options.nodeName,
    ca,
    clientKey: client.privateKey,
    servingKey: serving.privateKey,
    networkKey: network.privateKey,
  };
  await writeWhole(
    credentialsFile(options.directory),
    JSON.stringify({ ...credentials, addresses: options.addresses }),
  );
  return credentials;
}

const credentialsFile = (directory: string) => join(directory, "credentials.json");

/** What an earlier join left; undefined if this machine never joined. */
export function readCredentials(directory: string): (NodeCredentials & { addresses: string[] }) | undefined {
  const file = credentialsFile(directory);
  if (!existsSync(file)) return undefined;
  return JSON.parse(readFileSync(file, "utf8")) as NodeCredentials & { addresses: string[] };
}

/** The server's CA: fetched without trust, then held against the hash in the token. A bare secret trusts at first use. */
async function fetchTrustedCa({ server, token }: JoinOptions): Promise<string> {
  const ca = await send(new URL(`${server}/cacerts`), { rejectUnauthorized: false });
  const wanted = token.match(/^K10([0-9a-f]{64})::/)?.[1];
  if (wanted !== undefined && createHash("sha256").update(ca).digest("hex") !== wanted) {
    throw new JoinRefused(
      `the server at ${server} has another CA than the one that the token names: wrong server, or wrong token`,
    );
  }
  return ca;
}

async function post(url: string, ca: string, token: string, body: unknown): Promise<unknown> {
  const text = await send(
    new URL(url),
    { ca, method: "POST", headers: { authorization: `Bearer ${token}`, "content-type": "application/json" } },
    JSON.stringify(body),
  );
  return JSON.parse(text);
}

function send(url: URL, options: object, body?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(url, { timeout: timeoutMs, ...options }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > answerBytesMax) request.destroy(new Error(`the answer of ${url.href} is too long`));
        chunks.push(chunk);
      });
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        if (response.statusCode === 200) resolve(text);
        else if (response.statusCode !== undefined && response.statusCode < 500)
          reject(new JoinRefused(messageOf(text)));
        else reject(new Error(`${url.href}: ${response.statusCode} ${messageOf(text)}`));
      });
    });
    request.on("timeout", () => request.destroy(new Error(`${url.href}: no answer in ${timeoutMs} ms`)));
    request.on("error", reject);
    request.end(body);
  });
}

function messageOf(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? text;
  } catch {
    return text.slice(0, 200);
  }
}

function newKeyPair(): { publicKey: string; privateKey: string } {
  return generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
}

async function keepPassword(directory: string): Promise<string> {
  const file = join(directory, "node-password");
  if (existsSync(file)) return (await readFile(file, "utf8")).trim();
  const password = randomBytes(32).toString("hex");
  await writeWhole(file, password);
  return password;
}

async function writeWhole(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o600, flush: true });
  await rename(`${file}.new`, file);
}
