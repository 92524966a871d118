/** Where a webhook is. Upstream: apiserver/pkg/util/webhook/validation.go. */
import type {
  AdmissionregistrationV1ServiceReference,
  AdmissionregistrationV1WebhookClientConfig,
} from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { invalid, required } from "#api/validation/field-errors.ts";
import { isPortNumber } from "#api/validation/formats.ts";
import { isDns1123Subdomain } from "#api/validation/names.ts";
import { present } from "#api/validation/values.ts";

const form = "; desired format: https://host[/path]";
const urlParts = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?[^?#]*(?:\?([^#]*))?(?:#([\s\S]*))?$/;

export function clientConfigErrors(
  config: AdmissionregistrationV1WebhookClientConfig | undefined,
  path: string,
): FieldError[] {
  const { url, service } = config ?? {};
  if ((url === undefined) === (service === undefined))
    return [required(path, "exactly one of url or service is required")];
  return url === undefined ? serviceErrors(service!, `${path}.service`) : urlErrors(url, `${path}.url`);
}

function urlErrors(url: string, field: string): FieldError[] {
  const [, scheme = "", authority = "", query = "", fragment = ""] = urlParts.exec(url) ?? [];
  const cut = authority.lastIndexOf("@");
  const [user, host] = cut < 0 ? [undefined, authority] : [authority.slice(0, cut), authority.slice(cut + 1)];
  const errors: FieldError[] = [];
  if (scheme.toLowerCase() !== "https")
    errors.push(invalid(field, scheme, `'https' is the only allowed URL scheme${form}`));
  if (host === "") errors.push(invalid(field, host, `host must be specified${form}`));
  if (user !== undefined) errors.push(invalid(field, user, "user information is not permitted in the URL"));
  if (fragment !== "") errors.push(invalid(field, fragment, "fragments are not permitted in the URL"));
  if (query !== "") errors.push(invalid(field, query, "query parameters are not permitted in the URL"));
  return errors;
}

function serviceErrors(service: AdmissionregistrationV1ServiceReference, path: string): FieldError[] {
  const { name, namespace, path: urlPath = "", port = 443 } = service;
  return [
    ...present(`${path}.name`, name),
    ...present(`${path}.namespace`, namespace),
    ...isPortNumber(port).map((fault) => invalid(`${path}.port`, port, `port is not valid: ${fault}`)),
    ...segmentsErrors(urlPath, `${path}.path`),
  ];
}

function segmentsErrors(path: string, field: string): FieldError[] {
  if (path === "" || path === "/") return [];
  if (path === "//") return [invalid(field, path, "segment[0] may not be empty")];
  const errors = path.startsWith("/") ? [] : [invalid(field, path, "must start with a '/'")];
  const rest = path.slice(1);
  for (const [index, segment] of (rest.endsWith("/") ? rest.slice(0, -1) : rest).split("/").entries()) {
    const faults = segment === "" ? [" may not be empty"] : isDns1123Subdomain(segment).map((fault) => `: ${fault}`);
    for (const fault of faults) errors.push(invalid(field, path, `segment[${index}]${fault}`));
  }
  return errors;
}
