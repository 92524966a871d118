/** A command's way to the cluster: which kubeconfig, context and namespace the flags and the environment mean. */
import { existsSync } from "node:fs";
import { Client } from "#client/client.ts";
import { Discovery } from "#client/discovery.ts";
import { HttpTransport } from "#client/http-transport.ts";
import {
  type Kubeconfig,
  inClusterConfig,
  kubeconfigCandidates,
  loadKubeconfig,
  missingEntry,
} from "#client/kubeconfig.ts";
import { type Flag, type Invocation, PlainError, UsageError } from "./command.ts";

/** Where `capstan server` writes the administrator's kubeconfig: used when nothing else is configured. */
export const serverKubeconfig = "/etc/capstan/capstan.yaml";

export const sessionFlags: readonly Flag[] = [
  { name: "kubeconfig", type: "string", placeholder: "FILE", help: "Path to the kubeconfig file to use" },
  { name: "context", type: "string", placeholder: "NAME", help: "The kubeconfig context to use" },
  { name: "cluster", type: "string", placeholder: "NAME", help: "The kubeconfig cluster to use" },
  { name: "user", type: "string", placeholder: "NAME", help: "The kubeconfig user to use" },
  { name: "server", short: "s", type: "string", placeholder: "URL", help: "The address and port of the API server" },
  { name: "token", type: "string", placeholder: "TOKEN", help: "Bearer token for authentication to the API server" },
  { name: "insecure-skip-tls-verify", type: "boolean", help: "Do not check the server's certificate" },
  { name: "as", type: "string", placeholder: "USER", help: "User to impersonate" },
  { name: "as-group", type: "strings", placeholder: "GROUP", help: "Group to impersonate; may be repeated" },
  { name: "namespace", short: "n", type: "string", placeholder: "NAME", help: "The namespace of this request" },
];

export interface Session {
  client: Client;
  discovery: Discovery;
  kubeconfig: Kubeconfig;
  /** The namespace of the request. */
  namespace: string;
  /** Ends the connection. */
  close(): void;
}

/** Throws UsageError where no cluster is configured. */
export function openSession({ flags, io }: Invocation): Session {
  const kubeconfig = findKubeconfig(flags, io.env);
  const connection = { ...kubeconfig.connection };
  if (flags.given("server")) connection.server = flags.string("server");
  if (flags.given("token")) connection.token = flags.string("token");
  if (flags.given("insecure-skip-tls-verify"))
    connection.insecureSkipTlsVerify = flags.boolean("insecure-skip-tls-verify");
  const impersonation: Record<string, string | string[]> = flags.given("as")
    ? { "impersonate-user": flags.string("as"), "impersonate-group": flags.strings("as-group") }
    : {};
  const transport = new HttpTransport(connection, { userAgent: "capstan", headers: impersonation });
  const client = new Client(transport, { onWarning: (text) => io.stderr(`Warning: ${text}\n`) });
  return {
    client,
    discovery: new Discovery(client),
    kubeconfig,
    namespace: flags.given("namespace") ? flags.string("namespace") : kubeconfig.namespace,
    close: () => transport.close(),
  };
}

/** Opens a session, does something with it and closes it, whatever comes of it. */
export async function withSession<T>(invocation: Invocation, act: (session: Session) => Promise<T>): Promise<T> {
  const session = openSession(invocation);
  try {
    return await act(session);
  } finally {
    session.close();
  }
}

function findKubeconfig(flags: Invocation["flags"], env: Invocation["io"]["env"]): Kubeconfig {
  const choice = {
    context: flags.string("context") || undefined,
    cluster: flags.string("cluster") || undefined,
    user: flags.string("user") || undefined,
  };
  if (flags.given("kubeconfig")) return load(flags.string("kubeconfig"), choice);
  const candidates = [...kubeconfigCandidates(env as NodeJS.ProcessEnv), serverKubeconfig];
  const found = candidates.find((file) => existsSync(file));
  if (found !== undefined) return load(found, choice);
  const inCluster = inClusterConfig(env as NodeJS.ProcessEnv);
  if (inCluster !== undefined) return inCluster;
  throw new UsageError(
    `no cluster is configured: set KUBECONFIG or give --kubeconfig (looked for ${candidates.join(", ")})`,
  );
}

/** A context, cluster or user that was asked for and is not there is named in kubectl's words. */
function load(
  file: string,
  choice: { context: string | undefined; cluster: string | undefined; user: string | undefined },
): Kubeconfig {
  const missing = missingEntry(file, choice);
  if (missing !== undefined) throw new PlainError(`Error in configuration: ${missing}`);
  return loadKubeconfig(file, choice);
}
