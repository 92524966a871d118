/** The rules of signing requests. Upstream: pkg/apis/certificates/validation/validation.go. */
import type { V1CertificateSigningRequest, V1CertificateSigningRequestCondition } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { compareText, goQuote, isLongerThan } from "#api/go-text.ts";
import { duplicate, forbidden, invalid, notSupported, required, tooLong } from "#api/validation/field-errors.ts";
import { isDns1123Label, isDns1123Subdomain } from "#api/validation/names.ts";
import { semanticEqual } from "#api/validation/values.ts";
import { certificateFault } from "./issued-certificate.ts";
import { certificateRequestFault } from "./pkcs10.ts";

type Request = V1CertificateSigningRequest;

const legacySigner = "kubernetes.io/legacy-unknown";
const signerNameBytesMax = 571;
const expirationSecondsMin = 600;
const usages = [
  "any",
  "cert sign",
  "client auth",
  "code signing",
  "content commitment",
  "crl sign",
  "data encipherment",
  "decipher only",
  "digital signature",
  "email protection",
  "encipher only",
  "ipsec end system",
  "ipsec tunnel",
  "ipsec user",
  "key agreement",
  "key encipherment",
  "microsoft sgc",
  "netscape sgc",
  "ocsp signing",
  "s/mime",
  "server auth",
  "signing",
  "timestamping",
];

/** What this endpoint may change beside metadata. */
export interface Rights {
  mayApprove: boolean;
  mayIssue: boolean;
}

export function signingRequestErrors(request: Request, old: Request | undefined, rights: Rights): FieldError[] {
  const { spec, status } = request;
  return [
    ...(old === undefined ? specErrors(spec) : []),
    ...conditionsErrors(status?.conditions ?? []),
    ...certificateErrors(status?.certificate ?? "", old?.status?.certificate ?? ""),
    ...(old === undefined ? [] : changeErrors(request, old, rights)),
  ];
}

function specErrors(spec: Request["spec"]): FieldError[] {
  const { signerName = "", expirationSeconds } = spec;
  // Bytes that were not sent are null.
  const request = spec.request ?? "";
  const errors: FieldError[] = [];
  const fault = certificateRequestFault(Buffer.from(request, "base64").toString("latin1"));
  if (fault !== undefined) errors.push(invalid("spec.request", request, fault));
  errors.push(...usagesErrors(spec.usages ?? [], "spec.usages"));
  if (signerName === legacySigner)
    errors.push(invalid("spec.signerName", signerName, "the legacy signerName is not allowed via this API version"));
  else errors.push(...signerNameErrors(signerName, "spec.signerName"));
  if (expirationSeconds !== undefined && expirationSeconds < expirationSecondsMin)
    errors.push(
      invalid(
        "spec.expirationSeconds",
        expirationSeconds,
        "may not specify a duration less than 600 seconds (10 minutes)",
      ),
    );
  return errors;
}

function usagesErrors(given: readonly string[], path: string): FieldError[] {
  if (given.length === 0) return [required(path)];
  return [
    ...given.flatMap((usage, index) =>
      usages.includes(usage) ? [] : [notSupported(`${path}[${index}]`, usage, [...usages].sort(compareText))],
    ),
    ...given.flatMap((usage, index) => (given.indexOf(usage) < index ? [duplicate(`${path}[${index}]`, usage)] : [])),
  ];
}

/** "example.com/name": a domain of two labels at least, and a path of subdomains. */
export function signerNameErrors(name: string, field: string): FieldError[] {
  if (name === "") return [required(field)];
  const [domain = "", path, ...rest] = name.split("/");
  if (path === undefined || rest.length > 0)
    return [invalid(field, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'")];
  const errors = labelsErrors(field, domain, isDns1123Label);
  if (!domain.includes(".")) errors.push(invalid(field, domain, "should be a domain with at least two segments"));
  errors.push(...labelsErrors(field, path, isDns1123Subdomain));
  if (isLongerThan(name, signerNameBytesMax)) errors.push(tooLong(field, signerNameBytesMax));
  return errors;
}

/** The faults of the first bad part. */
function labelsErrors(field: string, text: string, rule: (label: string) => string[]): FieldError[] {
  for (const label of text.split(".")) {
    const faults = rule(label);
    if (faults.length > 0)
      return faults.map((fault) => invalid(field, text, `validating label ${goQuote(label)}: ${fault}`));
  }
  return [];
}

type Conditions = readonly V1CertificateSigningRequestCondition[];

const alwaysTrue = new Set(["Approved", "Denied", "Failed"]);
const allStatuses = ["False", "True", "Unknown"];

function conditionsErrors(conditions: Conditions): FieldError[] {
  const path = "status.conditions";
  const seen = new Set<string>();
  return conditions.flatMap(({ type = "", status = "" }, index) => {
    const at = `${path}[${index}]`;
    const statuses = alwaysTrue.has(type) ? ["True"] : allStatuses;
    const errors = type === "" ? [required(`${at}.type`)] : [];
    if (status === "") errors.push(required(`${at}.status`));
    else if (!statuses.includes(status)) errors.push(notSupported(`${at}.status`, status, statuses));
    const opposite = type === "Approved" ? "Denied" : type === "Denied" ? "Approved" : undefined;
    if (opposite !== undefined && seen.has(opposite))
      errors.push(invalid(path, type, "Approved and Denied conditions are mutually exclusive"));
    if (seen.has(type)) errors.push(duplicate(`${at}.type`, type));
    seen.add(type);
    return errors;
  });
}

function changeErrors(request: Request, old: Request, { mayApprove, mayIssue }: Rights): FieldError[] {
  const errors: FieldError[] = [];
  const no = (field: string, text: string) => errors.push(forbidden(`status.${field}`, text));
  const counts = (one: Request, type: string) => (one.status?.conditions ?? []).filter((each) => each.type === type);
  for (const type of alwaysTrue)
    if (counts(request, type).length < counts(old, type).length)
      no("conditions", `updates may not remove a condition of type ${goQuote(type)}`);
  for (const type of mayApprove ? [] : ["Approved", "Denied"]) {
    const now = counts(request, type);
    const before = counts(old, type);
    if (now.length > before.length) no("conditions", `updates may not add a condition of type ${goQuote(type)}`);
    else if (now.length === before.length && !semanticEqual(now, before))
      no("conditions", `updates may not modify a condition of type ${goQuote(type)}\n<internal>`);
  }
  const certificate = request.status?.certificate ?? "";
  const issued = old.status?.certificate ?? "";
  if (certificate === issued) return errors;
  if (!mayIssue) no("certificate", "updates may not set certificate content");
  else if (issued !== "") no("certificate", "updates may not modify existing certificate content");
  return errors;
}

/** What was there before is not looked at again, nor what comes after something bad. */
function certificateErrors(certificate: string, old: string): FieldError[] {
  const faultOf = (base64: string) => certificateFault(Buffer.from(base64, "base64").toString("latin1"));
  if (certificate === old || faultOf(old) !== undefined) return [];
  const fault = faultOf(certificate);
  return fault === undefined ? [] : [invalid("status.certificate", "<certificate data>", fault)];
}
