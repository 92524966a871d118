/** Picks the credentials for an image out of a pod's pull secrets. Pure. Upstream: pkg/credentialprovider/keyring.go. */
import type { Secret } from "#api/core/secret.ts";
import type { RegistryCredentials } from "#agent/runtime/cri-types.ts";
import type { ImageName } from "./image-name.ts";

interface Entry {
  username?: string;
  password?: string;
  auth?: string;
  identitytoken?: string;
  registrytoken?: string;
}

/** Those of the most specific registry path first. */
export function credentialsFor(name: ImageName, secrets: readonly Secret[]): Partial<RegistryCredentials>[] {
  return secrets
    .flatMap(entriesOf)
    .filter(([server]) => covers(server, name))
    .toSorted(([a], [b]) => withoutScheme(b).length - withoutScheme(a).length)
    .map(([server, entry]) => credentialsOf(server, entry));
}

function entriesOf({ type, data = {} }: Secret): [string, Entry][] {
  try {
    if (type === "kubernetes.io/dockerconfigjson") {
      const { auths = {} } = JSON.parse(decode(data[".dockerconfigjson"])) as { auths?: Record<string, Entry> };
      return Object.entries(auths);
    }
    if (type === "kubernetes.io/dockercfg")
      return Object.entries(JSON.parse(decode(data[".dockercfg"])) as Record<string, Entry>);
  } catch {
    // A secret that is no valid file gives no credentials.
  }
  return [];
}

const decode = (base64: string | undefined): string => Buffer.from(base64 ?? "", "base64").toString("utf8");

const withoutScheme = (server: string): string => server.replace(/^https?:\/\//, "").replace(/\/v[12]\/?$/, "");

function covers(server: string, { registry, repository }: ImageName): boolean {
  const [host = "", ...path] = withoutScheme(server).split("/");
  const wanted = host === "index.docker.io" ? "docker.io" : host;
  const pattern = new RegExp(`^${wanted.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", "[^.:]*")}$`);
  const prefix = path.filter((part) => part !== "").join("/");
  return pattern.test(registry) && (prefix === "" || repository === prefix || repository.startsWith(`${prefix}/`));
}

function credentialsOf(serverAddress: string, entry: Entry): Partial<RegistryCredentials> {
  const [username, ...rest] = entry.auth === undefined ? [] : decode(entry.auth).split(":");
  return {
    serverAddress,
    username: entry.username ?? username ?? "",
    password: entry.password ?? rest.join(":"),
    identityToken: entry.identitytoken ?? "",
    registryToken: entry.registrytoken ?? "",
  };
}
