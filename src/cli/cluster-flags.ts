/**
 * Flags of `capstan server` and `capstan agent`, named as k3s names them where it has the same thing. A value comes from
 * the command line, else from CAPSTAN_* in the environment, else from the YAML file of --config, else from the default.
 */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { type Flag, FlagValues, UsageError, parseArguments } from "./command.ts";

const common: readonly Flag[] = [
  {
    name: "config",
    short: "c",
    type: "string",
    default: "/etc/capstan/config.yaml",
    placeholder: "FILE",
    help: "YAML file with the same keys as these flags",
  },
  {
    name: "data-dir",
    short: "d",
    type: "string",
    default: "/var/lib/capstan",
    placeholder: "DIR",
    help: "Where all state is kept",
  },
  {
    name: "token",
    short: "t",
    type: "string",
    placeholder: "TOKEN",
    help: "Secret with which nodes join; made at first start if not given",
  },
  { name: "node-name", type: "string", placeholder: "NAME", help: "Name of this node (default: the host's name)" },
  {
    name: "node-ip",
    short: "i",
    type: "string",
    placeholder: "IP",
    help: "Address that this node announces (default: that of the default route)",
  },
  {
    name: "node-label",
    type: "strings",
    placeholder: "KEY=VALUE",
    help: "Label to register this node with; may be repeated",
  },
  {
    name: "node-taint",
    type: "strings",
    placeholder: "KEY=VALUE:EFFECT",
    help: "Taint to register this node with; may be repeated",
  },
  {
    name: "container-runtime-endpoint",
    type: "string",
    placeholder: "SOCKET",
    help: "Use a CRI runtime that runs already instead of starting containerd",
  },
  {
    name: "default-runtime",
    type: "string",
    placeholder: "crun|runc",
    help: "Low-level runtime of pods that name none (default: crun where it works, else runc)",
  },
  { name: "kubelet-port", type: "integer", default: 10250, placeholder: "PORT", help: "Port of the node's own API" },
  {
    name: "resolv-conf",
    type: "string",
    default: "/etc/resolv.conf",
    placeholder: "FILE",
    help: "Where the upstream name servers stand",
  },
  {
    name: "disable",
    type: "strings",
    placeholder: "PART",
    help: "Part to leave out: dns, proxy, network or git; may be repeated",
  },
  { name: "debug", type: "boolean", help: "Log more" },
];

const serverOnly: readonly Flag[] = [
  { name: "https-listen-port", type: "integer", default: 6443, placeholder: "PORT", help: "Port of the API server" },
  {
    name: "bind-address",
    type: "string",
    default: "0.0.0.0",
    placeholder: "IP",
    help: "Address that the API server listens on",
  },
  {
    name: "tls-san",
    type: "strings",
    placeholder: "NAME",
    help: "Further host name or address in the API server's certificate; may be repeated",
  },
  {
    name: "write-kubeconfig",
    short: "o",
    type: "string",
    default: "/etc/capstan/capstan.yaml",
    placeholder: "FILE",
    help: "Where the administrator's kubeconfig is written",
  },
  { name: "cluster-cidr", type: "string", default: "10.42.0.0/16", placeholder: "CIDR", help: "Addresses of pods" },
  { name: "service-cidr", type: "string", default: "10.43.0.0/16", placeholder: "CIDR", help: "Addresses of Services" },
  {
    name: "service-node-port-range",
    type: "string",
    default: "30000-32767",
    placeholder: "RANGE",
    help: "Ports of NodePort Services",
  },
  {
    name: "cluster-dns",
    type: "string",
    placeholder: "IP",
    help: "Address of the cluster's DNS (default: the tenth of --service-cidr)",
  },
  {
    name: "cluster-domain",
    type: "string",
    default: "cluster.local",
    placeholder: "NAME",
    help: "Domain of the cluster's DNS names",
  },
  { name: "git", type: "string", placeholder: "URL|PATH", help: "Repository that holds the desired state" },
  { name: "git-branch", type: "string", default: "main", placeholder: "NAME", help: "Branch to follow" },
  { name: "git-path", type: "string", default: "./", placeholder: "PATH", help: "Folder in the repository" },
  {
    name: "git-interval",
    type: "duration",
    default: "1m",
    help: "How often a remote repository is asked for news",
  },
  { name: "disable-agent", type: "boolean", help: "Run no pods on this machine" },
  { name: "disable-scheduler", type: "boolean", help: "Run no scheduler" },
  { name: "disable-controller-manager", type: "boolean", help: "Run no controllers" },
];

const agentOnly: readonly Flag[] = [
  {
    name: "server",
    short: "s",
    type: "string",
    placeholder: "URL",
    help: "The API server to join, e.g. https://first:6443",
  },
];

export const serverFlags: readonly Flag[] = [...common, ...serverOnly];
export const agentFlags: readonly Flag[] = [...common, ...agentOnly];
export const disableParts: readonly string[] = ["dns", "proxy", "network", "git"];

/** Throws UsageError for unknown flags, keys and parts. */
export function readClusterFlags(
  argv: readonly string[],
  flags: readonly Flag[],
  env: Readonly<Record<string, string | undefined>>,
): FlagValues {
  const { args, flags: given } = parseArguments(argv, flags);
  if (args.length > 0) throw new UsageError(`unexpected argument "${args[0]}"`);
  const configFile = given.given("config") ? given.string("config") : (env["CAPSTAN_CONFIG"] ?? given.string("config"));
  const fromFile = readConfigFile(configFile, flags, given.given("config") || env["CAPSTAN_CONFIG"] !== undefined);
  const fromEnvironment = flags.flatMap((flag) => {
    const value = env[environmentName(flag)];
    return value === undefined || value === ""
      ? []
      : flag.type === "strings"
        ? value.split(",").map((one) => `--${flag.name}=${one}`)
        : [`--${flag.name}=${value}`];
  });
  const stronger = (weak: string[], strong: readonly string[]) => {
    const named = new Set(strong.map((word) => word.split("=")[0]));
    return [...weak.filter((word) => !named.has(word.split("=")[0])), ...strong];
  };
  const commandLine = flags.filter((flag) => given.given(flag.name)).flatMap((flag) => asWords(flag, given));
  const merged = parseArguments(stronger(stronger(fromFile, fromEnvironment), commandLine), flags).flags;
  const wrongPart = merged
    .strings("disable")
    .flatMap((part) => part.split(","))
    .find((part) => !disableParts.includes(part));
  if (wrongPart !== undefined)
    throw new UsageError(`--disable ${wrongPart}: no such part; parts are ${disableParts.join(", ")}`);
  return merged;
}

const environmentName = (flag: Flag) => `CAPSTAN_${flag.name.replaceAll("-", "_").toUpperCase()}`;

function asWords(flag: Flag, values: FlagValues): string[] {
  switch (flag.type) {
    case "strings":
      return values.strings(flag.name).map((value) => `--${flag.name}=${value}`);
    case "boolean":
      return [`--${flag.name}=${values.boolean(flag.name)}`];
    case "integer":
      return [`--${flag.name}=${values.integer(flag.name)}`];
    case "duration":
      return [`--${flag.name}=${values.durationMs(flag.name)}ms`];
    case "string":
      return [`--${flag.name}=${values.string(flag.name)}`];
  }
}

function readConfigFile(path: string, flags: readonly Flag[], mustExist: boolean): string[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (!mustExist && (error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new UsageError(`--config ${path}: ${(error as Error).message}`);
  }
  const content: unknown = parse(text) ?? {};
  if (typeof content !== "object" || content === null || Array.isArray(content))
    throw new UsageError(`--config ${path}: must be a YAML mapping of flags`);
  return Object.entries(content).flatMap(([key, value]) => {
    const flag = flags.find(({ name }) => name === key);
    if (flag === undefined) throw new UsageError(`--config ${path}: unknown key "${key}"`);
    return (Array.isArray(value) ? value : [value]).map((one) => `--${key}=${String(one)}`);
  });
}
