/** How a request ends that got no answer, or not all of it, though there was a connection. */

/** What the server did is not known. */
export class LostConnectionError extends Error {}

/** The request did not reach anybody who would act on it: it may be sent again, whatever it asks for. */
export class NotSentError extends LostConnectionError {}

/** What Node says when a connection breaks; one that could not be made is none of these. */
const lostCodes: ReadonlySet<string> = new Set([
  "ECONNRESET",
  "EPIPE",
  "ERR_HTTP2_GOAWAY_SESSION",
  "ERR_HTTP2_INVALID_SESSION",
  "ERR_HTTP2_SESSION_ERROR",
  "ERR_HTTP2_STREAM_CANCEL",
  "ERR_HTTP2_STREAM_ERROR",
]);

export const isLostConnection = (error: unknown): boolean =>
  error instanceof LostConnectionError || lostCodes.has(String((error as NodeJS.ErrnoException | undefined)?.code));
