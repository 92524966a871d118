/** Names around devices, and lists with a limit. Upstream: pkg/apis/resource/validation/validation.go. */
import type { FieldError } from "#api/field-error.ts";
import { isLongerThan } from "#api/go-text.ts";
import { duplicate, invalid, invalidEach, required, tooLong, tooMany } from "#api/validation/field-errors.ts";
import { isCIdentifier } from "#api/validation/formats.ts";
import { isDns1123Subdomain } from "#api/validation/names.ts";
import { dnsSubdomain } from "#api/validation/values.ts";

const poolNameBytesMax = 253;
const domainBytesMax = 63;
const identifierBytesMax = 32;
type Rule<T> = (item: T, path: string) => FieldError[];

/** At most so many, each by its rule. */
export function listErrors<T>(items: readonly T[] | undefined, itemsMax: number, path: string, rule: Rule<T>) {
  const given = items ?? [];
  return [
    ...given.flatMap((item, index) => rule(item, `${path}[${index}]`)),
    ...(given.length > itemsMax ? [tooMany(path, given.length, itemsMax)] : []),
  ];
}

/** The same, and none twice: `key` is what must differ, shown where it does not. */
export function setErrors<T>(
  items: readonly T[] | undefined,
  itemsMax: number,
  path: string,
  key: (item: T) => string,
  rule: Rule<T>,
): FieldError[] {
  const seen = new Set<string>();
  return listErrors(items, itemsMax, path, (item, at) => {
    const errors = rule(item, at);
    if (seen.has(key(item))) errors.push(duplicate(at, key(item)));
    seen.add(key(item));
    return errors;
  });
}

/** Subdomains between slashes. */
export function poolNameErrors(name: string, field: string): FieldError[] {
  if (name === "") return [required(field)];
  return [
    ...(isLongerThan(name, poolNameBytesMax) ? [tooLong(field, poolNameBytesMax)] : []),
    ...name.split("/").flatMap((part) => dnsSubdomain(field, part)),
  ];
}

function identifierErrors(name: string, field: string): FieldError[] {
  return [
    ...(isLongerThan(name, identifierBytesMax) ? [tooLong(field, identifierBytesMax)] : []),
    ...invalidEach(field, name, isCIdentifier(name)),
  ];
}

/** "name" or "domain/name". */
export function qualifiedNameErrors(name: string, field: string): FieldError[] {
  if (name === "") return [required(field, "name required")];
  const [first = "", second, ...rest] = name.split("/");
  if (second === undefined) return identifierErrors(first, field);
  if (rest.length > 0) return [invalid(field, name, "a qualified name must be either a name or a domain and a name")];
  return [
    ...(first === "" ? [invalid(field, "", "the domain must not be empty")] : domainErrors(first, field)),
    ...(second === "" ? [invalid(field, "", "the name must not be empty")] : identifierErrors(second, field)),
  ];
}

const domainErrors = (domain: string, field: string): FieldError[] => [
  ...(isLongerThan(domain, domainBytesMax) ? [tooLong(field, domainBytesMax)] : []),
  ...invalidEach(field, domain, isDns1123Subdomain(domain)),
];

/** "domain/name". */
export const fullNameErrors = (name: string, field: string): FieldError[] => [
  ...qualifiedNameErrors(name, field),
  ...(name === "" || name.includes("/")
    ? []
    : [invalid(field, name, "a fully qualified name must be a domain and a name separated by a slash")]),
];
