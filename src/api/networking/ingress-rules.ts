/** The rules of ingresses. Upstream: pkg/apis/networking/validation/validation.go, ValidateIngressCreate and its kin. */
import type {
  V1HTTPIngressPath,
  V1Ingress,
  V1IngressBackend,
  V1IngressRule,
  V1IngressTLS,
} from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { invalid, invalidEach, notSupported, required } from "#api/validation/field-errors.ts";
import { isPortName, isPortNumber } from "#api/validation/formats.ts";
import { ipErrors, ipWarnings, parseAddress } from "#api/validation/ip.ts";
import { isDns1123Subdomain, isWildcardDns1123Subdomain } from "#api/validation/names.ts";
import { dnsLabel, dnsSubdomain } from "#api/validation/values.ts";
import { objectReferenceErrors } from "./object-reference.ts";

const classAnnotation = "kubernetes.io/ingress.class";
const pathTypes = ["Exact", "ImplementationSpecific", "Prefix"];
const badSequences = ["//", "/./", "/../", "%2f", "%2F"];
const badSuffixes = ["/..", "/."];
const notAnAddress = "must be a DNS name, not an IP address";

export function ingressErrors(ingress: V1Ingress, old: V1Ingress | undefined): FieldError[] {
  const { defaultBackend, rules, tls, ingressClassName } = ingress.spec ?? {};
  const errors: FieldError[] = [];
  if ((rules ?? []).length === 0 && defaultBackend === undefined)
    errors.push(invalid("spec", rules ?? null, "either `defaultBackend` or `rules` must be specified"));
  if (defaultBackend !== undefined) errors.push(...backendErrors(defaultBackend, "spec.defaultBackend"));
  const tolerates = tolerated(old);
  for (const [index, rule] of (rules ?? []).entries())
    errors.push(...ruleErrors(rule, `spec.rules[${index}]`, tolerates.wildcardRules));
  for (const [index, one] of (tls ?? []).entries())
    errors.push(...tlsErrors(one, `spec.tls[${index}]`, tolerates.secretNames));
  if (ingressClassName !== undefined) errors.push(...dnsSubdomain("spec.ingressClassName", ingressClassName));
  return old === undefined ? [...errors, ...classErrors(ingress)] : errors;
}

/** What an ingress of old times already has wrong may stay wrong. */
function tolerated(old: V1Ingress | undefined) {
  const { rules = [], tls = [] } = old?.spec ?? {};
  return {
    secretNames: tls.some(({ secretName = "" }) => secretNameErrors(secretName, "").length > 0),
    wildcardRules: rules.some((rule) => rule.host?.includes("*") === true && httpErrors(rule, "").length > 0),
  };
}

/** The annotation of old versions and the field must not contradict each other; their path lacks "metadata". */
function classErrors({ metadata, spec }: V1Ingress): FieldError[] {
  const annotated = metadata.annotations?.[classAnnotation];
  const named = spec?.ingressClassName;
  if (annotated === undefined || named === undefined || annotated === named) return [];
  return [
    invalid(`annotations.${classAnnotation}`, annotated, "must match `ingressClassName` when both are specified"),
  ];
}

function ruleErrors(rule: V1IngressRule, path: string, toleratesWildcards: boolean): FieldError[] {
  const { host = "" } = rule;
  const isWildcard = host.includes("*");
  const errors = host === "" ? [] : ruleHostErrors(host, `${path}.host`);
  return isWildcard && toleratesWildcards ? errors : [...errors, ...httpErrors(rule, path)];
}

const ruleHostErrors = (host: string, field: string): FieldError[] => [
  ...(parseAddress(host) === undefined ? [] : [invalid(field, host, notAnAddress)]),
  ...hostErrors(host, field),
];

const hostErrors = (host: string, field: string): FieldError[] =>
  invalidEach(field, host, host.includes("*") ? isWildcardDns1123Subdomain(host) : isDns1123Subdomain(host));

function httpErrors({ http }: V1IngressRule, path: string): FieldError[] {
  if (http === undefined) return [];
  const at = `${path}.http.paths`;
  const paths = http.paths ?? [];
  if (paths.length === 0) return [required(at)];
  return paths.flatMap((one, index) => pathErrors(one, `${at}[${index}]`));
}

function pathErrors({ path: text = "", pathType, backend }: V1HTTPIngressPath, path: string): FieldError[] {
  // A type that is not given is there as null.
  if (pathType === undefined || pathType === null) return [required(`${path}.pathType`, "pathType must be specified")];
  const field = `${path}.path`;
  const bad = (detail: string) => invalid(field, text, detail);
  const errors: FieldError[] = [];
  const isFree = pathType === "ImplementationSpecific";
  if (!pathTypes.includes(pathType)) errors.push(notSupported(`${path}.pathType`, pathType, pathTypes));
  else if (!text.startsWith("/") && !(isFree && text === "")) errors.push(bad("must be an absolute path"));
  if (pathType === "Exact" || pathType === "Prefix") {
    for (const sequence of badSequences)
      if (text.includes(sequence)) errors.push(bad(`must not contain '${sequence}'`));
    for (const suffix of badSuffixes) if (text.endsWith(suffix)) errors.push(bad(`cannot end with '${suffix}'`));
  }
  return [...errors, ...backendErrors(backend ?? {}, `${path}.backend`)];
}

function backendErrors({ resource, service }: V1IngressBackend, path: string): FieldError[] {
  if (resource !== undefined && service !== undefined)
    return [invalid(path, "", "cannot set both resource and service backends")];
  if (resource !== undefined) return objectReferenceErrors(resource, `${path}.resource`);
  if (service === undefined) return [invalid(path, "", "resource or service backend is required")];
  const { name = "", port } = service;
  const nameErrors = name === "" ? [required(`${path}.service.name`)] : dnsLabel(`${path}.service.name`, name);
  return [...nameErrors, ...backendPortErrors(port ?? {}, path)];
}

function backendPortErrors({ name = "", number = 0 }: { name?: string; number?: number }, path: string): FieldError[] {
  if (name !== "" && number !== 0) return [invalid(path, "", "cannot set both port name & port number")];
  if (name !== "") return invalidEach(`${path}.service.port.name`, name, isPortName(name));
  if (number !== 0) return invalidEach(`${path}.service.port.number`, number, isPortNumber(number));
  return [required(path, "port name or number is required")];
}

function tlsErrors({ hosts, secretName = "" }: V1IngressTLS, path: string, toleratesNames: boolean): FieldError[] {
  const errors = (hosts ?? []).flatMap((host, index) => hostErrors(host, `${path}.hosts[${index}]`));
  return toleratesNames ? errors : [...errors, ...secretNameErrors(secretName, `${path}.secretName`)];
}

const secretNameErrors = (name: string, field: string): FieldError[] => (name === "" ? [] : dnsSubdomain(field, name));

export function ingressStatusErrors({ status }: V1Ingress, old: V1Ingress | undefined): FieldError[] {
  const known = new Set((old?.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip));
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip = "", hostname = "" }, index) => {
    const path = `status.loadBalancer.ingress[${index}]`;
    const errors = ip === "" || known.has(ip) ? [] : ipErrors(`${path}.ip`, ip);
    if (hostname === "") return errors;
    errors.push(...dnsSubdomain(`${path}.hostname`, hostname));
    if (parseAddress(hostname) !== undefined) errors.push(invalid(`${path}.hostname`, hostname, notAnAddress));
    return errors;
  });
}

export const ingressStatusWarnings = ({ status }: V1Ingress): string[] =>
  (status?.loadBalancer?.ingress ?? []).flatMap(({ ip = "" }, index) =>
    ipWarnings(`status.loadBalancer.ingress[${index}]`, ip),
  );

export const ingressWarnings = ({ metadata }: V1Ingress, old: V1Ingress | undefined): string[] =>
  old === undefined && metadata.annotations?.[classAnnotation] !== undefined
    ? [`annotation "${classAnnotation}" is deprecated, please use 'spec.ingressClassName' instead`]
    : [];
