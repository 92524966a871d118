/**
 * CEL expressions about a device: their environment, what they may cost, and whether they can be run. Upstream:
 * dynamic-resource-allocation/cel/compile.go.
 */
import { CelCompileError, type CelProgram, compileCel } from "#api/cel/program.ts";
import { QuantityValue, semverOf } from "#api/cel/kubernetes-library.ts";
import { DefaultMap } from "#api/cel/value.ts";
import { programCost } from "#api/cel/cost.ts";
import type { ValueSize } from "#api/cel/size.ts";
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

export interface SelectorFault {
  text: string;
  kind: "invalid" | "forbidden" | "internal";
}

const text = (charactersMax: number): ValueSize => ({ elementsMax: charactersMax, bytesMin: 2 });
const entriesMax = 32;
const named = (value: ValueSize): ValueSize => ({
  elementsMax: entriesMax,
  bytesMin: 2,
  key: text(63),
  item: { elementsMax: entriesMax, bytesMin: 2, key: text(32), item: value },
});
/** How large what an expression sees can be. */
const deviceSize: ValueSize = {
  elementsMax: 0,
  bytesMin: 2,
  fields: new Map([
    ["driver", text(63)],
    ["allowMultipleAllocations", { elementsMax: 1, bytesMin: 4 }],
    ["attributes", named(text(64))],
    ["capacity", named({ elementsMax: 1, bytesMin: 1 })],
  ]),
};
const costMax = 1_000_000;

/** Why an expression selects nothing, as upstream says it; undefined if it can be used. */
export function selectorFault(expression: string): SelectorFault | undefined {
  try {
    const program = compileSelector(expression);
    const { type } = program;
    if (type.kind !== "bool" && type.kind !== "dyn")
      return { text: `must evaluate to bool or the unknown type, not ${valueTypeText(type)}`, kind: "invalid" };
    if (program.constantFault !== undefined) return { text: program.constantFault, kind: "internal" };
    if (programCost(program, deviceSize) <= costMax) return undefined;
    return { text: "too complex, exceeds cost limit", kind: "forbidden" };
  } catch (error) {
    if (!(error instanceof CelCompileError)) throw error;
    return { text: `compilation failed: ${error.message}`, kind: "invalid" };
  }
}
