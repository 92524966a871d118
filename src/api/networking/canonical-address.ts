/** Addresses and ranges that must be written in their one canonical form. Upstream: IsValidIP, IsValidCIDR. */
import type { FieldError } from "#api/field-error.ts";
import { invalid } from "#api/validation/field-errors.ts";
import { cidrErrors, ipErrors } from "#api/validation/ip.ts";

/** An address without faults, shortened as RFC 5952 says. URLs do just that. */
const canonicalIp = (address: string): string =>
  address.includes(":") ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;

export function canonicalIpErrors(field: string, address: string): FieldError[] {
  const errors = ipErrors(field, address);
  return errors.length > 0 ? errors : formErrors(field, address, canonicalIp(address));
}

export function canonicalCidrErrors(field: string, range: string): FieldError[] {
  const errors = cidrErrors(field, range);
  if (errors.length > 0) return errors;
  const [address = "", prefix = ""] = range.split("/");
  return formErrors(field, range, `${canonicalIp(address)}/${prefix}`);
}

const formErrors = (field: string, text: string, canonical: string): FieldError[] =>
  text === canonical ? [] : [invalid(field, text, `must be in canonical form ("${canonical}")`)];

/** The same as texts without field and value, for a rule of names. */
export function canonicalIpFaults(name: string): string[] {
  const prefix = `${invalid("", name, "").message}: `.length;
  return canonicalIpErrors("", name).map(({ message }) => message.slice(prefix));
}
