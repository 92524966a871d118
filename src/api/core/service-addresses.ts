/** Cluster IPs and families of a service among themselves. Upstream: ValidateServiceClusterIPsRelatedFields and updates. */
import type { V1ServiceSpec } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { invalid, notSupported, required } from "#api/validation/field-errors.ts";
import { familyOf, ipErrors } from "#api/validation/ip.ts";

const families = ["IPv4", "IPv6"];
const policies = ["PreferDualStack", "RequireDualStack", "SingleStack"];

export function addressFieldsErrors(spec: V1ServiceSpec, old: V1ServiceSpec | undefined): FieldError[] {
  if (spec.type === "ExternalName") return [];
  const { clusterIP = "", clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = spec;
  const errors: FieldError[] = [];
  if (clusterIP !== "" && clusterIPs.length === 0) errors.push(required("spec.clusterIPs"));
  if (clusterIP === "" && clusterIPs.length > 0)
    errors.push(invalid("spec.clusterIPs", clusterIPs, "must be empty when `clusterIP` is not specified"));
  if (clusterIP !== "" && clusterIPs.length > 0 && clusterIPs[0] !== clusterIP)
    errors.push(invalid("spec.clusterIPs", clusterIPs, "first value must match `clusterIP`"));
  errors.push(...familiesErrors(ipFamilies));
  if (ipFamilyPolicy !== undefined && !policies.includes(ipFamilyPolicy))
    errors.push(notSupported("spec.ipFamilyPolicy", ipFamilyPolicy, policies));
  errors.push(...clusterIpsErrors(clusterIPs, ipFamilies, old?.clusterIPs ?? []));
  if (ipFamilyPolicy === "SingleStack" && ipFamilies.length > 1) {
    const text = "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified";
    errors.push(invalid("spec.ipFamilyPolicy", ipFamilyPolicy, text));
  }
  return errors;
}

function familiesErrors(ipFamilies: readonly string[]): FieldError[] {
  const errors = ipFamilies.flatMap((family, index) =>
    families.includes(family) ? [] : [notSupported(`spec.ipFamilies[${index}]`, family, families)],
  );
  const seen = new Set<string>();
  for (const [index, family] of ipFamilies.entries()) {
    if (seen.has(family))
      errors.push({
        field: `spec.ipFamilies[${index}]`,
        type: "FieldValueDuplicate",
        message: `Duplicate value: "${family}"`,
      });
    seen.add(family);
  }
  return errors;
}

/** Addresses that were there before may be in an old form. */
function clusterIpsErrors(
  clusterIPs: readonly string[],
  ipFamilies: readonly string[],
  old: readonly string[],
): FieldError[] {
  const path = "spec.clusterIPs";
  const errors: FieldError[] = [];
  if (clusterIPs.length > 2) errors.push(invalid(path, clusterIPs, "may only hold up to 2 values"));
  for (const [index, address] of clusterIPs.entries()) {
    const at = `${path}[${index}]`;
    if (address === "None") {
      if (index > 0) errors.push(invalid(at, address, "'None' must be the first and only value"));
      continue;
    }
    const faults = old.includes(address) ? [] : ipErrors(at, address);
    errors.push(...faults);
    const wanted = ipFamilies[index];
    if (faults.length === 0 && wanted !== undefined && familyOf(address) !== wanted)
      errors.push(invalid(at, address, `expected an ${wanted} value as indicated by \`ipFamilies[${index}]\``));
  }
  const kinds = new Set(clusterIPs.map(familyOf));
  const isMixed = clusterIPs.length > 1 && clusterIPs.every((address) => address !== "None");
  if (isMixed && (kinds.size < 2 || clusterIPs.length > 2))
    errors.push(invalid(path, clusterIPs, "may specify no more than one IP for each IP family"));
  return errors;
}

/** The first address and family stay; the second may come and go. */
export function addressChangeErrors(spec: V1ServiceSpec, old: V1ServiceSpec): FieldError[] {
  if (old.type === "ExternalName" || spec.type === "ExternalName") return [];
  const errors: FieldError[] = [];
  const { clusterIPs = [], ipFamilies = [] } = spec;
  const { clusterIPs: oldIps = [], ipFamilies: oldFamilies = [] } = old;
  if (oldIps.length > 0 && clusterIPs.length === 0)
    errors.push(invalid("spec.clusterIPs[0]", clusterIPs, "primary clusterIP can not be unset"));
  else if (oldIps.length > 0 && clusterIPs[0] !== oldIps[0])
    errors.push(invalid("spec.clusterIPs[0]", clusterIPs, "may not change once set"));
  if (oldIps.length > 1 && clusterIPs.length > 1 && clusterIPs[1] !== oldIps[1])
    errors.push(invalid("spec.clusterIPs[1]", clusterIPs, "may not change once set"));
  if (oldFamilies.length > 0 && ipFamilies.length === 0)
    errors.push(invalid("spec.ipFamilies[0]", ipFamilies, "primary ipFamily can not be unset"));
  else if (oldFamilies.length > 0 && ipFamilies[0] !== oldFamilies[0])
    errors.push(invalid("spec.ipFamilies[0]", ipFamilies, "may not change once set"));
  return errors;
}
