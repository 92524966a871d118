/**
 * Families of a service and its policy about them, by what it asks for, what it had and what the cluster has.
 * Upstream: pkg/registry/core/service/storage/alloc.go, initIPFamilyFields.
 */
import { addressFieldsErrors } from "#api/core/service-addresses.ts";
import type { FieldError } from "#api/field-error.ts";
import type { V1ServiceSpec } from "#api/generated/types.ts";
import { invalid } from "#api/validation/field-errors.ts";
import { familyOf, type IpFamily } from "#api/validation/ip.ts";

const none = "None";
const policyPath = "spec.ipFamilyPolicy";
const otherFamily = (family: string): IpFamily => (family === "IPv4" ? "IPv6" : "IPv4");
const isSameList = (a: readonly string[] = [], b: readonly string[] = []): boolean =>
  a.length === b.length && a.every((value, index) => value === b[index]);
/** A list that is not there at all counts as unchanged. */
const isShorter = (now: readonly string[] = [], before: readonly string[] = []): boolean =>
  now.length > 0 && now.length < before.length;

/** Fills ipFamilies and ipFamilyPolicy; `configured` has the cluster's families, the usual one first. */
export function fillFamilies(
  spec: V1ServiceSpec,
  old: V1ServiceSpec | undefined,
  configured: readonly string[],
): FieldError[] {
  if (spec.type === "ExternalName" || isUnchangedPreference(spec, old)) return [];
  spec.ipFamilyPolicy ??= old?.ipFamilyPolicy ?? usualPolicy(spec);
  const loose = addressFieldsErrors(spec, old);
  if (loose.length > 0) return loose;
  const errors = [
    ...(old === undefined ? [] : releaseErrors(spec, old)),
    ...singleStackErrors(spec),
    ...inferFamilies(spec, configured),
  ];
  if (errors.length > 0) return errors;
  if (isFree(spec)) {
    completeFamilies(spec, configured[0]!, true);
    return [];
  }
  errors.push(...configuredErrors(spec, configured));
  if (errors.length === 0) completeFamilies(spec, configured[0]!, configured.length > 1);
  return errors;
}

/** What a cluster that came to have two families, or to have one, does not change by itself. */
export function isUnchangedPreference(spec: V1ServiceSpec, old: V1ServiceSpec | undefined): boolean {
  const prefers = ({ ipFamilyPolicy }: V1ServiceSpec) => ipFamilyPolicy === "PreferDualStack";
  return (
    old !== undefined &&
    old.type === spec.type &&
    prefers(spec) &&
    prefers(old) &&
    (spec.clusterIP ?? "") === (old.clusterIP ?? "") &&
    isSameList(spec.clusterIPs, old.clusterIPs) &&
    isSameList(spec.ipFamilies, old.ipFamilies)
  );
}

/** Endpoints of a service without address and selector come from elsewhere: they may be of any family. */
const isFree = ({ clusterIPs = [], selector = {} }: V1ServiceSpec): boolean =>
  clusterIPs[0] === none && Object.keys(selector).length === 0;

const usualPolicy = ({ clusterIP, selector = {} }: V1ServiceSpec): string =>
  clusterIP === none && Object.keys(selector).length === 0 ? "RequireDualStack" : "SingleStack";

/** The second address and family go if the policy says so, and only then. */
function releaseErrors(spec: V1ServiceSpec, old: V1ServiceSpec): FieldError[] {
  const { ipFamilyPolicy, clusterIPs = [], ipFamilies = [] } = spec;
  if (ipFamilyPolicy === "SingleStack") {
    if (spec.clusterIP === old.clusterIP && isSameList(clusterIPs, old.clusterIPs) && clusterIPs.length > 1)
      spec.clusterIPs = clusterIPs.slice(0, 1);
    if (isSameList(ipFamilies, old.ipFamilies) && ipFamilies.length > 1) spec.ipFamilies = ipFamilies.slice(0, 1);
    return [];
  }
  const released = (what: string) =>
    invalid(policyPath, ipFamilyPolicy, `must be 'SingleStack' to release the secondary ${what}`);
  return [
    ...(isShorter(clusterIPs, old.clusterIPs) ? [released("cluster IP")] : []),
    ...(isShorter(ipFamilies, old.ipFamilies) ? [released("IP family")] : []),
  ];
}

function singleStackErrors({ ipFamilyPolicy, clusterIPs = [], ipFamilies = [] }: V1ServiceSpec): FieldError[] {
  if (ipFamilyPolicy !== "SingleStack") return [];
  const several = (what: string) =>
    invalid(
      policyPath,
      ipFamilyPolicy,
      `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`,
    );
  return [
    ...(clusterIPs.length === 2 ? [several("cluster IPs")] : []),
    ...(ipFamilies.length === 2 ? [several("IP families")] : []),
  ];
}

/** Each address that is asked for has its family. */
function inferFamilies(spec: V1ServiceSpec, configured: readonly string[]): FieldError[] {
  const { clusterIPs = [] } = spec;
  if (clusterIPs[0] === none) return [];
  const families = [...(spec.ipFamilies ?? [])];
  const errors = clusterIPs.flatMap((address, index) => {
    if (index < families.length) return [];
    const family = familyOf(address)!;
    if (!configured.includes(family))
      return [invalid(`spec.clusterIPs[${index}]`, clusterIPs, `${family} is not configured on this cluster`)];
    families.push(family);
    return [];
  });
  if (families.length > 0) spec.ipFamilies = families;
  return errors;
}

function configuredErrors(
  { ipFamilyPolicy, ipFamilies = [] }: V1ServiceSpec,
  configured: readonly string[],
): FieldError[] {
  const text = "this cluster is not configured for dual-stack services";
  const isShort = ipFamilyPolicy === "RequireDualStack" && configured.length < 2;
  return [
    ...(isShort ? [invalid(policyPath, ipFamilyPolicy, text)] : []),
    ...ipFamilies.flatMap((family, index) =>
      configured.includes(family)
        ? []
        : [invalid(`spec.ipFamilies[${index}]`, family, "not configured on this cluster")],
    ),
  ];
}

function completeFamilies(spec: V1ServiceSpec, usual: string, mayAdd: boolean): void {
  const families = (spec.ipFamilies ?? []).length === 0 ? [usual] : spec.ipFamilies!;
  const isAdded = mayAdd && families.length === 1 && spec.ipFamilyPolicy !== "SingleStack";
  spec.ipFamilies = isAdded ? [families[0]!, otherFamily(families[0]!)] : families;
}
