/**
 * CEL expressions about a device: their environment, what they may cost, and whether they can be run. Upstream:
 * dynamic-resource-allocation/cel/compile.go.
 */
import { CelCompileError, type CelProgram, compileCel } from "#api/cel/program.ts";
import { QuantityValue, semverOf } from "#api/cel/kubernetes-library.ts";
import { DefaultMap } from "#api/cel/value.ts";
import type { V1Device, V1DeviceAttribute } from "#api/generated/types.ts";
import { parseQuantity } from "#api/quantity.ts";
import { type CelType, mapOf, opaque, types, valueTypeText } from "#api/cel/types.ts";

const deviceType: CelType = {
  kind: "object",
  name: "kubernetes.DRADevice",
  fields: new Map([
    ["driver", types.string],
    ["allowMultipleAllocations", types.bool],
    ["attributes", mapOf(types.string, mapOf(types.string, types.dyn))],
    ["capacity", mapOf(types.string, mapOf(types.string, opaque("kubernetes.Quantity")))],
  ]),
};
const variables: ReadonlyMap<string, CelType> = new Map([["device", deviceType]]);

/** Throws CelCompileError. Its one variable is `device`: see deviceValue(). */
export const compileSelector = (expression: string): CelProgram =>
  compileCel(expression, variables, { hasBindings: true });

/** A device as expressions see it: attributes and capacity by domain, then by name. An unknown domain is empty. */
export function deviceValue(
  driver: string,
  { attributes = {}, capacity = {}, allowMultipleAllocations = false }: V1Device,
): Map<string, unknown> {
  return new Map<string, unknown>([
    ["driver", driver],
    ["allowMultipleAllocations", allowMultipleAllocations],
    ["attributes", byDomain(driver, attributes, attributeValue)],
    ["capacity", byDomain(driver, capacity, ({ value }) => new QuantityValue(parseQuantity(value)))],
  ]);
}

/** "name" in the driver's domain, "domain/name" in its own. */
export function qualifiedName(name: string, driver: string): { domain: string; id: string } {
  const slash = name.indexOf("/");
  return slash < 0 ? { domain: driver, id: name } : { domain: name.slice(0, slash), id: name.slice(slash + 1) };
}

function byDomain<T>(driver: string, entries: Readonly<Record<string, T>>, toCel: (entry: T) => unknown): DefaultMap {
  const domains = new DefaultMap([], new Map());
  for (const [name, entry] of Object.entries(entries)) {
    const { domain, id } = qualifiedName(name, driver);
    const known = domains.get(domain) as Map<string, unknown> | undefined;
    if (known === undefined) domains.set(domain, new Map([[id, toCel(entry)]]));
    else known.set(id, toCel(entry));
  }
  return domains;
}

function attributeValue({ int, bool, string, version }: V1DeviceAttribute): unknown {
  if (int !== undefined) return BigInt(int);
  if (version !== undefined) return semverOf(version);
  return bool ?? string;
}

/** Why an expression selects nothing, as upstream says it; undefined if it can be used. */
export function selectorFault(expression: string): string | undefined {
  try {
    const { type } = compileSelector(expression);
    if (type.kind === "bool" || type.kind === "dyn") return undefined;
    return `must evaluate to bool or the unknown type, not ${valueTypeText(type)}`;
  } catch (error) {
    if (!(error instanceof CelCompileError)) throw error;
    return `compilation failed: ${error.message}`;
  }
}
