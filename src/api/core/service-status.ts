/** What the status of a service may say. Upstream: ValidateLoadBalancerStatus. */
import type { V1LoadBalancerIngress, V1Service } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { forbidden, invalid, notSupported, required } from "#api/validation/field-errors.ts";
import { ipErrors, parseAddress } from "#api/validation/ip.ts";
import { dnsSubdomain } from "#api/validation/values.ts";

const modes = ["Proxy", "VIP"];

export function serviceStatusErrors({ status, spec }: V1Service): FieldError[] {
  const path = "status.loadBalancer.ingress";
  const ingress = status?.loadBalancer?.ingress ?? [];
  if (spec?.type !== "LoadBalancer" && ingress.length > 0)
    return [forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'")];
  return ingress.flatMap((one, index) => ingressErrors(one, `${path}[${index}]`));
}

function ingressErrors({ ip = "", hostname = "", ipMode }: V1LoadBalancerIngress, path: string): FieldError[] {
  const errors = ip === "" ? [] : ipErrors(`${path}.ip`, ip);
  if (ipMode === undefined && ip !== "") errors.push(required(`${path}.ipMode`, "must be specified when `ip` is set"));
  else if (ipMode !== undefined && ip === "")
    errors.push(forbidden(`${path}.ipMode`, "may not be specified when `ip` is not set"));
  else if (ipMode !== undefined && !modes.includes(ipMode)) errors.push(notSupported(`${path}.ipMode`, ipMode, modes));
  if (hostname === "") return errors;
  errors.push(...dnsSubdomain(`${path}.hostname`, hostname));
  if (parseAddress(hostname) !== undefined)
    errors.push(invalid(`${path}.hostname`, hostname, "must be a DNS name, not an IP address"));
  return errors;
}
