/** What a server refused, or a connection that failed, in kubectl's words. */
import { StatusError } from "#api/status-error.ts";

/** The same refusal, with what was tried and where the object came from. */
export function whileDoing(error: unknown, doing: string, source: string): unknown {
  if (!(error instanceof StatusError)) return error;
  return new StatusError({
    ...error.status,
    message: `error when ${doing} ${JSON.stringify(source)}: ${error.message}`,
  });
}

/** A server's refusal in kubectl's words. */
export function statusText(error: StatusError): string {
  const { reason = "", message } = error.status;
  if (reason === "Unauthorized") return `error: You must be logged in to the server (${message ?? "Unauthorized"})\n`;
  if (reason === "Invalid" && error.status.details?.kind !== undefined)
    return `The ${error.status.details.kind} "${error.status.details.name ?? ""}" is invalid: ${invalidText(error)}\n`;
  if (reason === "Invalid") return `The request is invalid: ${message ?? ""}\n`;
  return `Error from server${reason === "" ? "" : ` (${reason})`}: ${error.message}\n`;
}

function invalidText(error: StatusError): string {
  const causes = error.status.details?.causes ?? [];
  const lines = [...new Set(causes.map(({ field, message }) => `${field ?? ""}: ${message ?? ""}`))];
  return lines.length === 1 ? lines[0]! : `\n${lines.map((line) => `* ${line}`).join("\n")}`;
}

/** Why no answer came. */
export function connectionText(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const { code, address, port, message } = cause as NodeJS.ErrnoException & { address?: string; port?: number };
  if (code === "ECONNREFUSED")
    return `the connection to the server ${address ?? ""}:${port ?? ""} was refused - did you specify the right host or port?`;
  return error instanceof Error
    ? [error.message, error.cause instanceof Error ? error.cause.message : ""].filter((text) => text !== "").join(": ")
    : (message ?? String(error));
}
