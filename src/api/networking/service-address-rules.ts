/** The rules of the addresses of services. Upstream: ValidateIPAddress, ValidateServiceCIDR. */
import type { V1IPAddress, V1ServiceCIDR } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { invalid, invalidEach, required } from "#api/validation/field-errors.ts";
import { parseCidr } from "#api/validation/ip.ts";
import { type NameRule, isPathSegmentName } from "#api/validation/names.ts";
import { dnsSubdomain, immutable, immutableError } from "#api/validation/values.ts";
import { canonicalCidrErrors, canonicalIpFaults } from "./canonical-address.ts";
import { segmentErrors } from "./object-reference.ts";

const cidrsMax = 2;

/** The name of an IPAddress is the address. */
export const ipAddressName: NameRule = canonicalIpFaults;

export function ipAddressErrors({ spec }: V1IPAddress, old: V1IPAddress | undefined): FieldError[] {
  const field = "spec.parentRef";
  const parent = spec?.parentRef;
  if (old !== undefined) return immutable(field, parent, old.spec?.parentRef);
  if (parent === undefined || parent === null) return [required(field)];
  const { group = "", resource = "", namespace = "", name = "" } = parent;
  return [
    ...(group === "" ? [] : dnsSubdomain(`${field}.group`, group)),
    ...segmentErrors(`${field}.resource`, resource),
    ...segmentErrors(`${field}.name`, name),
    ...(namespace === "" ? [] : invalidEach(`${field}.namespace`, namespace, isPathSegmentName(namespace))),
  ];
}

/** The ranges of a ServiceCIDR never change, but a second one may join the first. */
export function serviceCidrErrors({ spec }: V1ServiceCIDR, old: V1ServiceCIDR | undefined): FieldError[] {
  const cidrs = spec?.cidrs ?? [];
  if (old !== undefined) return cidrsChangeErrors(cidrs, old.spec?.cidrs ?? []);
  return cidrsErrors(cidrs);
}

const familiesText = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64";

function cidrsErrors(cidrs: readonly string[]): FieldError[] {
  const field = "spec.cidrs";
  if (cidrs.length === 0) return [required(field, "at least one CIDR required")];
  if (cidrs.length > cidrsMax) return [invalid(field, { CIDRs: cidrs }, "may only hold up to 2 values")];
  const families = cidrs.map((cidr) => parseCidr(cidr)?.family);
  if (cidrs.length === cidrsMax && !(families.includes("IPv4") && families.includes("IPv6")))
    return [invalid(field, cidrs, familiesText)];
  return cidrs.flatMap((cidr, index) => canonicalCidrErrors(`${field}[${index}]`, cidr));
}

function cidrsChangeErrors(cidrs: readonly string[], old: readonly string[]): FieldError[] {
  const field = "spec.cidrs";
  if (cidrs.length === old.length)
    return cidrs.flatMap((cidr, index) => immutable(`${field}[${index}]`, cidr, old[index]));
  if (old.length !== 1 || cidrs.length !== cidrsMax) return [invalid(field, cidrs, immutableError)];
  return [...immutable(`${field}[0]`, cidrs[0], old[0]), ...cidrsErrors(cidrs)];
}
