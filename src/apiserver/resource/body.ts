/** From the body of a request to an object of the kind that it is about, defaults filled in. */
import type { BodyFormat, ExpectedKind } from "#api/decode/decode.ts";
import { decodeBody, decodeValue } from "#api/decode/decode.ts";
import type { KubernetesObject } from "#api/object.ts";
import { omitEmpties } from "#api/schema/empties.ts";
import { unsupportedMediaType } from "#api/status-catalogue.ts";
import type { ServedResource } from "#apiserver/catalogue.ts";
import { producedTypes } from "#apiserver/http/negotiate.ts";
import type { ServerRequest } from "#apiserver/request.ts";
import { addWarning } from "./warnings.ts";
import type { WriteOptions } from "./options.ts";

const formats = new Map<string, BodyFormat>([
  ["application/json", "json"],
  ["application/yaml", "yaml"],
  ["application/vnd.kubernetes.protobuf", "protobuf"],
]);

export function expectedKind({ group, version, kind, struct }: ServedResource): ExpectedKind {
  return { group, version, kind, struct: struct() };
}

/** Any kind that a body may be of. Empty lists and maps stay in it only for those who want to hear of them. */
export async function readAs(
  request: ServerRequest,
  expected: ExpectedKind,
  fieldValidation: WriteOptions["fieldValidation"],
  warnings: string[],
  onEmpties?: () => void,
): Promise<KubernetesObject> {
  const decoded =
    request.bodyObject === undefined
      ? decodeBody({ format: bodyFormat(request), bytes: await request.body() }, expected, fieldValidation)
      : decodeValue(request.bodyObject, expected, fieldValidation);
  for (const text of decoded.warnings) addWarning(warnings, text);
  if (decoded.holdsEmpties) {
    if (onEmpties === undefined) omitEmpties(decoded.object, expected.struct);
    else onEmpties();
  }
  return decoded.object;
}

/** Static defaults are those of the stored version: conversion comes first. */
export function toStored(resource: ServedResource, object: KubernetesObject): KubernetesObject {
  const stored = resource.conversion === undefined ? object : resource.conversion.toStored(object);
  resource.definition.defaults?.(stored);
  return stored;
}

/** Throws a 415 for a type that no body may have. */
export function bodyFormat(request: ServerRequest): BodyFormat {
  const header = request.header("content-type");
  if (header === undefined || header === "") return "json";
  const format = isMediaType(header) ? formats.get(header.split(";")[0]!.trim().toLowerCase()) : undefined;
  if (format === undefined) throw unsupportedMediaType(producedTypes);
  return format;
}

const token = "[\\w!#$%&'*+.^`|~-]+";
// Every part has one way to match, so that no header makes the engine try them all.
const mediaType = new RegExp(`^\\s*${token}/${token}\\s*(?:;\\s*(?:${token}=(?:${token}|"[^"]*")\\s*)?)*$`);
const isMediaType = (text: string): boolean => mediaType.test(text);
