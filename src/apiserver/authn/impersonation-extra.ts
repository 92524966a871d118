/** What the extra fields of a user that someone wants to be must look like. Upstream: validateExtra. */
import { goQuote } from "#api/go-text.ts";
import { aggregateText, fieldErrorText } from "#api/validation/field-errors.ts";
import { domainPrefixedPathErrors } from "#api/validation/formats.ts";

export function extraFault(extra: Readonly<Record<string, readonly string[]>>): string | undefined {
  for (const [key, values] of Object.entries(extra)) {
    if (key === "") return "impersonating the empty string key in extra is not allowed";
    const faults = domainPrefixedPathErrors("extra.key", key).map(fieldErrorText);
    if (faults.length > 0) return `impersonating an invalid key in extra is not allowed: ${aggregateText(faults)}`;
    if (key !== key.toLowerCase()) return `impersonating a non-lowercase key in extra is not allowed: ${goQuote(key)}`;
    if (values.length === 0) return "impersonating empty values in extra is not allowed";
    if (values.includes("")) return "impersonating the empty string value in extra is not allowed";
  }
  return undefined;
}
