/**
 * Reading custom objects: no Go struct takes them in, so only their metadata has a fixed form; the rest is as the schema
 * of their CRD prunes it. Upstream: apiextensions-apiserver/pkg/apiserver/customresource_handler.go.
 */
import { conform, ConformError } from "#api/decode/conform.ts";
import { interpret } from "#api/decode/decode.ts";
import { JsonSyntaxError, plainJson } from "#api/decode/json-value.ts";
import { parseJson } from "#api/decode/json.ts";
import { parseYaml, YamlError } from "#api/decode/yaml.ts";
import type { KubernetesObject } from "#api/object.ts";
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
  if (request.bodyObject !== undefined) return settle(resource, clone(request.bodyObject), [], validation, warn);
  const format = bodyFormat(request);
  if (format === "protobuf") throw unsupportedMediaType(["application/json", "application/yaml"]);
  const bytes = await request.body();
  const { value, faults } = parse(format, bytes, resource);
  return settle(resource, value, faults, validation, warn);
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
    throw badRequest(`the object provided is unrecognized (must be of type ${resource.kind}): ${what}`);
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
  const { object, unknown } = formed(resource, value);
  const all = [...faults, ...unknown];
  if (validation === "Strict" && all.length > 0) {
    const { kind, version } = resource;
    throw badRequest(
      `${kind} in version "${version}" cannot be handled as a ${kind}: strict decoding error: ${all.join(", ")}`,
    );
  }
  if (validation === "Warn") for (const text of all) warn(text);
  return object;
}

/** Checks what the document says of itself, gives its metadata their form, drops unknown fields. */
function formed(resource: ServedResource, value: unknown): { object: KubernetesObject; unknown: string[] } {
  const { kind, version, apiVersion } = resource;
  try {
    const said = interpret(value);
    const document = (value ?? {}) as Record<string, unknown>;
    if (said.kind !== "" && said.kind !== kind)
      throw new ConformError(
        `no kind ${JSON.stringify(said.kind)} is registered for version ${JSON.stringify(apiVersion)}`,
      );
    const saidVersion = document["apiVersion"];
    if (typeof saidVersion === "string" && saidVersion !== "" && saidVersion !== apiVersion)
      throw badRequest(
        `the API version in the data (${saidVersion}) does not match the expected API version (${apiVersion})`,
      );
    const meta = builtInType("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
    const metadata = conform(document["metadata"] ?? {}, meta);
    if (metadata.holdsEmpties) omitEmpties(metadata.object, meta);
    const { apiVersion: _, kind: __, metadata: ___, ...rest } = document;
    const object = { apiVersion, kind, metadata: metadata.object, ...rest } as KubernetesObject &
      Record<string, unknown>;
    const schema = resource.custom!.schemaOf(version);
    const gone = schema === undefined ? [] : [...prune(object, schema).sort(), ...shapeEmbedded(object, schema).sort()];
    const inMetadata = metadata.strictErrors.map((text) => text.replace('"', '"metadata.'));
    return { object, unknown: [...inMetadata, ...gone.map((path) => `unknown field "${path}"`)] };
  } catch (error) {
    if (!(error instanceof ConformError)) throw error;
    throw badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${error.message}`);
  }
}

/** JSON patch and merge patch. */
export function patchCustom(
  resource: ServedResource,
  type: "json" | "merge",
  bytes: Uint8Array,
  live: KubernetesObject,
  validation: Validation,
): { object: KubernetesObject; warnings: string[] } {
  const { document, strictErrors } = patchDocument(type, bytes, live);
  const plain = plainJson(document);
  const whole = sortedJson(plain);
  const { object, unknown } = formed(resource, plain);
  const faults = [...strictErrors, ...unknown];
  if (validation === "Strict" && faults.length > 0)
    throw invalidObject({ group: "", kind: "" }, "", [
      invalid("patch", whole, `strict decoding error: ${faults.join(", ")}`),
    ]);
  return { object, warnings: validation === "Warn" ? faults : [] };
}
