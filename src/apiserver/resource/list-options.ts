/** The query of list, watch and deletecollection, read and checked. Upstream: internalversion/validation/validation.go. */
import { goQuote } from "#api/go-text.ts";
import { badRequest, requestTimeout } from "#api/status-catalogue.ts";
import type { FieldError } from "#api/field-error.ts";
import { failure } from "#api/status-error.ts";
import { forbidden, invalidObject, notSupported } from "#api/validation/field-errors.ts";
import type { Query } from "#apiserver/request.ts";

export interface ListOptions {
  resourceVersion: string;
  resourceVersionMatch: string;
  limit: number;
  continue: string;
  timeoutSeconds: number | undefined;
  allowWatchBookmarks: boolean;
  sendInitialEvents: boolean | undefined;
}

export function listOptions(query: Query, isWatch: boolean): ListOptions {
  const options: ListOptions = {
    resourceVersion: query.get("resourceVersion") ?? "",
    resourceVersionMatch: query.get("resourceVersionMatch") ?? "",
    limit: integer(query, "limit") ?? 0,
    continue: query.get("continue") ?? "",
    timeoutSeconds: integer(query, "timeoutSeconds"),
    allowWatchBookmarks: query.flag("allowWatchBookmarks") ?? false,
    sendInitialEvents: query.flag("sendInitialEvents"),
  };
  const errors = isWatch ? watchErrors(options) : listErrors(options);
  if (errors.length > 0) throw invalidObject({ group: "meta.k8s.io", kind: "ListOptions" }, "", errors);
  return options;
}

const int64Max = 9_223_372_036_854_775_807n;

/** Go's strconv.ParseInt: undefined where the query has nothing at all. */
export function integer(query: Query, name: string): number | undefined {
  const text = query.get(name);
  if (text === undefined) return undefined;
  if (!/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${goQuote(text)}: invalid syntax`);
  const value = BigInt(text);
  if (value > int64Max || value < -int64Max - 1n)
    throw badRequest(`strconv.ParseInt: parsing ${goQuote(text)}: value out of range`);
  return Number(value);
}

function listErrors(options: ListOptions): FieldError[] {
  const { resourceVersionMatch: match, resourceVersion } = options;
  const errors: FieldError[] = [];
  if (match !== "") {
    const field = "resourceVersionMatch";
    if (resourceVersion === "")
      errors.push(forbidden(field, "resourceVersionMatch is forbidden unless resourceVersion is provided"));
    if (options.continue !== "")
      errors.push(forbidden(field, "resourceVersionMatch is forbidden when continue is provided"));
    if (match !== "Exact" && match !== "NotOlderThan")
      errors.push(notSupported(field, match, ["Exact", "NotOlderThan", ""]));
    if (match === "Exact" && resourceVersion === "0")
      errors.push(forbidden(field, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
  }
  if (options.sendInitialEvents !== undefined)
    errors.push(forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
  return errors;
}

function watchErrors({ resourceVersionMatch: match, sendInitialEvents, continue: token }: ListOptions): FieldError[] {
  const errors: FieldError[] = [];
  const field = "resourceVersionMatch";
  if (sendInitialEvents !== undefined && match !== "NotOlderThan")
    errors.push(forbidden(field, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
  if (match !== "") {
    if (sendInitialEvents === undefined)
      errors.push(forbidden(field, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"));
    if (match !== "NotOlderThan") errors.push(notSupported(field, match, ["NotOlderThan"]));
    if (token !== "") errors.push(forbidden(field, "resourceVersionMatch is forbidden when continue is provided"));
  }
  return errors;
}

const uint64Max = 18_446_744_073_709_551_615n;

/** Go's strconv.ParseUint as a number; undefined when the text is no such thing. */
export function parseRevision(text: string): number | undefined {
  if (!/^\d+$/.test(text)) return undefined;
  const value = Number(text);
  if (value <= Number.MAX_SAFE_INTEGER) return value;
  return BigInt(text) > uint64Max ? undefined : Number.MAX_SAFE_INTEGER;
}

/** What Go says of a text that is no revision. */
export function revisionFault(text: string): string {
  const why = /^\d+$/.test(text) ? "value out of range" : "invalid syntax";
  return `strconv.ParseUint: parsing ${goQuote(text)}: ${why}`;
}

/** A version that nobody has reached yet. */
export function tooLargeRevision(wanted: number, current: number) {
  const message = `Too large resource version: ${wanted}, current: ${current}`;
  return requestTimeout(message, 1, [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }]);
}

export function badRevision(text: string, code: 400 | 500) {
  const message = `resourceVersion: Invalid value: ${goQuote(text)}: ${revisionFault(text)}`;
  return code === 400 ? failure(400, "BadRequest", message) : failure(500, "", message);
}
