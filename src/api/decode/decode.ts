/**
 * From the bytes of a request to an object of the kind it is about, or the 400 that upstream answers. Defaults and validation
 * come after this. Upstream: apimachinery/pkg/runtime/serializer, apiserver/pkg/endpoints/handlers/create.go.
 */
import { sortedJson } from "#api/go-text.ts";
import { apiVersionOf, type UnknownObject } from "#api/object.ts";
import { builtInTypeOf } from "#api/schema/built-in.ts";
import { omitEmpties } from "#api/schema/empties.ts";
import type { StructType } from "#api/schema/model.ts";
import { badRequest } from "#api/status-catalogue.ts";
import type { StatusError } from "#api/status-error.ts";
import { ConformError, conform } from "./conform.ts";
import { parseJson } from "./json.ts";
import { JsonNumber, JsonSyntaxError, jsonTypeName, plainJson, type JsonDocument } from "./json-value.ts";
import { ProtobufError, decodeProtobuf } from "./protobuf.ts";
import { YamlError, parseYaml } from "./yaml.ts";

export type BodyFormat = "json" | "yaml" | "protobuf";
export type FieldValidation = "Strict" | "Warn" | "Ignore";

export interface ExpectedKind {
  group: string;
  version: string;
  kind: string;
  struct: StructType;
  /** An older version of the same form, which a body may be of as well. */
  olderVersion?: string;
}

export interface Body {
  format: BodyFormat;
  bytes: Uint8Array;
}

export interface DecodedBody {
  /** Of the expected kind and version, `kind` and `apiVersion` set. */
  object: UnknownObject;
  /** Texts of `Warning: 299` headers. */
  warnings: string[];
  /** Some list or map is there and empty: src/api/schema/empties.ts. */
  holdsEmpties: boolean;
}

interface ActualKind {
  group: string;
  version: string;
  kind: string;
}

/** Throws StatusError 400. */
export function decodeBody(body: Body, expected: ExpectedKind, fieldValidation: FieldValidation): DecodedBody {
  let actual: ActualKind | undefined;
  try {
    const { document, kind, strictErrors } = read(body, expected, (found) => (actual = found));
    actual = kind;
    if (kind.version === "")
      throw new ConformError(`Object 'apiVersion' is missing in '${textOfBody(body, document)}'`);
    const struct = structOf(kind, expected);
    const conformed = conform(document.value, struct, { duplicates: document.duplicates });
    if (conformed.strictErrors.length > 0) strictErrors.push(...conformed.strictErrors);
    if (fieldValidation === "Strict" && strictErrors.length > 0) {
      throw new ConformError(`strict decoding error: ${strictErrors.join(", ")}`);
    }
    checkConvertible(kind, expected, struct);
    checkVersion(kind, expected);
    return {
      object: named(conformed.object, kind),
      warnings: fieldValidation === "Warn" ? strictErrors.flatMap(warningsOf) : [],
      holdsEmpties: conformed.holdsEmpties,
    };
  } catch (error) {
    throw decodeFailure(error, actual, expected, body.bytes);
  }
}

/** The same for an object that never was text: a request in the server's own process. */
export function decodeValue(value: unknown, expected: ExpectedKind, fieldValidation: FieldValidation): DecodedBody {
  let actual: ActualKind | undefined;
  try {
    actual = withDefaults(interpret(value), expected);
    const struct = structOf(actual, expected);
    const { object, strictErrors, holdsEmpties } = conform(value, struct);
    if (fieldValidation === "Strict" && strictErrors.length > 0) {
      throw new ConformError(`strict decoding error: ${strictErrors.join(", ")}`);
    }
    checkConvertible(actual, expected, struct);
    checkVersion(actual, expected);
    return { object: named(object, actual), warnings: fieldValidation === "Warn" ? strictErrors : [], holdsEmpties };
  } catch (error) {
    throw decodeFailure(error, actual, expected, Buffer.from(JSON.stringify(value) ?? ""));
  }
}

/** What upstream's JSON decoder had before it: a YAML body is JSON by then. */
const textOfBody = ({ format, bytes }: Body, { value }: JsonDocument): string =>
  format === "yaml" ? sortedJson(plainJson(value)) : Buffer.from(bytes).toString("utf8");

const optionsScheme = "k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27";

/**
 * The body of a DELETE: options of `kind`, in whatever group and version, with upstream's bare texts. Throws StatusError 400.
 */
export function decodeOptions(body: Body, kind: string, struct: StructType): Record<string, unknown> {
  try {
    const { document, kind: actual } = read(body, { group: "", version: "v1", kind, struct });
    if (actual.kind !== kind) {
      const where = `version "${apiVersionOf(actual)}" in scheme "${optionsScheme}"`;
      throw new ConformError(`no kind "${actual.kind}" is registered for ${where}`);
    }
    const { object, holdsEmpties } = conform(document.value, struct, { duplicates: document.duplicates });
    if (holdsEmpties) omitEmpties(object, struct);
    return object;
  } catch (error) {
    throw isUnreadable(error) ? badRequest(error.message) : error;
  }
}

/** A patched document as an object of the expected kind. Throws ConformError, with encoding/json's texts. */
export function conformToKind(
  value: unknown,
  expected: ExpectedKind,
): { object: UnknownObject; strictErrors: string[]; holdsEmpties: boolean } {
  const actual = withDefaults(interpret(value), expected);
  const struct = structOf(actual, expected);
  const { object, strictErrors, holdsEmpties } = conform(value, struct);
  checkConvertible(actual, expected, struct);
  return { object: named(object, expected), strictErrors, holdsEmpties };
}

interface ReadBody {
  document: JsonDocument;
  kind: ActualKind;
  strictErrors: string[];
}

/** `onKind` hears what the body says it is as soon as that is known. */
function read({ format, bytes }: Body, expected: ExpectedKind, onKind?: (kind: ActualKind) => void): ReadBody {
  if (format === "protobuf") {
    const { value, ...said } = decodeProtobuf(bytes, (found) => {
      const kind = withDefaults(found, expected);
      onKind?.(kind);
      return structOf(kind, expected);
    });
    return { document: { value, duplicates: undefined }, kind: withDefaults(said, expected), strictErrors: [] };
  }
  if (format === "yaml") {
    const { value, errors } = parseYaml(bytes);
    const kind = withDefaults(interpret(value), expected);
    return { document: { value, duplicates: undefined }, kind, strictErrors: errors };
  }
  let document: JsonDocument;
  try {
    document = parseJson(bytes);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    throw new ConformError(`${interpretText} ${error.message}`);
  }
  return { document, kind: withDefaults(interpret(document.value), expected), strictErrors: [] };
}

const interpretText = "couldn't get version/kind; json parse error:";
const typeMetaText =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

/** What a document says of itself. */
export function interpret(value: unknown): ActualKind {
  if (value === null || value === undefined) return { group: "", version: "", kind: "" };
  if (typeof value !== "object" || Array.isArray(value) || value instanceof JsonNumber) {
    const what = `json: cannot unmarshal ${jsonTypeName(value)}`;
    throw new ConformError(`${interpretText} ${what} into Go value of type ${typeMetaText}`);
  }
  const { apiVersion, kind } = value as Record<string, unknown>;
  return { ...parseGroupVersion(textOf("apiVersion", apiVersion)), kind: textOf("kind", kind) };
}

function textOf(name: string, value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  const what = `json: cannot unmarshal ${jsonTypeName(value)}`;
  throw new ConformError(`${interpretText} ${what} into Go struct field .${name} of type string`);
}

/** "apps/v1" → its parts; throws for more than one slash. */
export function parseGroupVersion(apiVersion: string): { group: string; version: string } {
  const parts = apiVersion.split("/");
  if (parts.length > 2) throw new ConformError(`unexpected GroupVersion string: ${apiVersion}`);
  return parts.length === 2 ? { group: parts[0]!, version: parts[1]! } : { group: "", version: parts[0]! };
}

function withDefaults(actual: ActualKind, expected: ExpectedKind): ActualKind {
  const kind = actual.kind === "" ? expected.kind : actual.kind;
  if (actual.version !== "") return { ...actual, kind };
  if (actual.group === "" || actual.group === expected.group) {
    return { group: expected.group, version: expected.version, kind };
  }
  return { ...actual, kind };
}

function structOf(actual: ActualKind, expected: ExpectedKind): StructType {
  const { group, version, kind } = actual;
  const isOfVersion = version === expected.version || version === expected.olderVersion;
  if (group === expected.group && isOfVersion && kind === expected.kind) return expected.struct;
  const struct = builtInTypeOf(group, version, kind);
  if (struct !== undefined) return struct;
  const where = `version "${apiVersionOf(actual)}" in scheme "pkg/api/legacyscheme/scheme.go:30"`;
  throw new ConformError(`no kind "${kind}" is registered for ${where}`);
}

/** Kinds of one internal type: upstream keeps both groups' events as one. */
const sameInternally = new Set(["Event.", "Event.events.k8s.io"]);

function checkConvertible(actual: ActualKind, expected: ExpectedKind, struct: StructType): void {
  if (actual.kind === expected.kind && actual.group === expected.group) return;
  const isShared = (one: ActualKind) => sameInternally.has(`${one.kind}.${one.group}`);
  if (isShared(actual) && isShared(expected)) return;
  const internal = expected.group === "" ? "core" : expected.group.split(".")[0]!;
  throw new ConformError(`converting (${struct.goName}) to (${internal}.${expected.kind}): unknown conversion`);
}

function checkVersion(actual: ActualKind, expected: ExpectedKind): void {
  const said = apiVersionOf(actual);
  const wanted = apiVersionOf(expected);
  if (said === wanted || (actual.group === expected.group && actual.version === expected.olderVersion)) return;
  throw badRequest(`the API version in the data (${said}) does not match the expected API version (${wanted})`);
}

function named(object: Record<string, unknown>, actual: ActualKind): UnknownObject {
  // Decoding puts kind and apiVersion first where the client sent them; they must be first where it did not, too.
  if (object["kind"] === actual.kind && object["apiVersion"] !== undefined) return object as UnknownObject;
  const { kind: _, apiVersion: __, ...rest } = object;
  return { kind: actual.kind, apiVersion: apiVersionOf(actual), ...rest } as unknown as UnknownObject;
}

const yamlPrefixes = ["yaml: unmarshal errors:\n", "error converting YAML to JSON: yaml: unmarshal errors:\n"];

/** A strict decoding error as warnings: one for each of its lines. */
export function warningsOf(error: string): string[] {
  const prefix = yamlPrefixes.find((candidate) => error.startsWith(candidate));
  return prefix === undefined
    ? [error]
    : error
        .slice(prefix.length)
        .split("\n")
        .map((line) => line.trim());
}

const isUnreadable = (error: unknown): error is Error =>
  error instanceof ConformError || error instanceof YamlError || error instanceof ProtobufError;

function decodeFailure(
  error: unknown,
  actual: ActualKind | undefined,
  { kind }: ExpectedKind,
  bytes: Uint8Array,
): unknown {
  if (!isUnreadable(error)) return error;
  if (actual !== undefined && actual.kind !== "") {
    return badRequest(`${actual.kind} in version "${actual.version}" cannot be handled as a ${kind}: ${error.message}`);
  }
  return unrecognised(kind, error.message, bytes);
}

/** How much of an unreadable body the answer shows. */
const summaryBytesMax = 30;

/** The answer to a body that does not say what it is. */
export function unrecognised(kind: string, message: string, bytes: Uint8Array): StatusError {
  return badRequest(`the object provided is unrecognized (must be of type ${kind}): ${message} (${summaryOf(bytes)})`);
}

function summaryOf(bytes: Uint8Array): string {
  if (bytes.length === 0) return "<empty>";
  const start = Buffer.from(bytes.subarray(0, summaryBytesMax));
  const text = start.toString(bytes[0] === 0x7b ? "utf8" : "hex");
  return bytes.length > summaryBytesMax ? `${text} ...` : text;
}
