/** The members of a YAML map: keys become text, a repeated one is reported, and maps are merged in. */
import { goQuote } from "#api/go-text.ts";
import { JsonNumber, setMember } from "./json-value.ts";
import { type Mark, YamlError } from "./yaml-token.ts";

/** Repeated keys that are told. */
const repeatedKeysMax = 1000;

/** Stands for the key `<<`, whose value is merged into the map. */
export const mergeKey = Symbol("<<");

export class Members {
  readonly #map: Record<string, unknown> = {};
  readonly #merged: unknown[] = [];
  readonly #repeated: string[];

  constructor(repeated: string[]) {
    this.#repeated = repeated;
  }

  add(key: unknown, { line }: Mark, value: unknown): void {
    if (key === mergeKey) {
      this.#merged.push(value);
      return;
    }
    const name = keyText(key, value);
    if (Object.hasOwn(this.#map, name) && this.#repeated.length < repeatedKeysMax) {
      this.#repeated.push(`line ${line + 1}: key ${goLiteral(key)} already set in map`);
    }
    setMember(this.#map, name, value);
  }

  map(): Record<string, unknown> {
    for (const source of this.#merged.flat()) mergeInto(this.#map, source);
    return this.#map;
  }
}

function mergeInto(map: Record<string, unknown>, source: unknown): void {
  if (typeof source !== "object" || source === null) {
    throw new YamlError("yaml: map merge requires map or sequence of maps as the value");
  }
  for (const [key, value] of Object.entries(source)) if (!Object.hasOwn(map, key)) setMember(map, key, value);
}

function keyText(key: unknown, value: unknown): string {
  if (typeof key === "string") return key;
  if (typeof key === "number" || typeof key === "boolean") return String(key);
  if (key instanceof JsonNumber) return key.text;
  if (key !== null) throw new YamlError(`yaml: invalid map key: ${goLiteral(key)}`);
  throw new YamlError(`unsupported map key of type: %!s(<nil>), key: <nil>, value: ${goLiteral(value)}`);
}

/** `%#v` of what go-yaml reads. */
function goLiteral(value: unknown): string {
  if (value === null) return "<nil>";
  if (typeof value === "string") return goQuote(value);
  if (value instanceof JsonNumber) return value.text;
  if (Array.isArray(value)) return `[]interface {}{${value.map(nestedLiteral).join(", ")}}`;
  if (typeof value !== "object") return String(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[interface {}]interface {}{${members.map(([key, one]) => `${goQuote(key)}:${nestedLiteral(one)}`).join(", ")}}`;
}

function nestedLiteral(value: unknown): string {
  return value === null ? "interface {}(nil)" : goLiteral(value);
}
