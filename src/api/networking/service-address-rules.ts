/** The rules of the addresses of services. Upstream: ValidateIPAddress, ValidateServiceCIDR. */
import type { V1IPAddress, V1ServiceCIDR } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";

export function ipAddressName(_name: string): string[] {
  return [];
}

export function ipAddressErrors(_address: V1IPAddress, _old: V1IPAddress | undefined): FieldError[] {
  return [];
}

export function serviceCidrErrors(_cidr: V1ServiceCIDR, _old: V1ServiceCIDR | undefined): FieldError[] {
  return [];
}
