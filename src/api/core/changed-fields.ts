/** What changed of an object, for people to read. Upstream prints its own structs there, in the form of go-cmp. */
import { semanticEqual } from "#api/validation/values.ts";

/** Fields that are not as they were, with both values; `type` is what upstream calls the struct. */
export function changedFields(type: string, now: object, old: object): string {
  const [after, before] = [now, old] as Record<string, unknown>[];
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])];
  const lines = names
    .filter((name) => !semanticEqual(after![name], before![name]))
    .flatMap((name) => [`-\t${name}: ${shown(before![name])},`, `+\t${name}: ${shown(after![name])},`]);
  return `  ${type}{\n${lines.join("\n")}\n  }\n`;
}

export const shown = (value: unknown): string => JSON.stringify(value) ?? "nil";
