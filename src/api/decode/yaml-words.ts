/** What a scalar of YAML 1.1 means, as go-yaml reads it: words, numbers, tags. */
import { JsonNumber } from "./json-value.ts";
import { YamlError } from "./yaml-token.ts";

const words = new Map<string, boolean | null>([
  ...["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"].map((word) => [word, true] as const),
  ...["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"].map((word) => [word, false] as const),
  ...["", "~", "null", "Null", "NULL"].map((word) => [word, null] as const),
]);

const tagPrefix = "!<tag:yaml.org,2002:";

/** A scalar with a tag. Tags that mean nothing make strings. */
export function taggedValue(tag: string, text: string): unknown {
  const isLong = tag.startsWith(tagPrefix);
  const name = tag.startsWith("!!") ? tag.slice(2) : isLong ? tag.slice(tagPrefix.length, -1) : "";
  if (name === "binary") return Buffer.from(text, "base64").toString("utf8");
  const value = plainValue(text);
  const isNumber = typeof value === "number" || value instanceof JsonNumber;
  const fits: Readonly<Record<string, boolean>> = {
    int: isNumber,
    float: isNumber,
    bool: typeof value === "boolean",
    null: value === null,
  };
  if (!Object.hasOwn(fits, name)) return text;
  if (fits[name] === true) return value;
  throw new YamlError(`yaml: cannot decode !!str \`${text}\` as a !!${name}`);
}

/** What a word without quotes means in YAML 1.1, as go-yaml reads it. */
export function plainValue(text: string): unknown {
  const word = words.get(text);
  if (word !== undefined) return word;
  if (!/^[-+.0-9]/.test(text)) return text;
  const number = integerOf(text.replaceAll("_", "")) ?? floatOf(text.replaceAll("_", ""));
  return number ?? text;
}

function integerOf(text: string): number | JsonNumber | undefined {
  const match = /^([-+]?)(?:(0[xX][0-9a-fA-F]+)|(0[bB][01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/.exec(text);
  if (match === null) return undefined;
  const [, sign, hexadecimal, binary, octal, decimal] = match;
  const value = BigInt(hexadecimal ?? binary ?? (octal === undefined ? decimal! : `0o${octal}`));
  const signed = sign === "-" ? -value : value;
  if (signed > 0xffff_ffff_ffff_ffffn || signed < -0x8000_0000_0000_0000n) return floatOf(text);
  return signed.toString().length <= 15 ? Number(signed) : new JsonNumber(signed.toString());
}

function floatOf(text: string): number | JsonNumber | undefined {
  if (/^[-+]?\.(inf|Inf|INF)$/.test(text))
    throw new YamlError(`json: unsupported value: ${text.startsWith("-") ? "-" : "+"}Inf`);
  if (/^\.(nan|NaN|NAN)$/.test(text)) throw new YamlError("json: unsupported value: NaN");
  if (!/^[-+]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)([eE][-+][0-9]+)?$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isInteger(value) && Math.abs(value) < 1e15 ? value : new JsonNumber(String(value));
}
