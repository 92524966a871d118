/** Where a webhook is called: a URL or a Service. Upstream: apiserver/pkg/util/webhook/validation.go. */
import { X509Certificate } from "node:crypto";
import type { FieldError } from "#api/field-error.ts";
import { invalid, required } from "./field-errors.ts";
import { isDns1123Subdomain } from "./names.ts";

const form = "; desired format: https://host[/path]";
const portMax = 65535;

export function webhookUrlErrors(field: string, url: string): FieldError[] {
  const parsed = /^(?:([a-z][a-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/is.exec(url);
  if (parsed === null) return [required(field, `url must be a valid URL: parse "${url}"${form}`)];
  const [, scheme = "", authority = "", , query = "", fragment = ""] = parsed;
  const at = authority.lastIndexOf("@");
  return [
    ...(scheme.toLowerCase() === "https"
      ? []
      : [invalid(field, scheme.toLowerCase(), `'https' is the only allowed URL scheme${form}`)]),
    ...(authority.slice(at + 1) === "" ? [invalid(field, "", `host must be specified${form}`)] : []),
    ...(at === -1 ? [] : [invalid(field, authority.slice(0, at), "user information is not permitted in the URL")]),
    ...(fragment === "" ? [] : [invalid(field, fragment, "fragments are not permitted in the URL")]),
    ...(query === "" ? [] : [invalid(field, query, "query parameters are not permitted in the URL")]),
  ];
}

export interface WebhookService {
  name?: string;
  namespace?: string;
  path?: string;
  port?: number;
}

export function webhookServiceErrors(field: string, service: WebhookService): FieldError[] {
  const { name = "", namespace = "", path, port = 443 } = service;
  return [
    ...(name === "" ? [required(`${field}.name`)] : []),
    ...(namespace === "" ? [required(`${field}.namespace`)] : []),
    ...(port < 1 || port > portMax
      ? [invalid(`${field}.port`, port, `port is not valid: must be between 1 and ${portMax}, inclusive`)]
      : []),
    ...(path === undefined ? [] : pathErrors(`${field}.path`, path)),
  ];
}

function pathErrors(field: string, path: string): FieldError[] {
  if (path === "" || path === "/") return [];
  if (path === "//") return [invalid(field, path, "segment[0] may not be empty")];
  const steps = path.slice(1).replace(/\/$/, "").split("/");
  return [
    ...(path.startsWith("/") ? [] : [invalid(field, path, "must start with a '/'")]),
    ...steps.flatMap((step, index) =>
      step === ""
        ? [invalid(field, path, `segment[${index}] may not be empty`)]
        : isDns1123Subdomain(step).map((fault) => invalid(field, path, `segment[${index}]: ${fault}`)),
    ),
  ];
}

/** `caBundle`: PEM in base64. Upstream: ValidateCABundle, client-go/util/cert ParseCertsPEM. */
export function caBundleErrors(field: string, caBundle: string): FieldError[] {
  if (caBundle === "") return [];
  const blocks = Buffer.from(caBundle, "base64").toString("latin1").match(certificateBlock) ?? [];
  const text = "unable to load root certificates: unable to parse bytes as PEM block";
  return blocks.some(isCertificate) ? [] : [invalid(field, caBundle, text)];
}

const certificateBlock = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}
