/** Names around devices, and lists with a limit. Upstream: pkg/apis/resource/validation/validation.go. */
import { csiDriverErrors } from "#api/core/volume-sources.ts";
import type { FieldError } from "#api/field-error.ts";
import { isLongerThan } from "#api/go-text.ts";
import { duplicate, invalid, invalidEach, raw, required, tooLong, tooMany } from "#api/validation/field-errors.ts";
import { isCIdentifier } from "#api/validation/formats.ts";
import { dnsSubdomain } from "#api/validation/values.ts";

const poolNameBytesMax = 253;
const identifierBytesMax = 32;
/** A domain, a slash and an identifier. Longer keys are shown without their middle. */
const keyBytesMax = 63 + 1 + identifierBytesMax;
type Rule<T> = (item: T, path: string) => FieldError[];

/** At most so many, each by its rule. Too many are counted, not looked at. */
export function listErrors<T>(items: readonly T[] | undefined, itemsMax: number, path: string, rule: Rule<T>) {
  const given = items ?? [];
  if (given.length > itemsMax) return [tooMany(path, given.length, itemsMax)];
  return given.flatMap((item, index) => rule(item, `${path}[${index}]`));
}

/** The same, and none twice: `key` is what must differ, shown where it does not. */
export function setErrors<T>(
  items: readonly T[] | undefined,
  itemsMax: number,
  path: string,
  key: (item: T) => string,
  rule: Rule<T>,
): FieldError[] {
  const given = items ?? [];
  const errors = listErrors(given, itemsMax, path, rule);
  return given.length > itemsMax ? errors : [...errors, ...twiceErrors(given.map(key), path)];
}

/** What is there for the second time. `isPlain`: shown without quotes, as upstream shows what is no string. */
export function twiceErrors(keys: readonly string[], path: string, isPlain = false): FieldError[] {
  const seen = new Set<string>();
  return keys.flatMap((key, index) => {
    if (!seen.has(key)) {
      seen.add(key);
      return [];
    }
    return [duplicate(`${path}[${index}]`, isPlain ? raw(key) : key)];
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

/** "name" or "domain/name". Upstream takes whatever has more slashes. */
export function qualifiedNameErrors(name: string, field: string): FieldError[] {
  const [first = "", second, ...rest] = name.split("/");
  if (second === undefined) return identifierErrors(first, field);
  if (rest.length > 0) return [];
  return [
    ...(first === "" ? [invalid(field, "", "the domain must not be empty")] : csiDriverErrors(first, field)),
    ...(second === "" ? [invalid(field, "", "the name must not be empty")] : identifierErrors(second, field)),
  ];
}

/** "domain/name". */
export const fullNameErrors = (name: string, field: string): FieldError[] => [
  ...qualifiedNameErrors(name, field),
  ...(name.includes("/")
    ? []
    : [invalid(field, name, "a fully qualified name must be a domain and a name separated by a slash")]),
];

/** Keys and items, each by its rule at the key's path. */
export const mapErrors = <T>(
  map: Readonly<Record<string, T>>,
  path: string,
  keyRule: Rule<string>,
  rule: Rule<T>,
  bytesMax = keyBytesMax,
): FieldError[] =>
  Object.entries(map).flatMap(([key, item]) => {
    const at = `${path}[${shortened(key, bytesMax)}]`;
    return [...keyRule(key, at), ...rule(item, at)];
  });

function shortened(key: string, bytesMax: number): string {
  if (key.length <= bytesMax) return key;
  const left = bytesMax - 3;
  return `${key.slice(0, Math.floor((left + 1) / 2))}...${key.slice(key.length - Math.floor(left / 2))}`;
}

const uuid = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;

/** Why google/uuid cannot read a text; undefined if it can. */
function uuidFault(text: string): string | undefined {
  const format = "invalid UUID format";
  switch (text.length) {
    case 36:
      return uuid.test(text) ? undefined : format;
    case 45:
      if (!/^urn:uuid:/i.test(text)) return `invalid urn prefix: ${JSON.stringify(text.slice(0, 9))}`;
      return uuid.test(text.slice(9)) ? undefined : format;
    case 38:
      if (!/^\{.*\}$/s.test(text)) return "invalid bracketed UUID format";
      return uuid.test(text.slice(1, -1)) ? undefined : format;
    case 32:
      return /^[0-9a-fA-F]{32}$/.test(text) ? undefined : format;
    default:
      return `invalid UUID length: ${text.length}`;
  }
}

const uuidText =
  "uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters";

export function uidErrors(uid: string, field: string): FieldError[] {
  const fault = uuidFault(uid);
  if (fault !== undefined) return [invalid(field, uid, `error validating uid: ${fault}`)];
  return uid.length === 36 && uid === uid.toLowerCase() ? [] : [invalid(field, uid, uuidText)];
}
