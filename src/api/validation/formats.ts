/**
 * Formats of values that are no object names: ports, environment variables, config keys, percentages, HTTP headers, domain
 * names. Each returns the faults as messages or field errors. Upstream: apimachinery/pkg/util/validation/validation.go.
 */
import type { FieldError } from "#api/field-error.ts";
import { isLongerThan, isPrintable } from "#api/go-text.ts";
import { invalid, invalidEach, required } from "./field-errors.ts";
import {
  charactersError,
  dnsSubdomainBytesMax,
  emptyError,
  isDns1123Label,
  isDns1123Subdomain,
  isQualifiedName,
  rangeError,
  regexError,
} from "./names.ts";

const portNameMax = 15;
const idMax = 0x7fff_ffff;
export const int64MaxText = "9223372036854775807";

export const isPortNumber = (port: number): string[] => (port >= 1 && port <= 65_535 ? [] : [rangeError(1, 65_535)]);
export const isInRange = (value: number, low: number, high: number): string[] =>
  value >= low && value <= high ? [] : [rangeError(low, high)];
export const isUserId = (id: number): string[] => isInRange(id, 0, idMax);
export const isGroupId = isUserId;

export function isPortName(port: string): string[] {
  const messages: string[] = [];
  if (isLongerThan(port, portNameMax)) messages.push(charactersError(portNameMax));
  if (!/^[-a-z0-9]+$/.test(port))
    messages.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  if (!/[a-z]/.test(port)) messages.push("must contain at least one letter (a-z)");
  if (port.includes("--")) messages.push("must not contain consecutive hyphens");
  if (port !== "" && (port.startsWith("-") || port.endsWith("-"))) messages.push("must not begin or end with a hyphen");
  return messages;
}

export function isPercent(value: string): string[] {
  if (/^[0-9]+%$/.test(value)) return [];
  return [
    regexError("a valid percent string must be a numeric string followed by an ending '%'", "[0-9]+%", "1%", "93%"),
  ];
}

export function isHttpHeaderName(value: string): string[] {
  if (/^[-A-Za-z0-9]+$/.test(value)) return [];
  return [
    regexError("a valid HTTP header must consist of alphanumeric characters or '-'", "[-A-Za-z0-9]+", "X-Header-Name"),
  ];
}

/** The rule since 1.30: any printable ASCII but "=". */
export function isEnvironmentName(value: string): string[] {
  const messages: string[] = [];
  if (value === "") messages.push(`environment variable name ${emptyError()}`);
  if (/[^ -~]|=/.test(value)) {
    messages.push("a valid environment variable name must consist only of printable ASCII characters other than '='");
  }
  return messages;
}

export function isCIdentifier(value: string): string[] {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(value)) return [];
  const text =
    "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'";
  return [regexError(text, "[A-Za-z_][A-Za-z0-9_]*", "my_name", "MY_NAME", "MyName")];
}

/** A key of a ConfigMap or Secret. */
export function isConfigMapKey(value: string): string[] {
  const messages: string[] = [];
  if (isLongerThan(value, dnsSubdomainBytesMax)) messages.push(charactersError(dnsSubdomainBytesMax));
  if (!/^[-._a-zA-Z0-9]+$/.test(value)) {
    const text = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
    messages.push(regexError(text, "[-._a-zA-Z0-9]+", "key.name", "KEY_NAME", "key-name"));
  }
  return [...messages, ...parentPathFaults(value)];
}

function parentPathFaults(value: string): string[] {
  if (value === "." || value === "..") return [`must not be '${value}'`];
  return value.startsWith("..") ? ["must not start with '..'"] : [];
}

/** At least three segments. */
export function fullyQualifiedNameErrors(field: string, name: string): FieldError[] {
  if (name === "") return [required(field)];
  const faults = isDns1123Subdomain(name);
  if (faults.length > 0) return [invalid(field, name, faults.join(","))];
  if (name.split(".").length >= 3) return [];
  return [invalid(field, name, "should be a domain with at least three segments separated by dots")];
}

/** At least two segments, with or without the last dot. */
export function fullyQualifiedDomainNameErrors(field: string, value: string): FieldError[] {
  if (value === "") return [required(field)];
  const name = value.endsWith(".") ? value.slice(0, -1) : value;
  const faults = isDns1123Subdomain(name);
  if (faults.length > 0) return [invalid(field, name, faults.join(","))];
  const labels = name.split(".");
  if (labels.length < 2) {
    return [invalid(field, name, "should be a domain with at least two segments separated by dots")];
  }
  for (const label of labels) {
    const labelFaults = isDns1123Label(label);
    if (labelFaults.length > 0) return [invalid(field, label, labelFaults.join(","))];
  }
  return [];
}

/** "acme.io/foo", whose second half is an HTTP path. */
export function domainPrefixedPathErrors(field: string, path: string): FieldError[] {
  if (path === "") return [required(field)];
  const cut = path.indexOf("/");
  if (cut <= 0 || cut === path.length - 1) {
    return [invalid(field, path, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  }
  const errors = invalidEach(field, path.slice(0, cut), isDns1123Subdomain(path.slice(0, cut)));
  const rest = path.slice(cut + 1);
  if (!/^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/.test(rest)) {
    errors.push(invalid(field, rest, regexError("Invalid path", "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+")));
  }
  return errors;
}

/** "acme.io/foo", whose second half is a name. */
export function domainPrefixedKeyErrors(field: string, key: string): FieldError[] {
  if (key === "") return [required(field)];
  const errors = invalidEach(field, key, isQualifiedName(key));
  if (errors.length > 0 || key.includes("/")) return errors;
  return [invalid(field, key, 'must be a domain-prefixed key (such as "acme.io/foo")')];
}

export const fieldManagerBytesMax = 128;

/** What is wrong with the characters of a field manager's name: each of them that cannot be printed. */
export function fieldManagerFaults(manager: string): string[] {
  const faults: string[] = [];
  let at = 0;
  for (const character of manager) {
    if (!isPrintable(character)) {
      const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
      faults.push(`invalid character U+${code} (at position ${at})`);
    }
    at += Buffer.byteLength(character);
  }
  return faults;
}
