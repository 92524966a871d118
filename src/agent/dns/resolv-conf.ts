/**
 * Which resolver settings a pod gets, from its dnsPolicy and dnsConfig and the node's own resolv.conf.
 * Upstream: pkg/kubelet/network/dns/dns.go.
 */
import type { V1PodDNSConfig } from "#api/generated/types.ts";

export interface ResolverSettings {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

export interface PodResolverInput {
  readonly namespace: string;
  readonly dnsPolicy?: string;
  readonly dnsConfig?: V1PodDNSConfig;
  readonly hostNetwork?: boolean;
  /** Addresses of the cluster's DNS; without one, ClusterFirst is as good as Default. */
  readonly clusterDns: readonly string[];
  /** "cluster.local" */
  readonly clusterDomain: string;
  /** The text of the node's resolv.conf. */
  readonly hostResolvConf: string;
}

export interface PodResolver extends ResolverSettings {
  /** What was left out or could not be had, for events on the pod. */
  readonly warnings: readonly string[];
}

const serversMax = 3;
const searchesMax = 32;
const searchCharsMax = 2_048;

export function podResolver(input: PodResolverInput): PodResolver {
  const host = parseResolvConf(input.hostResolvConf);
  const warnings: string[] = [];
  const base = baseSettings(input, host, warnings);
  const { nameservers = [], searches = [], options = [] } = input.dnsConfig ?? {};
  const merged: ResolverSettings = {
    servers: unique([...base.servers, ...nameservers]),
    searches: unique([...base.searches, ...searches]),
    options: mergeOptions(
      base.options,
      options.flatMap(({ name = "", value }) => {
        if (name === "") return [];
        return [value === undefined || value === "" ? name : `${name}:${value}`];
      }),
    ),
  };
  return { ...fit(merged, warnings), warnings };
}

/** The file's text, in the order in which container runtimes write it. */
export function formatResolvConf({ servers, searches, options }: ResolverSettings): string {
  const lines = [
    ...(searches.length > 0 ? [`search ${searches.join(" ")}`] : []),
    ...servers.map((server) => `nameserver ${server}`),
    ...(options.length > 0 ? [`options ${options.join(" ")}`] : []),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

export function parseResolvConf(text: string): ResolverSettings {
  const servers: string[] = [];
  let searches: string[] = [];
  const options: string[] = [];
  for (const line of text.split("\n")) {
    const [word = "", ...values] = line
      .replace(/[#;].*$/, "")
      .trim()
      .split(/\s+/);
    if (word === "nameserver" && values[0] !== undefined) servers.push(values[0]);
    else if (word === "search") searches = values.map(withoutFinalDot);
    else if (word === "options") options.push(...values);
  }
  return { servers, searches, options };
}

function baseSettings(input: PodResolverInput, host: ResolverSettings, warnings: string[]): ResolverSettings {
  const { dnsPolicy = "ClusterFirst", hostNetwork = false, clusterDns, clusterDomain, namespace } = input;
  if (dnsPolicy === "None") return { servers: [], searches: [], options: [] };
  const wantsCluster = dnsPolicy === "ClusterFirstWithHostNet" || (dnsPolicy === "ClusterFirst" && !hostNetwork);
  if (!wantsCluster) return host;
  if (clusterDns.length === 0) {
    warnings.push(
      `there is no cluster DNS address; the pod cannot be created using "${dnsPolicy}" policy, falling back to "Default" policy`,
    );
    return host;
  }
  const clusterSearches = clusterDomain === "" ? [] : [`${namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`];
  const last = clusterDomain === "" ? [] : [clusterDomain];
  return {
    servers: clusterDns,
    searches: unique([...clusterSearches, ...last, ...host.searches]),
    options: ["ndots:5"],
  };
}

/** A pod's option takes the place of one with the same name. */
function mergeOptions(base: readonly string[], own: readonly string[]): string[] {
  const byName = new Map<string, string>();
  for (const option of [...base, ...own]) byName.set(option.split(":", 1)[0] ?? option, option);
  return [...byName.values()];
}

function fit({ servers, searches, options }: ResolverSettings, warnings: string[]): ResolverSettings {
  const kept = servers.slice(0, serversMax);
  if (kept.length < servers.length)
    warnings.push(
      `Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${kept.join(" ")}`,
    );
  let fitting = searches.slice(0, searchesMax);
  while (fitting.join(" ").length > searchCharsMax) fitting = fitting.slice(0, -1);
  if (fitting.length < searches.length)
    warnings.push(
      `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${fitting.join(" ")}`,
    );
  return { servers: kept, searches: fitting, options };
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}

function withoutFinalDot(domain: string): string {
  return domain.length > 1 && domain.endsWith(".") ? domain.slice(0, -1) : domain;
}
