/**
 * Formats of names, labels and the like. Each function returns the faults of a value as messages, none if it is fine.
 * Upstream: apimachinery/pkg/util/validation and pkg/api/validate/content, whose texts these are.
 */
import { isLongerThan } from "#api/go-text.ts";

export type NameRule = (name: string, prefix: boolean) => string[];

/** `text (e.g. 'a',  or 'b', regex used for validation is '…')`. */
export function regexError(text: string, pattern: string, ...examples: string[]): string {
  if (examples.length === 0) return `${text} (regex used for validation is '${pattern}')`;
  return `${text} (e.g. ${examples.map((example) => `'${example}', `).join(" or ")}regex used for validation is '${pattern}')`;
}

export const charactersError = (max: number): string => `must be no more than ${max} characters`;
export const bytesError = (max: number): string => `must be no more than ${max} bytes`;
export const emptyError = (): string => "must be non-empty";
export const rangeError = (low: number, high: number): string => `must be between ${low} and ${high}, inclusive`;

export const dnsLabelBytesMax = 63;
export const dnsSubdomainBytesMax = 253;
export const labelValueBytesMax = 63;

const labelPattern = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const subdomainPattern = `${labelPattern}(\\.${labelPattern})*`;
const underscoreLabelPattern = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const underscoreSubdomainPattern = `${underscoreLabelPattern}(\\.${underscoreLabelPattern})*`;
const dns1035Pattern = "[a-z]([-a-z0-9]*[a-z0-9])?";
const wildcardPattern = `\\*\\.${subdomainPattern}`;
const whole = (pattern: string) => new RegExp(`^(?:${pattern})$`);
const labelRule = whole(labelPattern);
const subdomainRule = whole(subdomainPattern);
const underscoreSubdomainRule = whole(underscoreSubdomainPattern);
const dns1035Rule = whole(dns1035Pattern);
const wildcardRule = whole(wildcardPattern);

const subdomainText =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
const labelText =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
const subdomainError = regexError(subdomainText, subdomainPattern, "example.com");
const labelError = regexError(labelText, labelPattern, "my-name", "123-abc");

export function isDns1123Label(value: string): string[] {
  const messages: string[] = [];
  if (isLongerThan(value, dnsLabelBytesMax)) messages.push(charactersError(dnsLabelBytesMax));
  if (labelRule.test(value)) return messages;
  messages.push(subdomainRule.test(value) ? "must not contain dots" : labelError);
  return messages;
}

export function isDns1123Subdomain(value: string): string[] {
  const messages: string[] = [];
  if (isLongerThan(value, dnsSubdomainBytesMax)) messages.push(charactersError(dnsSubdomainBytesMax));
  if (!subdomainRule.test(value)) messages.push(subdomainError);
  return messages;
}

export function isDns1123SubdomainWithUnderscore(value: string): string[] {
  const messages: string[] = [];
  if (isLongerThan(value, dnsSubdomainBytesMax)) messages.push(charactersError(dnsSubdomainBytesMax));
  if (!underscoreSubdomainRule.test(value)) {
    const text = subdomainText.replace("'-' or", "'_', '-' or");
    messages.push(regexError(text, underscoreSubdomainPattern, "example.com"));
  }
  return messages;
}

export function isDns1035Label(value: string): string[] {
  const messages: string[] = [];
  if (isLongerThan(value, dnsLabelBytesMax)) messages.push(charactersError(dnsLabelBytesMax));
  if (!dns1035Rule.test(value)) {
    const text =
      "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
    messages.push(regexError(text, dns1035Pattern, "my-name", "abc-123"));
  }
  return messages;
}

export function isWildcardDns1123Subdomain(value: string): string[] {
  const messages: string[] = [];
  if (isLongerThan(value, dnsSubdomainBytesMax)) messages.push(charactersError(dnsSubdomainBytesMax));
  if (!wildcardRule.test(value)) {
    const text =
      "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character";
    messages.push(regexError(text, wildcardPattern, "*.example.com"));
  }
  return messages;
}

const keyPattern = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const valuePattern = `(${keyPattern})?`;
const keyRule = whole(keyPattern);
const valueRule = whole(valuePattern);
const keyError = regexError(
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  keyPattern,
  "MyName",
  "my.name",
  "123-abc",
);
const valueError = regexError(
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  valuePattern,
  "MyValue",
  "my_value",
  "12345",
);

/** Upstream's IsQualifiedName, which is its IsLabelKey: `name` or `prefix/name`. */
export function isQualifiedName(value: string): string[] {
  const messages: string[] = [];
  const parts = value.split("/");
  if (parts.length > 2) {
    return [`a valid label key ${keyError} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  if (parts.length === 2) messages.push(...prefixFaults(parts[0]!).map((fault) => `prefix part ${fault}`));
  const name = parts.at(-1)!;
  if (name === "") messages.push(`name part ${emptyError()}`);
  else if (isLongerThan(name, dnsLabelBytesMax)) messages.push(`name part ${bytesError(dnsLabelBytesMax)}`);
  if (!keyRule.test(name)) messages.push(`name part ${keyError}`);
  return messages;
}

function prefixFaults(prefix: string): string[] {
  if (prefix === "") return [emptyError()];
  const faults: string[] = [];
  if (isLongerThan(prefix, dnsSubdomainBytesMax)) faults.push(bytesError(dnsSubdomainBytesMax));
  if (!subdomainRule.test(prefix)) faults.push(subdomainError);
  return faults;
}

export function isLabelValue(value: string): string[] {
  const messages: string[] = [];
  if (isLongerThan(value, labelValueBytesMax)) messages.push(bytesError(labelValueBytesMax));
  if (!valueRule.test(value)) messages.push(valueError);
  return messages;
}

const isPathBad = (name: string) => name === "." || name === "..";

/** A name that may stand in a URL path: upstream's IsValidPathSegmentName. */
export function isPathSegmentName(name: string): string[] {
  if (isPathBad(name)) return [`may not be '${name}'`];
  return ["/", "%"]
    .filter((character) => name.includes(character))
    .map((character) => `may not contain '${character}'`);
}

/** The same for a prefix to which more will be appended. */
export function isPathSegmentPrefix(name: string): string[] {
  return ["/", "%"]
    .filter((character) => name.includes(character))
    .map((character) => `may not contain '${character}'`);
}

/** A generateName ends where a random suffix begins, so its last dash is no fault. */
const maskTrailingDash = (name: string) => (name.length > 1 && name.endsWith("-") ? `${name.slice(0, -2)}a` : name);
const masked =
  (rule: (value: string) => string[]): NameRule =>
  (name, prefix) =>
    rule(prefix ? maskTrailingDash(name) : name);

export const nameIsDnsSubdomain: NameRule = masked(isDns1123Subdomain);
export const nameIsDnsLabel: NameRule = masked(isDns1123Label);
export const nameIsDns1035Label: NameRule = masked(isDns1035Label);
export const nameIsPathSegment: NameRule = (name, prefix) =>
  prefix ? isPathSegmentPrefix(name) : isPathSegmentName(name);
