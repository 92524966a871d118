/** The types that mutations name. Upstream: apiserver/pkg/cel/mutation/dynamic. */
import { StructValue } from "#api/cel/value.ts";
import { goQuote } from "#api/go-text.ts";

/** Parts of an object are named by where they are in it: "Object.spec" for its spec. Undefined: all are. */
export function typeNameFault(value: unknown): string | undefined {
  if (!(value instanceof StructValue)) return undefined;
  const faults = misnamed(value, value.typeName);
  return faults.length === 0 ? undefined : `type mismatch: ${faults.join("\n")}`;
}

function misnamed(value: unknown, expected: string): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => misnamed(item, expected));
  if (!(value instanceof Map)) return [];
  if (!(value instanceof StructValue)) return [...value.values()].flatMap((item) => misnamed(item, expected));
  const name = value.typeName;
  const own = `unexpected type name ${goQuote(name)}, expected ${goQuote(expected)}, which matches field name path from root Object type`;
  const inner = [...value].flatMap(([field, item]) => misnamed(item, `${expected}.${String(field)}`));
  return name === expected ? inner : [own, ...inner];
}
