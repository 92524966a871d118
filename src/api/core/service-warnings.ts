/** What upstream says to who writes a service that it takes. Upstream: GetWarningsForService. */
import type { V1Service, V1ServiceSpec } from "#api/generated/types.ts";
import { cidrWarnings, ipWarnings } from "#api/validation/ip.ts";
import { hintsAnnotation, modeAnnotation } from "./service-rules.ts";
import { isHeadless } from "./service-types.ts";

const ignored = (field: string) => `${field} is ignored for headless services`;

export function serviceWarnings({ metadata, spec = {} }: V1Service): string[] {
  const warnings: string[] = [];
  if (metadata.annotations?.[hintsAnnotation] !== undefined)
    warnings.push(`annotation ${hintsAnnotation} is deprecated, please use ${modeAnnotation} instead`);
  warnings.push(...addressesWarnings(spec));
  if (spec.type === "ExternalName" && (spec.externalIPs ?? []).length > 0)
    warnings.push('spec.externalIPs is ignored when spec.type is "ExternalName"');
  if (spec.type !== "ExternalName" && (spec.externalName ?? "") !== "")
    warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  if (spec.trafficDistribution === "PreferClose")
    warnings.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"');
  return warnings;
}

function addressesWarnings(spec: V1ServiceSpec): string[] {
  const { clusterIPs = [], externalIPs = [], loadBalancerIP = "", loadBalancerSourceRanges = [], type } = spec;
  const warnings = isHeadless(spec) ? [] : each("spec.clusterIPs", clusterIPs, ipWarnings);
  if (type === "ClusterIP" && isHeadless(spec)) {
    if (loadBalancerIP !== "") warnings.push(ignored("spec.loadBalancerIP"));
    if (externalIPs.length > 0) warnings.push(ignored("spec.externalIPs"));
    if (spec.sessionAffinity !== "None") warnings.push(ignored("spec.SessionAffinity"));
  }
  if (externalIPs.length > 0)
    warnings.push("spec.externalIPs is deprecated and may no longer be implemented in some clusters");
  return [
    ...warnings,
    ...each("spec.externalIPs", externalIPs, ipWarnings),
    ...ipWarnings("spec.loadBalancerIP", loadBalancerIP),
    ...each("spec.loadBalancerSourceRanges", loadBalancerSourceRanges, cidrWarnings),
  ];
}

const each = (path: string, texts: readonly string[], of: (field: string, text: string) => string[]): string[] =>
  texts.flatMap((text, index) => of(`${path}[${index}]`, text));

export function serviceStatusWarnings({ status }: V1Service): string[] {
  const addresses = (status?.loadBalancer?.ingress ?? []).map(({ ip = "" }) => ip);
  return each("status.loadBalancer.ingress", addresses, ipWarnings);
}
