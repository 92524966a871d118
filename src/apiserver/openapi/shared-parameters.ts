/**
 * Version 2 says a parameter once, under a name that tells its content, and refers to it from operations.
 * Upstream: kube-openapi/pkg/builder/parameters.go.
 */
import type { Schema } from "./schema.ts";

/** What clients look for in each operation stays there, and so does what names a kind. */
function isShared({ name, in: place, schema }: Schema): boolean {
  if (place === "body") return /\.meta\.v1\.(?:DeleteOptions|Patch)$/.test(String((schema as Schema)["$ref"]));
  return name !== "name" && name !== "fieldValidation" && name !== "dryRun";
}

export class SharedParameters {
  readonly table: Record<string, Schema> = {};
  readonly #names = new Map<string, string>();

  /** A reference to the parameter, or the parameter itself. */
  refer(parameter: Schema): Schema {
    if (!isShared(parameter)) return parameter;
    const content = JSON.stringify(parameter);
    const name = this.#names.get(content) ?? this.#add(parameter, content);
    return { $ref: `#/parameters/${name}` };
  }

  #add(parameter: Schema, content: string): string {
    const name = `${String(parameter["name"])}-${contentHash(asGo(content))}`;
    this.#names.set(content, name);
    this.table[name] = parameter;
    return name;
  }
}

/** JSON as Go writes it: what HTML gives a meaning is escaped. */
const asGo = (json: string): string =>
  json.replace(/[<>&]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);

const offset = 0xcbf29ce484222325n;
const prime = 0x100000001b3n;

/** The first six bytes of 64-bit FNV-1, in URL-safe base64. */
function contentHash(text: string): string {
  let hash = offset;
  for (const byte of Buffer.from(text)) hash = BigInt.asUintN(64, hash * prime) ^ BigInt(byte);
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(hash);
  return bytes.subarray(0, 6).toString("base64url");
}
