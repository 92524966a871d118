/** Names and addresses of a pod: DNS, host aliases, host name, host ports. */
import type { V1Container, V1PodDNSConfig, V1PodSpec } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { isLongerThan } from "#api/go-text.ts";
import { duplicate, forbidden, invalid, invalidEach, required, tooLong } from "#api/validation/field-errors.ts";
import { isPortName, isPortNumber } from "#api/validation/formats.ts";
import { ipErrors } from "#api/validation/ip.ts";
import { isDns1123SubdomainWithUnderscore } from "#api/validation/names.ts";
import { dnsLabel, dnsSubdomain, oneOf } from "#api/validation/values.ts";

export const dnsNameserversMax = 3;
export const dnsSearchesMax = 32;
export const dnsSearchCharactersMax = 2048;
export const hostnameOverrideBytesMax = 64;

const protocols = ["SCTP", "TCP", "UDP"];

export function portsErrors(ports: NonNullable<V1Container["ports"]>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [index, { name = "", containerPort = 0, hostPort = 0, protocol }] of ports.entries()) {
    const at = `${path}[${index}]`;
    if (name !== "") {
      const faults = isPortName(name);
      errors.push(...invalidEach(`${at}.name`, name, faults));
      if (faults.length === 0 && names.has(name)) errors.push(duplicate(`${at}.name`, name));
      if (faults.length === 0) names.add(name);
    }
    if (containerPort === 0) errors.push(required(`${at}.containerPort`));
    else errors.push(...invalidEach(`${at}.containerPort`, containerPort, isPortNumber(containerPort)));
    if (hostPort !== 0) errors.push(...invalidEach(`${at}.hostPort`, hostPort, isPortNumber(hostPort)));
    errors.push(...oneOf(`${at}.protocol`, protocol, protocols));
  }
  return errors;
}

/** A host port is taken once. `path` is that of the list; an init container alone counts from 0. */
export function hostPortConflicts(containers: readonly V1Container[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  const taken = new Set<string>();
  for (const [index, { ports = [] }] of containers.entries())
    for (const [portIndex, { protocol, hostIP = "", hostPort = 0 }] of ports.entries()) {
      if (hostPort === 0) continue;
      const key = `${protocol}/${hostIP}/${hostPort}`;
      if (taken.has(key)) errors.push(duplicate(`${path}[${index}].ports[${portIndex}].hostPort`, key));
      taken.add(key);
    }
  return errors;
}

/** With the host's network a host port is the container's port. A template may leave it open. */
export function hostNetworkErrors({ hostNetwork, containers }: V1PodSpec, isPod: boolean, path: string): FieldError[] {
  if (hostNetwork !== true) return [];
  return (containers ?? []).flatMap(({ ports = [] }, index) =>
    ports.flatMap(({ hostPort = 0, containerPort }, portIndex) =>
      hostPort !== containerPort && (isPod || hostPort !== 0)
        ? [
            invalid(
              `${path}.containers[${index}].ports[${portIndex}].hostPort`,
              hostPort,
              "must match `containerPort` when `hostNetwork` is true",
            ),
          ]
        : [],
    ),
  );
}

export const dnsPolicies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];

export function dnsConfigErrors(
  config: V1PodDNSConfig | undefined,
  policy: string | undefined,
  path: string,
): FieldError[] {
  if (policy === "None" && config === undefined)
    return [required(path, "must provide `dnsConfig` when `dnsPolicy` is None")];
  if (config === undefined) return [];
  const { nameservers = [], searches = [], options = [] } = config;
  if (policy === "None" && nameservers.length === 0) {
    const text = "must provide at least one DNS nameserver when `dnsPolicy` is None";
    return [required(`${path}.nameservers`, text)];
  }
  const errors: FieldError[] = [];
  if (nameservers.length > dnsNameserversMax)
    errors.push(
      invalid(`${path}.nameservers`, nameservers, `must not have more than ${dnsNameserversMax} nameservers`),
    );
  for (const [index, address] of nameservers.entries())
    errors.push(...ipErrors(`${path}.nameservers[${index}]`, address));
  errors.push(...searchesErrors(searches, `${path}.searches`));
  for (const [index, { name = "" }] of options.entries())
    if (name === "") errors.push(required(`${path}.options[${index}]`, "must not be empty"));
  return errors;
}

function searchesErrors(searches: readonly string[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (searches.length > dnsSearchesMax)
    errors.push(invalid(path, searches, `must not have more than ${dnsSearchesMax} search paths`));
  if (Buffer.byteLength(searches.join(" ")) > dnsSearchCharactersMax) {
    const text = `must not have more than ${dnsSearchCharactersMax} characters (including spaces) in the search list`;
    errors.push(invalid(path, searches, text));
  }
  for (const [index, search] of searches.entries()) {
    if (search === ".") continue;
    const name = search.endsWith(".") ? search.slice(0, -1) : search;
    errors.push(...invalidEach(`${path}[${index}]`, name, isDns1123SubdomainWithUnderscore(name)));
  }
  return errors;
}

export function hostAliasesErrors(aliases: NonNullable<V1PodSpec["hostAliases"]>, path: string): FieldError[] {
  return aliases.flatMap(({ ip = "", hostnames = [] }, index) => [
    ...ipErrors(`${path}[${index}].ip`, ip),
    ...hostnames.flatMap((name, at) => dnsSubdomain(`${path}[${index}].hostnames[${at}]`, name)),
  ]);
}

export function hostnameErrors({ hostname = "", subdomain = "" }: V1PodSpec, path: string): FieldError[] {
  return [
    ...(hostname === "" ? [] : dnsLabel(`${path}.hostname`, hostname)),
    ...(subdomain === "" ? [] : dnsLabel(`${path}.subdomain`, subdomain)),
  ];
}

export function hostnameOverrideErrors(spec: V1PodSpec, path: string): FieldError[] {
  const { hostnameOverride: override } = spec;
  if (override === undefined) return [];
  const at = `${path}.hostnameOverride`;
  const errors: FieldError[] = [];
  if (spec.setHostnameAsFQDN === true)
    errors.push(forbidden(at, "may not be specified when setHostnameAsFQDN is true"));
  if (spec.hostNetwork === true) errors.push(forbidden(at, "may not be specified when hostNetwork is true"));
  if (isLongerThan(override, hostnameOverrideBytesMax)) errors.push(tooLong(at, hostnameOverrideBytesMax));
  return [...errors, ...dnsSubdomain(at, override)];
}
