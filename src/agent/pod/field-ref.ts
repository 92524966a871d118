/** Values that a container can have from its own pod: fieldRef and resourceFieldRef. Upstream: pkg/fieldpath, api/v1/resource. */
import type { Pod } from "#api/core/pod.ts";
import type { V1ResourceFieldSelector } from "#api/generated/types.ts";
import { toQuantity } from "#api/quantity.ts";
import { containersOf } from "./containers-of.ts";

export interface PodAddresses {
  readonly podIps: readonly string[];
  readonly hostIps: readonly string[];
}

export function fieldValue(pod: Pod, path: string, { podIps, hostIps }: PodAddresses): string {
  const { metadata, spec } = pod;
  const entry = path.match(/^metadata\.(labels|annotations)\['(.*)'\]$/);
  if (entry !== null) return metadata[entry[1] as "labels" | "annotations"]?.[entry[2] ?? ""] ?? "";
  switch (path) {
    case "metadata.name":
      return metadata.name ?? "";
    case "metadata.namespace":
      return metadata.namespace ?? "";
    case "metadata.uid":
      return metadata.uid ?? "";
    case "metadata.labels":
      return mapText(metadata.labels);
    case "metadata.annotations":
      return mapText(metadata.annotations);
    case "spec.nodeName":
      return spec?.nodeName ?? "";
    case "spec.serviceAccountName":
      return spec?.serviceAccountName ?? "";
    case "status.hostIP":
      return hostIps[0] ?? "";
    case "status.hostIPs":
      return hostIps.join(",");
    case "status.podIP":
      return podIps[0] ?? "";
    case "status.podIPs":
      return podIps.join(",");
    default:
      throw new Error(`unsupported fieldPath: ${path}`);
  }
}

/** `key="value"` lines, sorted; values are quoted as Go quotes them. */
function mapText(map: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(map ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${goQuote(value)}`)
    .join("\n");
}

const goQuote = (text: string): string =>
  JSON.stringify(text).replace(/\\u00([0-9a-f]{2})/g, (_, hex: string) => `\\x${hex}`);

export type Allocatable = Readonly<Record<string, string>>;

/** In units of the divisor, rounded up. What has no limit may use all that the node has. */
export function resourceValue(
  pod: Pod,
  { containerName, resource, divisor }: V1ResourceFieldSelector,
  ownName: string,
  allocatable: Allocatable,
): string {
  const wanted = containerName === undefined || containerName === "" ? ownName : containerName;
  const container = containersOf(pod).find(({ spec }) => spec.name === wanted)?.spec;
  if (container === undefined) throw new Error(`container ${wanted} not found`);
  const [kind, ...rest] = resource.split(".");
  const name = rest.join(".");
  const { requests, limits } = container.resources ?? {};
  const text = kind === "limits" ? (limits?.[name] ?? allocatable[name] ?? "0") : (requests?.[name] ?? "0");
  const given = divisor === undefined ? 0n : toQuantity(divisor).nanos;
  const unit = given === 0n ? 1_000_000_000n : given;
  const { nanos } = toQuantity(text);
  return String((nanos + unit - 1n) / unit);
}
