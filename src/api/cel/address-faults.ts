/** Why a text is no IP address or network, as Go's net/netip says it (ParseAddr, ParsePrefix). */
import { goQuote } from "#api/go-text.ts";

/** undefined: it is an address, if of a form that not all take (zones, IPv4 in IPv6). */
export function addressFault(text: string): string | undefined {
  const [first] = /[.:%]/.exec(text) ?? [];
  const fault = first === "." ? ipv4Fault(text) : first === ":" ? ipv6Fault(text) : first === "%" ? noAddress : noIp;
  if (fault === undefined) return undefined;
  const at = fault.at === undefined ? "" : ` (at ${goQuote(fault.at)})`;
  return `ParseAddr(${goQuote(text)}): ${fault.text}${at}`;
}

export function prefixFault(text: string): string | undefined {
  const slash = text.lastIndexOf("/");
  const fault = slash < 0 ? "no '/'" : partsFault(text.slice(0, slash), text.slice(slash + 1));
  return fault === undefined ? undefined : `netip.ParsePrefix(${goQuote(text)}): ${fault}`;
}

function partsFault(address: string, bits: string): string | undefined {
  const fault = addressFault(address);
  if (fault !== undefined) return fault;
  if (address.includes("%")) return "IPv6 zones cannot be present in a prefix";
  if (!/^(?:0|[1-9]\d{0,18})$/.test(bits)) return `bad bits after slash: ${goQuote(bits)}`;
  return Number(bits) > (address.includes(":") ? 128 : 32) ? "prefix length out of range" : undefined;
}

interface Fault {
  text: string;
  /** Where it shows. */
  at?: string;
}
const noAddress: Fault = { text: "missing IPv6 address" };
const noIp: Fault = { text: "unable to parse IP" };

function ipv4Fault(text: string): Fault | undefined {
  let fields = 0;
  let digits = 0;
  let value = 0;
  for (let at = 0; at < text.length; at += 1) {
    const one = text[at]!;
    if (/\d/.test(one)) {
      if (digits === 1 && value === 0) return { text: "IPv4 field has octet with leading zero" };
      value = value * 10 + Number(one);
      digits += 1;
      if (value > 255) return { text: "IPv4 field has value >255" };
    } else if (one === ".") {
      if (at === 0 || at === text.length - 1 || text[at - 1] === ".")
        return { text: "IPv4 field must have at least one digit", at: text.slice(at) };
      if (fields === 3) return { text: "IPv4 address too long" };
      fields += 1;
      digits = 0;
      value = 0;
    } else return { text: "unexpected character", at: text.slice(at) };
  }
  return fields < 3 ? { text: "IPv4 address too short" } : undefined;
}

const bytesOfAddress = 16;

function ipv6Fault(text: string): Fault | undefined {
  const percent = text.indexOf("%");
  if (percent === text.length - 1) return { text: "zone must be a non-empty string" };
  let rest = percent < 0 ? text : text.slice(0, percent);
  let hasGap = rest.startsWith("::");
  if (hasGap) rest = rest.slice(2);
  if (hasGap && rest === "") return undefined;
  let bytes = 0;
  while (bytes < bytesOfAddress) {
    const [digits] = /^[0-9a-fA-F]*/.exec(rest)!;
    if (digits.length > 4) return { text: "each group must have 4 or less digits", at: rest };
    if (digits === "") return { text: "each colon-separated field must have at least one digit", at: rest };
    const after = rest.slice(digits.length);
    if (after.startsWith(".")) {
      const fault = embeddedFault(rest, bytes, hasGap);
      if (fault !== undefined) return fault;
      rest = "";
      bytes += 4;
      break;
    }
    bytes += 2;
    rest = after;
    if (rest === "") break;
    if (!rest.startsWith(":")) return { text: "unexpected character, want colon", at: rest };
    if (rest === ":") return { text: "colon must be followed by more characters", at: rest };
    rest = rest.slice(1);
    if (!rest.startsWith(":")) continue;
    if (hasGap) return { text: "multiple :: in address", at: rest };
    hasGap = true;
    rest = rest.slice(1);
    if (rest === "") break;
  }
  if (rest !== "") return { text: "trailing garbage after address", at: rest };
  if (bytes < bytesOfAddress) return hasGap ? undefined : { text: "address string too short" };
  return hasGap ? { text: "the :: must expand to at least one field of zeros" } : undefined;
}

/** An IPv4 address at the end of one of IPv6. */
function embeddedFault(rest: string, bytes: number, hasGap: boolean): Fault | undefined {
  if (!hasGap && bytes !== bytesOfAddress - 4)
    return { text: "embedded IPv4 address must replace the final 2 fields of the address", at: rest };
  if (bytes + 4 > bytesOfAddress)
    return { text: "too many hex fields to fit an embedded IPv4 at the end of the address", at: rest };
  return ipv4Fault(rest);
}
