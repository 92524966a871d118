/** Cluster IPs and families of a service among themselves. Upstream: ValidateServiceClusterIPsRelatedFields and updates. */
import type { V1ServiceSpec } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { duplicate, invalid, notSupported, required } from "#api/validation/field-errors.ts";
import { familiesErrors, familyOf, ipErrors } from "#api/validation/ip.ts";
import { isHeadless } from "./service-types.ts";

const none = "None";
const families = ["IPv4", "IPv6"];
const policies = ["PreferDualStack", "RequireDualStack", "SingleStack"];
const addressesMax = 2;
const addressesPath = "spec.clusterIPs";
const policyPath = "spec.ipFamilyPolicy";

export function addressFieldsErrors(spec: V1ServiceSpec, old: V1ServiceSpec | undefined): FieldError[] {
  if (spec.type === "ExternalName") return [];
  const { ipFamilies = [], ipFamilyPolicy, clusterIPs = [] } = spec;
  const errors = [...pairErrors(spec), ...listedFamiliesErrors(ipFamilies)];
  if (ipFamilyPolicy !== undefined && !policies.includes(ipFamilyPolicy))
    errors.push(notSupported(policyPath, ipFamilyPolicy, policies));
  const faults = addressErrors(clusterIPs, old?.clusterIPs ?? []);
  errors.push(...faults);
  if (clusterIPs.length > addressesMax)
    errors.push(invalid(addressesPath, clusterIPs, `may only hold up to ${addressesMax} values`));
  if (faults.length > 0) return errors;
  // Upstream counts the families here, not the addresses: of more than two it has told already.
  const isOfBoth = new Set(clusterIPs.map(familyOf)).size === families.length;
  if (!isOfBoth) errors.push(...familiesErrors(addressesPath, clusterIPs, clusterIPs));
  return isHeadless(spec) ? errors : [...errors, ...matchErrors(clusterIPs, ipFamilies)];
}

/** clusterIP is the first of clusterIPs. */
function pairErrors({ clusterIP = "", clusterIPs = [] }: V1ServiceSpec): FieldError[] {
  if (clusterIP === "")
    return clusterIPs.length === 0
      ? []
      : [invalid(addressesPath, clusterIPs, "must be empty when `clusterIP` is not specified")];
  if (clusterIPs.length === 0) return [required(addressesPath)];
  return clusterIPs[0] === clusterIP ? [] : [invalid(addressesPath, clusterIPs, "first value must match `clusterIP`")];
}

function listedFamiliesErrors(ipFamilies: readonly string[]): FieldError[] {
  return ipFamilies.flatMap((family, index) => [
    ...(families.includes(family) ? [] : [notSupported(`spec.ipFamilies[${index}]`, family, families)]),
    ...(ipFamilies.indexOf(family) < index ? [duplicate(`spec.ipFamilies[${index}]`, family)] : []),
  ]);
}

/** Addresses that were there before may be in an old form. */
function addressErrors(clusterIPs: readonly string[], old: readonly string[]): FieldError[] {
  return clusterIPs.flatMap((address, index) => {
    if (index === 0 && address === none)
      return clusterIPs.length === 1
        ? []
        : [invalid(addressesPath, clusterIPs, "'None' must be the first and only value")];
    return old.includes(address) ? [] : ipErrors(`${addressesPath}[${index}]`, address);
  });
}

function matchErrors(clusterIPs: readonly string[], ipFamilies: readonly string[]): FieldError[] {
  return clusterIPs.slice(0, ipFamilies.length).flatMap((address, index) => {
    const wanted = ipFamilies[index]!;
    if (!families.includes(wanted) || familyOf(address) === wanted) return [];
    const text = `expected an ${wanted} value as indicated by \`ipFamilies[${index}]\``;
    return [invalid(`${addressesPath}[${index}]`, address, text)];
  });
}

/** The first address and family stay; the second may come and, if the policy says so, go. */
export function addressChangeErrors(spec: V1ServiceSpec, old: V1ServiceSpec): FieldError[] {
  if (old.type === "ExternalName" || spec.type === "ExternalName") return [];
  return [...addressesChangeErrors(spec, old), ...familiesChangeErrors(spec, old)];
}

const onceSet = "may not change once set";

/** Upstream: validateUpgradeDowngradeClusterIPs. */
function addressesChangeErrors(spec: V1ServiceSpec, old: V1ServiceSpec): FieldError[] {
  if (isHeadless(spec) && isHeadless(old)) return [];
  const { clusterIPs: now = [] } = spec;
  const { clusterIPs: before = [] } = old;
  const changed = (index: number) => invalid(`${addressesPath}[${index}]`, now, onceSet);
  if (now.length === before.length)
    return before.flatMap((address, index) => (now[index] === address ? [] : [changed(index)]));
  if (now.length > before.length) return before.length > 0 && now[0] !== before[0] ? [changed(0)] : [];
  if (now.length === 0) return [invalid(`${addressesPath}[0]`, spec.clusterIPs, "primary clusterIP can not be unset")];
  return [...(now[0] === before[0] ? [] : [changed(0)]), ...releaseErrors(spec, "clusterIP")];
}

/** All of its faults are at the first family, and most show the addresses. Upstream: validateUpgradeDowngradeIPFamilies. */
function familiesChangeErrors(spec: V1ServiceSpec, old: V1ServiceSpec): FieldError[] {
  if (isHeadless(spec) !== isHeadless(old) || isHeadless(spec)) return [];
  const { clusterIPs = [], ipFamilies: now = [] } = spec;
  const { ipFamilies: before = [] } = old;
  const changed = (shown: readonly string[]) => invalid("spec.ipFamilies[0]", shown, onceSet);
  if (now.length === before.length)
    return before.flatMap((family, index) => (now[index] === family ? [] : [changed(now)]));
  if (now.length > before.length) return before.length > 0 && now[0] !== before[0] ? [changed(clusterIPs)] : [];
  const errors: FieldError[] = [];
  if (clusterIPs.length === 0)
    errors.push(invalid("spec.ipFamilies[0]", spec.ipFamilies, "primary ipFamily can not be unset"));
  if (now.length === 0) return errors;
  if (now[0] !== before[0]) errors.push(changed(clusterIPs));
  return [...errors, ...releaseErrors(spec, "ipFamily")];
}

const releaseErrors = ({ ipFamilyPolicy }: V1ServiceSpec, what: string): FieldError[] =>
  ipFamilyPolicy === "SingleStack"
    ? []
    : [invalid(policyPath, ipFamilyPolicy, `must be set to 'SingleStack' when releasing the secondary ${what}`)];
