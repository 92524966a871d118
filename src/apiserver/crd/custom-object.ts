/**
 * Reading custom objects: no Go struct takes them in, so only their metadata has a fixed form; the rest is as the schema
 * of their CRD prunes it. Upstream: apiextensions-apiserver/pkg/apiserver/customresource_handler.go.
 */
import { conform, ConformError } from "#api/decode/conform.ts";
import { interpret, unrecognised } from "#api/decode/decode.ts";
import { JsonSyntaxError, plainJson } from "#api/decode/json-value.ts";
import { parseJson } from "#api/decode/json.ts";
import { parseYaml, YamlError } from "#api/decode/yaml.ts";
import type { FieldError } from "#api/field-error.ts";
import { apiVersionOf, type KubernetesObject } from "#api/object.ts";
import { builtInType } from "#api/schema/built-in.ts";
import { omitEmpties } from "#api/schema/empties.ts";
import { badRequest, unsupportedMediaType } from "#api/status-catalogue.ts";
import { invalid, invalidObject } from "#api/validation/field-errors.ts";
import { sortedJson } from "#api/go-text.ts";
import { patchDocument } from "#api/patch/patch.ts";
import type { ServedResource } from "#apiserver/catalogue.ts";
import type { ServerRequest } from "#apiserver/request.ts";
import { bodyFormat } from "#apiserver/resource/body.ts";
import { clone } from "#apiserver/resource/metadata.ts";
import type { WriteOptions } from "#apiserver/resource/options.ts";
import { shapeEmbedded } from "#api/apiextensions/embedded.ts";
import { prune } from "#api/apiextensions/prune.ts";

type Validation = WriteOptions["fieldValidation"];

/** The body of a create or an update, pruned; unknown fields are told as the client wishes. */
export async function readCustom(
  request: ServerRequest,
  resource: ServedResource,
  validation: Validation,
  warn: (text: string) => void,
): Promise<KubernetesObject> {
  if (request.bodyObject !== undefined) {
    checkType(resource, request.bodyObject, Buffer.from(JSON.stringify(request.bodyObject)), validation);
    return settle(resource, clone(request.bodyObject), [], validation, warn);
  }
  const format = bodyFormat(request);
  if (format === "protobuf") throw unsupportedMediaType(["application/json", "application/yaml"]);
  const bytes = await request.body();
  const { value, faults } = parse(format, bytes, resource);
  checkType(resource, value, bytes, validation);
  return settle(resource, value, faults, validation, warn);
}

/** That a document is of the kind and version of its endpoint. No Go type stands for it: it must say so itself. */
function checkType(resource: ServedResource, value: unknown, bytes: Buffer, validation: Validation): void {
  const { kind, version, apiVersion } = resource;
  const said = saidBy(value, (text) => unrecognised(kind, text, bytes));
  if (said.kind === "") {
    const text = `Object 'Kind' is missing in '${bytes.toString("utf8")}'`;
    throw validation === "Ignore" ? unhandled(kind, version, text) : unrecognised(kind, text, bytes);
  }
  if (said.apiVersion !== apiVersion)
    throw badRequest(
      `the API version in the data (${said.apiVersion}) does not match the expected API version (${apiVersion})`,
    );
  if (said.kind !== kind) throw mistyped(said, value, invalid("kind", said.kind, `must be ${kind}`));
}

interface Said {
  kind: string;
  apiVersion: string;
  group: string;
}

function saidBy(value: unknown, failure: (text: string) => Error): Said {
  try {
    const { kind, group, version } = interpret(value);
    return { kind, group, apiVersion: apiVersionOf({ group, version }) };
  } catch (error) {
    throw error instanceof ConformError ? failure(error.message) : error;
  }
}

const unhandled = (kind: string, version: string, text: string) =>
  badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${text}`);

/** Upstream: customresource/validator.go ValidateTypeMeta; the answer is about the kind that was sent. */
function mistyped({ kind, group }: Said, value: unknown, fault: FieldError): Error {
  const { metadata } = value as Partial<KubernetesObject>;
  const name = typeof metadata?.name === "string" ? metadata.name : "";
  return invalidObject({ group, kind }, name, [fault]);
}

function parse(format: "json" | "yaml", bytes: Buffer, resource: ServedResource): { value: unknown; faults: string[] } {
  try {
    if (format === "yaml") {
      const { value, errors } = parseYaml(bytes);
      return { value: plainJson(value), faults: errors };
    }
    const { value, duplicates } = parseJson(bytes);
    const faults =
      duplicates === undefined ? [] : duplicateFaults(value, duplicates as ReadonlyMap<object, readonly unknown[]>, "");
    return { value: plainJson(value), faults };
  } catch (error) {
    if (!(error instanceof JsonSyntaxError || error instanceof YamlError)) throw error;
    const what = format === "json" ? `couldn't get version/kind; json parse error: ${error.message}` : error.message;
    throw unrecognised(resource.kind, what, bytes);
  }
}

function duplicateFaults(value: unknown, duplicates: ReadonlyMap<object, readonly unknown[]>, path: string): string[] {
  if (typeof value !== "object" || value === null) return [];
  const child = (name: string) => (path === "" ? name : `${path}.${name}`);
  const nameOf = (one: unknown) => (typeof one === "string" ? one : (one as { key: string }).key);
  const own = (duplicates.get(value) ?? []).map((one) => `duplicate field "${child(nameOf(one))}"`);
  const inner = Array.isArray(value)
    ? value.flatMap((item, index) => duplicateFaults(item, duplicates, `${path}[${index}]`))
    : Object.entries(value).flatMap(([name, item]) => duplicateFaults(item, duplicates, child(name)));
  return [...own, ...inner];
}

function settle(
  resource: ServedResource,
  value: unknown,
  faults: readonly string[],
  validation: Validation,
  warn: (text: string) => void,
): KubernetesObject {
  const { kind, version } = resource;
  const { object, unknown } = shaped(resource, value, (text) => unhandled(kind, version, text));
  const all = [...faults, ...unknown];
  if (validation === "Strict" && all.length > 0)
    throw unhandled(kind, version, `strict decoding error: ${all.join(", ")}`);
  if (validation === "Warn") for (const text of all) warn(text);
  return object;
}

function shaped(resource: ServedResource, value: unknown, failure: (text: string) => Error) {
  try {
    return formed(resource, value);
  } catch (error) {
    throw error instanceof ConformError ? failure(error.message) : error;
  }
}

/** Gives the document's metadata their form, drops unknown fields. Throws ConformError. */
function formed({ kind, version, apiVersion, custom }: ServedResource, value: unknown) {
  const document = (value ?? {}) as Record<string, unknown>;
  const meta = builtInType("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
  const metadata = conform(document["metadata"] ?? {}, meta);
  if (metadata.holdsEmpties) omitEmpties(metadata.object, meta);
  const { apiVersion: _, kind: __, metadata: ___, ...rest } = document;
  const object = { apiVersion, kind, metadata: metadata.object, ...rest } as KubernetesObject & Record<string, unknown>;
  const schema = custom!.schemaOf(version);
  const gone = schema === undefined ? [] : [...prune(object, schema).sort(), ...shapeEmbedded(object, schema).sort()];
  const inMetadata = metadata.strictErrors.map((text) => text.replace('"', '"metadata.'));
  return { object, unknown: [...inMetadata, ...gone.map((path) => `unknown field "${path}"`)] };
}

/** JSON patch and merge patch. */
export function patchCustom(
  resource: ServedResource,
  type: "json" | "merge",
  bytes: Uint8Array,
  live: KubernetesObject,
  validation: Validation,
): { object: KubernetesObject; warnings: string[] } {
  const { kind, apiVersion } = resource;
  const { document, strictErrors } = patchDocument(type, bytes, live);
  const plain = plainJson(document);
  const whole = sortedJson(plain);
  const bad = (text: string) => invalidObject({ group: "", kind: "" }, "", [invalid("patch", whole, text)]);
  const said = saidBy(plain, bad);
  if (said.kind === "") throw bad(`Object 'Kind' is missing in '${whole}'`);
  if (said.kind !== kind) throw mistyped(said, plain, invalid("kind", said.kind, `must be ${kind}`));
  if (said.apiVersion !== apiVersion)
    throw mistyped(said, plain, invalid("apiVersion", said.apiVersion, `must be ${apiVersion}`));
  const { object, unknown } = shaped(resource, plain, bad);
  const faults = [...strictErrors, ...unknown];
  if (validation === "Strict" && faults.length > 0) throw bad(`strict decoding error: ${faults.join(", ")}`);
  return { object, warnings: validation === "Warn" ? faults : [] };
}
