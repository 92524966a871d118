/** Reads kubeconfig files, and what a pod finds in itself. Relative paths in a file are relative to that file. */
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { parse, stringify } from "yaml";
import type { ConnectionConfig } from "./http-connection.ts";

export interface Kubeconfig {
  connection: ConnectionConfig;
  /** The context's namespace, "default" if it names none. */
  namespace: string;
  context: string;
  user: string;
  cluster: string;
}

export interface KubeconfigFile {
  "current-context"?: string;
  contexts?: readonly { name: string; context: { cluster: string; user: string; namespace?: string } }[];
  clusters?: readonly { name: string; cluster: ClusterEntry }[];
  users?: readonly { name: string; user: UserEntry }[];
}

interface ClusterEntry {
  server: string;
  "certificate-authority"?: string;
  "certificate-authority-data"?: string;
  "insecure-skip-tls-verify"?: boolean;
  "tls-server-name"?: string;
}

interface UserEntry {
  "client-certificate"?: string;
  "client-certificate-data"?: string;
  "client-key"?: string;
  "client-key-data"?: string;
  token?: string;
  tokenFile?: string;
  username?: string;
  password?: string;
  exec?: unknown;
}

export interface LoadOptions {
  /** Default the current context of the file. */
  context?: string | undefined;
  cluster?: string | undefined;
  user?: string | undefined;
}

/** Fails with a sentence that says what the file lacks. */
export function loadKubeconfig(file: string, options: LoadOptions = {}): Kubeconfig {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(`cannot read kubeconfig ${file}`, { cause: error });
  }
  return parseKubeconfig(text, file, options);
}

/** What of a choice the file does not have, as a sentence; undefined if it has all, or is no readable file. */
export function missingEntry(file: string, { context, cluster, user }: LoadOptions): string | undefined {
  let config: KubeconfigFile;
  try {
    config = (parse(readFileSync(file, "utf8")) ?? {}) as KubeconfigFile;
  } catch {
    return undefined;
  }
  const has = (entries: readonly { name: string }[] | undefined, name: string) =>
    entries?.some((one) => one.name === name) === true;
  if (context !== undefined && !has(config.contexts, context))
    return `context was not found for specified context: ${context}`;
  if (cluster !== undefined && !has(config.clusters, cluster)) return `cluster "${cluster}" does not exist`;
  if (user !== undefined && !has(config.users, user)) return `auth info "${user}" does not exist`;
  return undefined;
}

/** `file` is for messages and for relative paths. */
export function parseKubeconfig(text: string, file: string, options: LoadOptions = {}): Kubeconfig {
  const config = (parse(text) ?? {}) as KubeconfigFile;
  const context = options.context ?? config["current-context"] ?? "";
  const entry = config.contexts?.find(({ name }) => name === context)?.context;
  if (entry === undefined && (options.cluster === undefined || options.user === undefined))
    throw new Error(context === "" ? `${file} names no current context` : `${file} has no context ${context}`);
  const clusterName = options.cluster ?? entry?.cluster ?? "";
  const userName = options.user ?? entry?.user ?? "";
  const cluster = config.clusters?.find(({ name }) => name === clusterName)?.cluster;
  if (cluster === undefined) throw new Error(`${file} has no cluster ${clusterName}`);
  const user = config.users?.find(({ name }) => name === userName)?.user;
  if (user === undefined && userName !== "") throw new Error(`${file} has no user ${userName}`);
  const connection = connectionOf(cluster, user ?? {}, path.dirname(path.resolve(file)));
  return { connection, namespace: entry?.namespace ?? "default", context, user: userName, cluster: clusterName };
}

function connectionOf(cluster: ClusterEntry, user: UserEntry, directory: string): ConnectionConfig {
  const material = (data: string | undefined, file: string | undefined): string | undefined => {
    if (data !== undefined && data !== "") return Buffer.from(data, "base64").toString("utf8");
    return file === undefined || file === "" ? undefined : readFileSync(path.resolve(directory, file), "utf8");
  };
  if (user.exec !== undefined) throw new Error("credential plugins (user.exec) are not supported");
  return {
    server: cluster.server,
    ca: material(cluster["certificate-authority-data"], cluster["certificate-authority"]),
    insecureSkipTlsVerify: cluster["insecure-skip-tls-verify"],
    serverName: cluster["tls-server-name"],
    cert: material(user["client-certificate-data"], user["client-certificate"]),
    key: material(user["client-key-data"], user["client-key"]),
    token: user.token,
    tokenFile: user.tokenFile === undefined ? undefined : path.resolve(directory, user.tokenFile),
    username: user.username,
    password: user.password,
  };
}

/** Where kubectl looks: the first existing file of $KUBECONFIG, else ~/.kube/config. */
export function kubeconfigCandidates(environment: NodeJS.ProcessEnv): string[] {
  const listed = (environment["KUBECONFIG"] ?? "").split(path.delimiter).filter((file) => file !== "");
  return listed.length > 0 ? listed : [path.join(environment["HOME"] ?? homedir(), ".kube", "config")];
}

const podFiles = "/var/run/secrets/kubernetes.io/serviceaccount";

/** What a pod's own service account gives; undefined outside of a cluster. */
export function inClusterConfig(environment: NodeJS.ProcessEnv, directory = podFiles): Kubeconfig | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = environment;
  if (host === undefined || host === "" || port === undefined) return undefined;
  const file = (name: string): string => path.join(directory, name);
  const server = `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
  const connection = { server, ca: readFileSync(file("ca.crt"), "utf8"), tokenFile: file("token") };
  const namespace = readFileSync(file("namespace"), "utf8").trim();
  return { connection, namespace, context: "", user: "", cluster: "" };
}

/** The text of a kubeconfig with one cluster, one user and one context, all of one name. */
export function kubeconfigText(name: string, connection: ConnectionConfig, namespace?: string): string {
  const { server, ca, cert, key, token, insecureSkipTlsVerify } = connection;
  const data = (field: string, pem: string | undefined): Record<string, string> =>
    pem === undefined ? {} : { [field]: Buffer.from(pem).toString("base64") };
  const skip = insecureSkipTlsVerify === true ? { "insecure-skip-tls-verify": true } : {};
  const cluster = { server, ...data("certificate-authority-data", ca), ...skip };
  const user = {
    ...data("client-certificate-data", cert),
    ...data("client-key-data", key),
    ...(token === undefined ? {} : { token }),
  };
  const context = { cluster: name, user: name, ...(namespace === undefined ? {} : { namespace }) };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster }],
    users: [{ name, user }],
    contexts: [{ name, context }],
    "current-context": name,
  };
  return stringify(config, { lineWidth: 0, indentSeq: false });
}
