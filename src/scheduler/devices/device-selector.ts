/** CEL expressions about a device. Upstream: dynamic-resource-allocation/cel. */
import { Environment } from "@marcbachmann/cel-js";
import type { V1Device, V1DeviceAttribute } from "#api/generated/types.ts";
import { compareQuantities, parseQuantity, type Quantity } from "#api/quantity.ts";
import { PluginFailure } from "#scheduler/plugin.ts";

class CelQuantity {
  readonly amount: Quantity;
  constructor(amount: Quantity) {
    this.amount = amount;
  }
}

class CelVersion {
  readonly parts: readonly number[];
  constructor(text: string) {
    const [numbers = ""] = text.split(/[-+]/);
    this.parts = numbers.split(".").map(Number);
  }
}

const compare = (a: CelQuantity, b: CelQuantity): number => compareQuantities(a.amount, b.amount);

function compareVersions(a: CelVersion, b: CelVersion): number {
  for (let at = 0; at < 3; at++) {
    const difference = (a.parts[at] ?? 0) - (b.parts[at] ?? 0);
    if (difference !== 0) return Math.sign(difference);
  }
  return 0;
}

const environment = new Environment()
  .registerVariable("device", "dyn")
  .registerType("Quantity", CelQuantity)
  .registerType("Semver", CelVersion)
  .registerFunction("quantity(string): Quantity", (text: string) => new CelQuantity(parseQuantity(text)))
  .registerFunction("semver(string): Semver", (text: string) => new CelVersion(text))
  .registerFunction("Quantity.compareTo(Quantity): int", (a: CelQuantity, b: CelQuantity) => BigInt(compare(a, b)))
  .registerFunction("Quantity.isGreaterThan(Quantity): bool", (a: CelQuantity, b: CelQuantity) => compare(a, b) > 0)
  .registerFunction("Quantity.isLessThan(Quantity): bool", (a: CelQuantity, b: CelQuantity) => compare(a, b) < 0)
  .registerFunction("Semver.compareTo(Semver): int", (a: CelVersion, b: CelVersion) => BigInt(compareVersions(a, b)))
  .registerFunction("Semver.isGreaterThan(Semver): bool", (a: CelVersion, b: CelVersion) => compareVersions(a, b) > 0)
  .registerFunction("Semver.isLessThan(Semver): bool", (a: CelVersion, b: CelVersion) => compareVersions(a, b) < 0);

type Program = (variables: { device: unknown }) => unknown;

/** Expressions repeat from pod to pod. */
export const programsMax = 1000;
const programs = new Map<string, Program>();

/** Whether the expression holds for the device. Throws PluginFailure if it cannot be read or evaluated. */
export function selectsDevice(expression: string, driver: string, device: V1Device): boolean {
  try {
    return programOf(expression)({ device: celDevice(driver, device) }) === true;
  } catch (error) {
    const [first = ""] = String((error as Error).message).split("\n");
    throw new PluginFailure(`CEL runtime error: ${first}`, { cause: error });
  }
}

function programOf(expression: string): Program {
  const known = programs.get(expression);
  if (known !== undefined) return known;
  const program = environment.parse(expression) as unknown as Program;
  if (programs.size >= programsMax) programs.clear();
  programs.set(expression, program);
  return program;
}

/** "name" in the driver's domain, "domain/name" in its own. */
export function qualifiedName(name: string, driver: string): { domain: string; id: string } {
  const slash = name.indexOf("/");
  return slash < 0 ? { domain: driver, id: name } : { domain: name.slice(0, slash), id: name.slice(slash + 1) };
}

/** The shape that expressions see: attributes and capacity by domain, then by name. An unknown domain is empty. */
function celDevice(driver: string, { attributes = {}, capacity = {}, allowMultipleAllocations = false }: V1Device) {
  return {
    driver,
    allowMultipleAllocations,
    attributes: byDomain(driver, attributes, celAttribute),
    capacity: byDomain(driver, capacity, ({ value }) => new CelQuantity(parseQuantity(value))),
  };
}

function byDomain<T>(
  driver: string,
  entries: Readonly<Record<string, T>>,
  toCel: (entry: T) => unknown,
): Record<string, Record<string, unknown>> {
  const domains: Record<string, Record<string, unknown>> = { [driver]: {} };
  for (const [name, entry] of Object.entries(entries)) {
    const { domain, id } = qualifiedName(name, driver);
    (domains[domain] ??= {})[id] = toCel(entry);
  }
  return domains;
}

function celAttribute({ int, bool, string, version }: V1DeviceAttribute): unknown {
  if (int !== undefined) return BigInt(int);
  if (version !== undefined) return new CelVersion(version);
  return bool ?? string;
}
