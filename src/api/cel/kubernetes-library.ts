/** What Kubernetes adds to CEL: regexps, URLs, addresses, quantities, versions, formats. Upstream: apiserver/pkg/cel/library. */
import { RE2JS } from "re2js";
import { isFormat } from "#api/apiextensions/formats.ts";
import { goQuote } from "#api/go-text.ts";
import { escapedPath, type GoUrl, parseRequestUrl, queryValues } from "#api/go-url.ts";
import { containsCidr } from "#api/networking/cidr-range.ts";
import { addQuantities, compareQuantities, parseQuantity, type Quantity, subtractQuantities } from "#api/quantity.ts";
import { type Cidr, type Address, canonicalAddress, parseAddress, parseCidr } from "#api/validation/ip.ts";
import {
  isDns1035Label,
  isDns1123Label,
  isDns1123Subdomain,
  isLabelValue,
  isQualifiedName,
} from "#api/validation/names.ts";
import { addressFault, prefixFault } from "./address-faults.ts";
import type { Declaration } from "./functions.ts";
import { parseSemver, compareSemver, type SemverParts } from "./semver.ts";
import { CelError, Opaque, Optional, none } from "./value.ts";

const patternOf = (text: string): RE2JS => {
  try {
    return RE2JS.compile(text);
  } catch (error) {
    throw new CelError(`Illegal regex: ${(error as Error).message}`);
  }
};

function findAll(text: string, pattern: string, count: bigint): string[] {
  const matcher = patternOf(pattern).matcher(text);
  const found: string[] = [];
  while ((count < 0n || BigInt(found.length) < count) && matcher.find()) found.push(matcher.group() ?? "");
  return found;
}

const regexps: readonly Declaration[] = [
  ["string.find(string): string", (text: string, pattern: string) => findAll(text, pattern, 1n)[0] ?? ""],
  ["string.findAll(string): list(string)", (text: string, pattern: string) => findAll(text, pattern, -1n)],
  ["string.findAll(string, int): list(string)", findAll],
];

class UrlValue extends Opaque {
  readonly typeName = "kubernetes.URL";
  readonly url: GoUrl;
  readonly text: string;

  constructor(text: string) {
    super();
    const url = parseRequestUrl(text);
    if (typeof url === "string") throw new CelError(`URL parse error during conversion from string: ${url}`);
    this.url = url;
    this.text = text;
  }

  equals(other: unknown): boolean {
    return other instanceof UrlValue && other.text === this.text;
  }
}

const portOf = (host: string): string => /:(\d*)$/.exec(host)?.[1] ?? "";
const hostnameOf = (host: string): string => host.replace(/:\d*$/, "").replace(/^\[(.*)\]$/, "$1");

function succeeds(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}

const urls: readonly Declaration[] = [
  ["url(string): kubernetes.URL", (text: string) => new UrlValue(text)],
  ["isURL(string): bool", (text: string) => succeeds(() => new UrlValue(text))],
  ["kubernetes.URL.getScheme(): string", ({ url }: UrlValue) => url.scheme],
  ["kubernetes.URL.getHost(): string", ({ url }: UrlValue) => url.host],
  ["kubernetes.URL.getHostname(): string", ({ url }: UrlValue) => hostnameOf(url.host)],
  ["kubernetes.URL.getPort(): string", ({ url }: UrlValue) => portOf(url.host)],
  ["kubernetes.URL.getEscapedPath(): string", ({ url }: UrlValue) => escapedPath(url)],
  ["kubernetes.URL.getQuery(): map(string, list(string))", ({ url }: UrlValue) => queryValues(url)],
];

class IpValue extends Opaque {
  readonly typeName = "net.IP";
  readonly address: Address;
  override readonly size: number;

  constructor(address: Address) {
    super();
    this.address = address;
    this.size = bitsOf(address) / 8;
  }

  equals(other: unknown): boolean {
    return (
      other instanceof IpValue &&
      other.address.family === this.address.family &&
      other.address.value === this.address.value
    );
  }
}

const isMapped = ({ family, value }: Address): boolean => family === "IPv6" && value >> 32n === 0xffffn;

/** Why a text is no address here; those with zones and those of IPv4 in IPv6 are none. */
function ipFault(text: string): string | undefined {
  const fault = addressFault(text);
  const quoted = goQuote(text);
  if (fault !== undefined) return `IP Address ${quoted} parse error during conversion from string: ${fault}`;
  if (text.includes("%")) return `IP address ${quoted} with zone value is not allowed`;
  return isMapped(parseAddress(text)!) ? `IPv4-mapped IPv6 address ${quoted} is not allowed` : undefined;
}

function ipOf(text: string): IpValue {
  const fault = ipFault(text);
  if (fault !== undefined) throw new CelError(fault);
  return new IpValue(parseAddress(text)!);
}

/** Whether an address is in a range. */
const isIn = ({ address }: IpValue, ...ranges: string[]): boolean =>
  ranges.some((range) => {
    const outer = parseCidr(range)!;
    return containsCidr(outer, { ...address, prefix: address.family === "IPv4" ? 32 : 128 });
  });

const isGlobal = (ip: IpValue): boolean =>
  !isIn(
    ip,
    "0.0.0.0/32",
    "255.255.255.255/32",
    "::/128",
    "127.0.0.0/8",
    "::1/128",
    "224.0.0.0/4",
    "ff00::/8",
    "169.254.0.0/16",
    "fe80::/10",
  );

const ips: readonly Declaration[] = [
  ["ip(string): net.IP", ipOf],
  ["isIP(string): bool", (text: string) => ipFault(text) === undefined],
  ["::ip.isCanonical(string): bool", (text: string) => canonicalAddress(ipOf(text).address) === text],
  ["string(net.IP): string", ({ address }: IpValue) => canonicalAddress(address)],
  ["net.IP.family(): int", ({ address }: IpValue) => (address.family === "IPv4" ? 4n : 6n)],
  ["net.IP.isUnspecified(): bool", (ip: IpValue) => isIn(ip, "0.0.0.0/32", "::/128")],
  ["net.IP.isLoopback(): bool", (ip: IpValue) => isIn(ip, "127.0.0.0/8", "::1/128")],
  ["net.IP.isLinkLocalMulticast(): bool", (ip: IpValue) => isIn(ip, "224.0.0.0/24", "ff02::/16")],
  ["net.IP.isLinkLocalUnicast(): bool", (ip: IpValue) => isIn(ip, "169.254.0.0/16", "fe80::/10")],
  ["net.IP.isGlobalUnicast(): bool", isGlobal],
];

class CidrValue extends Opaque {
  readonly typeName = "net.CIDR";
  readonly cidr: Cidr;
  override readonly size: number;

  constructor(cidr: Cidr) {
    super();
    this.cidr = cidr;
    this.size = Math.ceil(cidr.prefix / 8);
  }

  equals(other: unknown): boolean {
    return other instanceof CidrValue && cidrText(other.cidr) === cidrText(this.cidr);
  }
}

const cidrText = (cidr: Cidr): string => `${canonicalAddress(cidr)}/${cidr.prefix}`;
function cidrFault(text: string): string | undefined {
  const fault = prefixFault(text);
  if (fault !== undefined) return `network address parse error during conversion from string: ${fault}`;
  return isMapped(parseCidr(text)!) ? `IPv4-mapped IPv6 address ${goQuote(text)} is not allowed` : undefined;
}

function cidrOf(text: string): CidrValue {
  const fault = cidrFault(text);
  // Upstream says so twice where the text is no address at all.
  if (fault !== undefined) throw new CelError(`network address parse error during conversion from string: ${fault}`);
  return new CidrValue(parseCidr(text)!);
}

const bitsOf = ({ family }: Address): number => (family === "IPv4" ? 32 : 128);
const contains = ({ cidr }: CidrValue, { address }: IpValue): boolean =>
  containsCidr(cidr, { ...address, prefix: bitsOf(address) });

const isWithin = (outer: Cidr, inner: Cidr): boolean => outer.prefix <= inner.prefix && containsCidr(outer, inner);

function masked({ cidr }: CidrValue): CidrValue {
  const host = BigInt(bitsOf(cidr) - cidr.prefix);
  return new CidrValue({ ...cidr, value: (cidr.value >> host) << host });
}

const cidrs: readonly Declaration[] = [
  ["cidr(string): net.CIDR", cidrOf],
  ["isCIDR(string): bool", (text: string) => cidrFault(text) === undefined],
  ["string(net.CIDR): string", ({ cidr }: CidrValue) => cidrText(cidr)],
  ["net.CIDR.containsIP(string): bool", (cidr: CidrValue, text: string) => contains(cidr, ipOf(text))],
  ["net.CIDR.containsIP(net.IP): bool", contains],
  ["net.CIDR.containsCIDR(string): bool", (cidr: CidrValue, text: string) => isWithin(cidr.cidr, cidrOf(text).cidr)],
  ["net.CIDR.containsCIDR(net.CIDR): bool", (a: CidrValue, b: CidrValue) => isWithin(a.cidr, b.cidr)],
  ["net.CIDR.ip(): net.IP", ({ cidr }: CidrValue) => new IpValue({ family: cidr.family, value: cidr.value })],
  ["net.CIDR.masked(): net.CIDR", masked],
  ["net.CIDR.prefixLength(): int", ({ cidr }: CidrValue) => BigInt(cidr.prefix)],
];

export class QuantityValue extends Opaque {
  readonly typeName = "kubernetes.Quantity";
  readonly quantity: Quantity;

  constructor(quantity: Quantity) {
    super();
    this.quantity = quantity;
  }

  equals(other: unknown): boolean {
    return other instanceof QuantityValue && other.quantity.nanos === this.quantity.nanos;
  }
}

function quantityOf(text: string): QuantityValue {
  try {
    return new QuantityValue(parseQuantity(text));
  } catch (error) {
    throw new CelError((error as Error).message);
  }
}

const nano = 1_000_000_000n;
const ofWhole = (count: bigint): Quantity => ({ nanos: count * nano, format: "DecimalSI" });
const isWhole = ({ quantity }: QuantityValue): boolean =>
  quantity.nanos % nano === 0n && BigInt.asIntN(64, quantity.nanos / nano) === quantity.nanos / nano;

function wholeOf(value: QuantityValue): bigint {
  if (!isWhole(value)) throw new CelError("cannot convert value to integer");
  return value.quantity.nanos / nano;
}

const order = (a: QuantityValue, b: QuantityValue): number => compareQuantities(a.quantity, b.quantity);
const quantities: readonly Declaration[] = [
  ["quantity(string): kubernetes.Quantity", quantityOf],
  ["isQuantity(string): bool", (text: string) => succeeds(() => parseQuantity(text))],
  [
    "kubernetes.Quantity.sign(): int",
    ({ quantity }: QuantityValue) => (quantity.nanos > 0n ? 1n : quantity.nanos < 0n ? -1n : 0n),
  ],
  [
    "kubernetes.Quantity.isGreaterThan(kubernetes.Quantity): bool",
    (a: QuantityValue, b: QuantityValue) => order(a, b) > 0,
  ],
  [
    "kubernetes.Quantity.isLessThan(kubernetes.Quantity): bool",
    (a: QuantityValue, b: QuantityValue) => order(a, b) < 0,
  ],
  [
    "kubernetes.Quantity.compareTo(kubernetes.Quantity): int",
    (a: QuantityValue, b: QuantityValue) => BigInt(Math.sign(order(a, b))),
  ],
  ["kubernetes.Quantity.asApproximateFloat(): double", ({ quantity }: QuantityValue) => Number(quantity.nanos) / 1e9],
  ["kubernetes.Quantity.asInteger(): int", wholeOf],
  ["kubernetes.Quantity.isInteger(): bool", isWhole],
  [
    "kubernetes.Quantity.add(kubernetes.Quantity): kubernetes.Quantity",
    (a: QuantityValue, b: QuantityValue) => new QuantityValue(addQuantities(a.quantity, b.quantity)),
  ],
  [
    "kubernetes.Quantity.add(int): kubernetes.Quantity",
    (a: QuantityValue, b: bigint) => new QuantityValue(addQuantities(a.quantity, ofWhole(b))),
  ],
  [
    "kubernetes.Quantity.sub(kubernetes.Quantity): kubernetes.Quantity",
    (a: QuantityValue, b: QuantityValue) => new QuantityValue(subtractQuantities(a.quantity, b.quantity)),
  ],
  [
    "kubernetes.Quantity.sub(int): kubernetes.Quantity",
    (a: QuantityValue, b: bigint) => new QuantityValue(subtractQuantities(a.quantity, ofWhole(b))),
  ],
];

class SemverValue extends Opaque {
  readonly typeName = "kubernetes.Semver";
  readonly parts: SemverParts;

  constructor(parts: SemverParts) {
    super();
    this.parts = parts;
  }

  equals(other: unknown): boolean {
    return other instanceof SemverValue && compareSemver(this.parts, other.parts) === 0;
  }
}

export const semverOf = (text: string, normalizes = false): SemverValue =>
  new SemverValue(parseSemver(text, normalizes));
const later = (a: SemverValue, b: SemverValue): number => compareSemver(a.parts, b.parts);
const semvers: readonly Declaration[] = [
  ["semver(string): kubernetes.Semver", (text: string) => semverOf(text)],
  ["semver(string, bool): kubernetes.Semver", semverOf],
  ["isSemver(string): bool", (text: string) => succeeds(() => semverOf(text))],
  ["isSemver(string, bool): bool", (text: string, normalizes: boolean) => succeeds(() => semverOf(text, normalizes))],
  ["kubernetes.Semver.major(): int", ({ parts }: SemverValue) => parts.numbers[0]],
  ["kubernetes.Semver.minor(): int", ({ parts }: SemverValue) => parts.numbers[1]],
  ["kubernetes.Semver.patch(): int", ({ parts }: SemverValue) => parts.numbers[2]],
  ["kubernetes.Semver.isGreaterThan(kubernetes.Semver): bool", (a: SemverValue, b: SemverValue) => later(a, b) > 0],
  ["kubernetes.Semver.isLessThan(kubernetes.Semver): bool", (a: SemverValue, b: SemverValue) => later(a, b) < 0],
  ["kubernetes.Semver.compareTo(kubernetes.Semver): int", (a: SemverValue, b: SemverValue) => BigInt(later(a, b))],
];

class FormatValue extends Opaque {
  readonly typeName = "kubernetes.NamedFormat";
  readonly name: string;

  constructor(name: string) {
    super();
    this.name = name;
  }

  equals(other: unknown): boolean {
    return other instanceof FormatValue && other.name === this.name;
  }
}

const prefixed = (rule: (name: string) => string[]) => (text: string) => rule(text.replace(/-$/, "a"));
const byFormat = (format: string, text: string) => (value: string) => (isFormat(format, value) ? [] : [text]);
const formatRules: Readonly<Record<string, (text: string) => string[]>> = {
  dns1123Label: isDns1123Label,
  dns1123Subdomain: isDns1123Subdomain,
  dns1035Label: isDns1035Label,
  qualifiedName: isQualifiedName,
  dns1123LabelPrefix: prefixed(isDns1123Label),
  dns1123SubdomainPrefix: prefixed(isDns1123Subdomain),
  dns1035LabelPrefix: prefixed(isDns1035Label),
  labelValue: isLabelValue,
  uri: byFormat("uri", "invalid URI"),
  uuid: byFormat("uuid", "does not match the UUID format"),
  byte: byFormat("byte", "invalid base64"),
  date: byFormat("date", "invalid date"),
  datetime: byFormat("date-time", "invalid datetime"),
};

const formats: readonly Declaration[] = [
  ...Object.keys(formatRules).map((name): Declaration => [
    `::format.${name}(): kubernetes.NamedFormat`,
    () => new FormatValue(name),
  ]),
  [
    "::format.named(string): optional_type(kubernetes.NamedFormat)",
    (name: string) => (Object.hasOwn(formatRules, name) ? new Optional(true, new FormatValue(name)) : none),
  ],
  [
    "kubernetes.NamedFormat.validate(string): optional_type(list(string))",
    ({ name }: FormatValue, text: string) => {
      const faults = formatRules[name]!(text);
      return faults.length === 0 ? none : new Optional(true, faults);
    },
  ],
];

export const kubernetesLibrary: readonly Declaration[] = [
  ...regexps,
  ...urls,
  ...ips,
  ...cidrs,
  ...quantities,
  ...semvers,
  ...formats,
];
export const kubernetesTypes: readonly string[] = [
  "kubernetes.URL",
  "net.IP",
  "net.CIDR",
  "kubernetes.Quantity",
  "kubernetes.Semver",
  "kubernetes.NamedFormat",
];
