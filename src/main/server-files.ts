/** What a server keeps below its data directory beside the store: token, hook secret, certificates, kubeconfig. */
import { randomBytes, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { kubeconfigText } from "#client/kubeconfig.ts";

export const serverPaths = (dataDir: string) => ({
  store: join(dataDir, "server/store"),
  pki: join(dataDir, "server/tls"),
  token: join(dataDir, "server/token"),
  hook: join(dataDir, "server/hook"),
  identity: join(dataDir, "server/identity"),
  git: join(dataDir, "server/git"),
  running: join(dataDir, "server/running"),
});

/** The secret in `file`: what the user gave, else what is there, else a new one. */
export async function keepSecret(file: string, given: string): Promise<string> {
  if (given !== "") return given.startsWith("K10") ? given.slice(given.indexOf("::node:") + "::node:".length) : given;
  if (existsSync(file)) {
    const kept = (await readFile(file, "utf8")).trim();
    return kept.startsWith("K10") ? kept.slice(kept.indexOf("::node:") + "::node:".length) : kept;
  }
  return randomBytes(24).toString("hex");
}

/** Who this server is among its peers: the machine's name and what its data directory remembers. */
export async function keepIdentity(file: string, host: string): Promise<string> {
  const kept = existsSync(file) ? (await readFile(file, "utf8")).trim() : "";
  if (kept !== "") return kept;
  const identity = `${host}_${randomUUID()}`;
  await writePrivateFile(file, `${identity}\n`);
  return identity;
}

export async function writePrivateFile(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(`${file}.new`, text, { mode: 0o600, flush: true });
  await rename(`${file}.new`, file);
}

export async function writeKubeconfig(
  file: string,
  server: string,
  ca: string,
  pair: { cert: string; key: string },
): Promise<void> {
  await writePrivateFile(file, kubeconfigText("capstan", { server, ca, cert: pair.cert, key: pair.key }));
}
