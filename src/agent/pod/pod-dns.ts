/** A pod's resolv.conf, host name and hosts file. Pure. Upstream: pkg/kubelet/network/dns, kubelet_pods.go. */
import type { Pod } from "#api/core/pod.ts";

export interface DnsSettings {
  servers: string[];
  searches: string[];
  options: string[];
}

export interface ClusterDns {
  readonly servers: readonly string[];
  readonly domain: string;
}

/** The kernel's C library reads no more. */
const serversMax = 3;
const searchesMax = 32;
const searchCharactersMax = 2048;

export function parseResolvConf(text: string): DnsSettings {
  const settings: DnsSettings = { servers: [], searches: [], options: [] };
  for (const line of text.split("\n")) {
    const [keyword, ...words] = line
      .replace(/[#;].*/, "")
      .trim()
      .split(/\s+/);
    if (keyword === "nameserver" && words[0] !== undefined) settings.servers.push(words[0]);
    if (keyword === "search" || keyword === "domain")
      settings.searches = words.map((word) => (word === "." ? word : word.replace(/\.$/, "")));
    if (keyword === "options") settings.options = words;
  }
  return settings;
}

export function podDns(pod: Pod, cluster: ClusterDns, host: DnsSettings): DnsSettings {
  const { dnsConfig } = pod.spec ?? {};
  const base = dnsBase(pod, cluster, host);
  const servers = unique([...base.servers, ...(dnsConfig?.nameservers ?? [])]);
  const searches = unique([...base.searches, ...(dnsConfig?.searches ?? [])]);
  const options = mergeOptions(base.options, dnsConfig?.options ?? []);
  return { servers: servers.slice(0, serversMax), searches: fit(searches), options };
}

function dnsBase(pod: Pod, { servers, domain }: ClusterDns, host: DnsSettings): DnsSettings {
  const { dnsPolicy = "ClusterFirst", hostNetwork } = pod.spec ?? {};
  if (dnsPolicy === "None") return { servers: [], searches: [], options: [] };
  const first = dnsPolicy === "ClusterFirstWithHostNet" || (dnsPolicy === "ClusterFirst" && hostNetwork !== true);
  if (!first || servers.length === 0) return host;
  const { namespace = "" } = pod.metadata;
  const own = [`${namespace}.svc.${domain}`, `svc.${domain}`, domain];
  return { servers: [...servers], searches: [...own, ...host.searches], options: ["ndots:5"] };
}

const unique = (texts: readonly string[]): string[] => [...new Set(texts)];

/** A later option of the same name takes the place of the earlier one. */
function mergeOptions(base: readonly string[], more: readonly { name?: string; value?: string }[]): string[] {
  const options = new Map(base.map((text) => [text.split(":")[0] ?? text, text]));
  for (const { name = "", value } of more)
    options.set(name, value === undefined || value === "" ? name : `${name}:${value}`);
  return [...options.values()];
}

function fit(searches: readonly string[]): string[] {
  let characters = 0;
  return searches.slice(0, searchesMax).filter((search) => (characters += search.length + 1) <= searchCharactersMax);
}

export interface PodHostName {
  /** What the kernel calls the pod's host. */
  readonly kernel: string;
  readonly short: string;
  /** Undefined without a subdomain. */
  readonly full: string | undefined;
}

const hostNameCharactersMax = 63;

export function podHostName(pod: Pod, domain: string): PodHostName {
  const { hostname, subdomain, setHostnameAsFQDN, hostnameOverride } = pod.spec ?? {};
  const { name = "", namespace = "" } = pod.metadata;
  if (hostnameOverride !== undefined) return { kernel: hostnameOverride, short: hostnameOverride, full: undefined };
  const short =
    hostname !== undefined && hostname !== "" ? hostname : name.slice(0, hostNameCharactersMax).replace(/[-.]+$/, "");
  const full =
    subdomain !== undefined && subdomain !== "" ? `${short}.${subdomain}.${namespace}.svc.${domain}` : undefined;
  return { kernel: setHostnameAsFQDN === true && full !== undefined ? full : short, short, full };
}

const standardHosts = `127.0.0.1	localhost
::1	localhost ip6-localhost ip6-loopback
fe00::0	ip6-localnet
fe00::0	ip6-mcastprefix
fe00::1	ip6-allnodes
fe00::2	ip6-allrouters
`;

/** `nodeHosts`: the node's own file, for pods in its network. */
export function hostsFile(pod: Pod, ips: readonly string[], domain: string, nodeHosts: string): string {
  const aliases = (pod.spec?.hostAliases ?? []).map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join("\t")}\n`);
  const added = aliases.length === 0 ? "" : `\n# Entries added by HostAliases.\n${aliases.join("")}`;
  if (pod.spec?.hostNetwork === true) return `# Kubernetes-managed hosts file (host network).\n${nodeHosts}${added}`;
  const { short, full } = podHostName(pod, domain);
  const names = full === undefined ? short : `${full}\t${short}`;
  const own = ips.map((ip) => `${ip}\t${names}\n`).join("");
  return `# Kubernetes-managed hosts file.\n${standardHosts}${own}${added}`;
}
