/** The types of CEL, how they are written, and when one stands for another. Upstream: google/cel-go checker. */

export interface CelType {
  /** "int", "list", "map", "object", "optional_type", "opaque", "type", "param", "dyn", … */
  kind: string;
  /** Of objects, opaque types and parameters. */
  name?: string;
  of?: readonly CelType[];
  /** Of objects: undefined for one that may have any. */
  fields?: ReadonlyMap<string, CelType>;
  /** How the items of a list are told apart where order does not count. */
  list?: { type: "set" | "map"; keys: readonly string[] };
  /** Text that stands for a value of this type in JSON: format "date-time", "duration", "byte". */
  isNullable?: boolean;
}

const plain = (kind: string): CelType => ({ kind });
export const types = {
  int: plain("int"),
  uint: plain("uint"),
  double: plain("double"),
  bool: plain("bool"),
  string: plain("string"),
  bytes: plain("bytes"),
  null: plain("null"),
  dyn: plain("dyn"),
  timestamp: plain("timestamp"),
  duration: plain("duration"),
  error: plain("error"),
};
export const listOf = (item: CelType): CelType => ({ kind: "list", of: [item] });
export const mapOf = (key: CelType, value: CelType): CelType => ({ kind: "map", of: [key, value] });
export const optionalOf = (of: CelType): CelType => ({ kind: "optional_type", of: [of] });
export const opaque = (name: string): CelType => ({ kind: "opaque", name });
export const typeOfType = (of: CelType): CelType => ({ kind: "type", of: [of] });

/** What the fields of any value would be. */
export const isDynamic = ({ kind }: CelType): boolean => kind === "dyn" || kind === "error";

export function typeText(type: CelType): string {
  switch (type.kind) {
    case "error":
      return "!error!";
    case "object":
    case "opaque":
    case "param":
      return type.name ?? "";
    default:
      return type.of === undefined ? type.kind : `${type.kind}(${type.of.map(typeText).join(", ")})`;
  }
}

/** As values say it: "google.protobuf.Timestamp". */
export function valueTypeText(type: CelType): string {
  const name = valueTypeNames[type.kind] ?? typeText({ ...type, of: undefined });
  return type.of === undefined ? name : `${name}(${type.of.map(valueTypeText).join(", ")})`;
}
const valueTypeNames: Readonly<Record<string, string>> = {
  null: "null_type",
  timestamp: "google.protobuf.Timestamp",
  duration: "google.protobuf.Duration",
};

/** Whether two types are written alike. */
export function areAlike(a: CelType, b: CelType): boolean {
  const hasName = a.kind === "object" || a.kind === "opaque";
  if (a.kind !== b.kind || (hasName && a.name !== b.name)) return false;
  return (a.of ?? []).every((one, index) => areAlike(one, b.of?.[index] ?? types.dyn));
}

/** "list(A)", "map(K, V)", "net.IP" as types; capitals of one letter are parameters. */
export function parseType(text: string): CelType {
  const open = text.indexOf("(");
  if (open === -1) {
    const simple = (types as Record<string, CelType>)[text];
    if (simple !== undefined) return simple;
    return /^[A-Z]$/.test(text) ? { kind: "param", name: text } : opaque(text);
  }
  return { kind: text.slice(0, open), of: splitTypes(text.slice(open + 1, -1)).map(parseType) };
}

export function splitTypes(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let current = "";
  for (const character of text) {
    if (character === "(") depth += 1;
    if (character === ")") depth -= 1;
    if (character === "," && depth === 0) {
      parts.push(current.trim());
      current = "";
    } else current += character;
  }
  return current.trim() === "" ? parts : [...parts, current.trim()];
}
