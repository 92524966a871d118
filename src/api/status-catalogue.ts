/** Every failure that an API answer may name, with upstream's texts. Upstream: apimachinery/pkg/api/errors/errors.go. */
import { goQuote } from "./go-text.ts";
import { type StatusCause, type StatusDetails, type StatusError, failure } from "./status-error.ts";

export interface ResourceName {
  group: string;
  /** The plural, "deployments". */
  resource: string;
}
export interface KindName {
  group: string;
  kind: string;
}

/** "deployments.apps", or "pods" in the core group. */
export const qualifiedResource = ({ group, resource }: ResourceName): string =>
  group === "" ? resource : `${resource}.${group}`;
export const qualifiedKind = ({ group, kind }: KindName): string => (group === "" ? kind : `${kind}.${group}`);

function details(group: string, kind: string, name: string, more: StatusDetails = {}): StatusDetails {
  return {
    ...(name === "" ? {} : { name }),
    ...(group === "" ? {} : { group }),
    ...(kind === "" ? {} : { kind }),
    ...more,
  };
}
const ofResource = (what: ResourceName, name: string, more?: StatusDetails) =>
  details(what.group, what.resource, name, more);

export const badRequest = (message: string): StatusError => failure(400, "BadRequest", message);

export const unauthorized = (message = "Unauthorized"): StatusError => failure(401, "Unauthorized", message);

export function forbiddenRequest(
  what: ResourceName,
  name: string,
  reason: string,
  causes: StatusCause[] = [],
): StatusError {
  const resource = qualifiedResource(what);
  const subject =
    resource === ""
      ? "forbidden"
      : name === ""
        ? `${resource} is forbidden`
        : `${resource} ${goQuote(name)} is forbidden`;
  return failure(
    403,
    "Forbidden",
    `${subject}: ${reason}`,
    ofResource(what, name, causes.length === 0 ? {} : { causes }),
  );
}

export const notFound = (what: ResourceName, name: string): StatusError =>
  failure(404, "NotFound", `${qualifiedResource(what)} ${goQuote(name)} not found`, ofResource(what, name));

/** A path that no handler serves, under a known API group. */
export const pathNotFound = (): StatusError =>
  failure(404, "NotFound", "the server could not find the requested resource", {});

export const methodNotSupported = (what: ResourceName, action: string): StatusError =>
  failure(
    405,
    "MethodNotAllowed",
    `${action} is not supported on resources of kind ${goQuote(qualifiedResource(what))}`,
    ofResource(what, ""),
  );

export const notAcceptable = (mediaTypes: readonly string[]): StatusError =>
  failure(406, "NotAcceptable", `only the following media types are accepted: ${mediaTypes.join(", ")}`);

export const alreadyExists = (what: ResourceName, name: string): StatusError =>
  failure(409, "AlreadyExists", `${qualifiedResource(what)} ${goQuote(name)} already exists`, ofResource(what, name));

export const generateNameConflict = (what: ResourceName, name: string, retryAfterSeconds: number): StatusError =>
  failure(
    409,
    "AlreadyExists",
    `${qualifiedResource(what)} ${goQuote(name)} already exists, the server was not able to generate a unique name for the object`,
    ofResource(what, name, { retryAfterSeconds }),
  );

export const objectModified =
  "the object has been modified; please apply your changes to the latest version and try again";

export const conflict = (what: ResourceName, name: string, reason: string = objectModified): StatusError =>
  failure(
    409,
    "Conflict",
    `Operation cannot be fulfilled on ${qualifiedResource(what)} ${goQuote(name)}: ${reason}`,
    ofResource(what, name),
  );

export const applyConflict = (message: string, causes: StatusCause[]): StatusError =>
  failure(409, "Conflict", message, { causes });

export const gone = (message: string): StatusError => failure(410, "Gone", message);
export const expired = (message: string): StatusError => failure(410, "Expired", message);

export const tooLarge = (message: string): StatusError =>
  failure(413, "RequestEntityTooLarge", `Request entity too large: ${message}`);

export const unsupportedMediaType = (mediaTypes: readonly string[]): StatusError =>
  failure(
    415,
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${mediaTypes.join(", ")}`,
  );

export const unprocessable = (message: string): StatusError => failure(422, "Invalid", message);

export const tooManyRequests = (message: string, retryAfterSeconds = 0, causes?: StatusCause[]): StatusError =>
  failure(429, "TooManyRequests", message, {
    ...(causes === undefined ? {} : { causes }),
    ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}),
  });

export const internalError = (message: string, options?: { cause: unknown }): StatusError => {
  const error = failure(500, "InternalError", `Internal error occurred: ${message}`, { causes: [{ message }] });
  if (options !== undefined) error.cause = options.cause;
  return error;
};

/** An error that upstream never gave a reason: 500 with a bare message. */
export const unknownFailure = (message: string): StatusError => failure(500, "", message);

export const serverTimeout = (what: ResourceName, operation: string, retryAfterSeconds: number): StatusError =>
  failure(
    500,
    "ServerTimeout",
    `The ${operation} operation against ${qualifiedResource(what)} could not be completed at this time, please try again.`,
    ofResource(what, "", { retryAfterSeconds }),
  );

export const serviceUnavailable = (message: string): StatusError => failure(503, "ServiceUnavailable", message);

export const requestTimeout = (message: string, retryAfterSeconds: number, causes?: StatusCause[]): StatusError =>
  failure(504, "Timeout", `Timeout: ${message}`, {
    ...(causes === undefined ? {} : { causes }),
    ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}),
  });
