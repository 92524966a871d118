/** A short, stable name for a template: equal templates give equal text, whatever the order of their keys. */
import { createHash } from "node:crypto";

const alphabet = "bcdfghjklmnpqrstvwxz2456789";
const hashLength = 10;

/** Ten letters and digits that spell no word. `collisions` gives another text for the same template. */
export function templateHash(template: unknown, collisions = 0): string {
  const digest = createHash("sha256").update(canonical(template)).update(`\n${collisions}`).digest();
  return Array.from(digest.subarray(0, hashLength), (byte) => alphabet[byte % alphabet.length]).join("");
}

/** JSON with sorted keys and without undefined fields: equal texts mean equal values. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`);
  return `{${fields.join(",")}}`;
}
