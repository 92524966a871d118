/**
 * Reads configuration (kustomizations, transformer configurations, JSON patches in YAML): YAML 1.1 words, the last of equal keys
 * wins, merge keys override what stood before them.
 */
import { parseYaml } from "./composer.ts";
import { formatFloat, settledFloat } from "./go-number.ts";
import { resolveTagged } from "./resolve.ts";
import { Timestamp } from "./timestamp.ts";
import { type Plain, type PlainMap } from "./value.ts";
import { YamlError } from "./yaml-error.ts";
import { quotedStyles, Style, type YamlNode } from "./yaml-node.ts";

/** Documents whose aliases unfold to more values than this are refused. */
const decodedValuesMax = 1_000_000;

/** The data of the first document; `isStrict` refuses a key that comes twice. */
export function readConfig(text: string, isStrict = false): Plain {
  const node = parseYaml(text, "v2");
  return node === undefined ? null : new ConfigReader(isStrict).value(node);
}

class ConfigReader {
  readonly #isStrict: boolean;
  readonly #open = new Set<YamlNode>();
  #count = 0;

  constructor(isStrict: boolean) {
    this.#isStrict = isStrict;
  }

  value(node: YamlNode): Plain {
    this.#count += 1;
    if (this.#count > decodedValuesMax) throw new YamlError("document contains excessive aliasing");
    switch (node.kind) {
      case "scalar":
        return configScalar(node);
      case "sequence":
        return this.#inside(node, () => node.content.map((element) => this.value(element)));
      case "mapping":
        return this.#inside(node, () => this.#mapping(node, new Map()));
      case "alias":
        return this.value(node.alias!);
      default:
        return null;
    }
  }

  #inside<Result>(node: YamlNode, work: () => Result): Result {
    if (this.#open.has(node)) throw new YamlError(`anchor '${node.anchor}' value contains itself`);
    this.#open.add(node);
    const result = work();
    this.#open.delete(node);
    return result;
  }

  #mapping(node: YamlNode, result: PlainMap): PlainMap {
    const own = new Set<string>();
    for (let index = 0; index + 1 < node.content.length; index += 2) {
      const [key, value] = [node.content[index]!, node.content[index + 1]!];
      if (isMergeKey(key)) this.#merge(value, result);
      else {
        const name = keyText(key);
        if (this.#isStrict && own.has(name)) throw new YamlError(`key "${name}" already set in map`, key.line);
        own.add(name);
        result.set(name, this.value(value));
      }
    }
    return result;
  }

  #merge(value: YamlNode, result: PlainMap): void {
    const source = value.kind === "alias" ? value.alias! : value;
    if (source.kind === "mapping") this.#inside(source, () => this.#mapping(source, result));
    else if (value.kind === "sequence")
      for (const element of value.content.toReversed()) this.#mergeElement(element, result);
    else throw new YamlError("map merge requires map or sequence of maps as the value");
  }

  #mergeElement(element: YamlNode, result: PlainMap): void {
    const source = element.kind === "alias" ? element.alias! : element;
    if (source.kind !== "mapping") throw new YamlError("map merge requires map or sequence of maps as the value");
    this.#merge(element, result);
  }
}

const isMergeKey = (key: YamlNode): boolean => key.kind === "scalar" && key.value === "<<" && key.tag === "!!merge";

function keyText(key: YamlNode): string {
  const node = key.kind === "alias" ? key.alias! : key;
  if (node.kind !== "scalar") throw new YamlError("invalid map key");
  const value = configScalar(node);
  if (value === null) throw new YamlError("unsupported map key of type: %!s(<nil>)");
  return typeof value === "number" && !Number.isSafeInteger(value) ? formatFloat(value) : String(value);
}

function configScalar(node: YamlNode): Exclude<Plain, Plain[] | PlainMap> {
  const { style, tag, value } = node;
  const isTagged = (style & Style.tagged) !== 0;
  if (!isTagged && (style & quotedStyles) !== 0) return value;
  if (isTagged && tag === "!!binary") return Buffer.from(value, "base64").toString("utf8");
  const found = resolveTagged(isTagged ? tag : "", value, "v2");
  if (found === undefined) throw new YamlError(`cannot decode \`${value}\` as a ${tag}`);
  if (found.value instanceof Timestamp) return value;
  if (typeof found.value !== "number") return found.value;
  if (!Number.isFinite(found.value)) throw new YamlError(`unsupported value: ${value}`);
  return settledFloat(found.value);
}
