/** Failures as Kubernetes says them: a Status object that travels as an error. One catalogue for every part of Capstan. */
export interface StatusCause {
  reason?: string;
  message?: string;
  field?: string;
}

export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
}

export interface Status {
  kind: "Status";
  apiVersion: "v1";
  metadata: Record<string, unknown>;
  status: "Success" | "Failure";
  message?: string;
  reason?: string;
  details?: StatusDetails;
  code: number;
}

export class StatusError extends Error {
  readonly status: Status;
  constructor(status: Status, options?: ErrorOptions) {
    super(status.message ?? status.reason ?? "failure", options);
    this.name = "StatusError";
    this.status = status;
  }
  get code(): number {
    return this.status.code;
  }
  get reason(): string {
    return this.status.reason ?? "";
  }
}

export function failure(code: number, reason: string, message: string, details?: StatusDetails): StatusError {
  return new StatusError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    ...(reason === "" ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code,
  });
}

export const isNotFound = (error: unknown): boolean => error instanceof StatusError && error.reason === "NotFound";
export const isConflict = (error: unknown): boolean => error instanceof StatusError && error.reason === "Conflict";
export const isAlreadyExists = (error: unknown): boolean =>
  error instanceof StatusError && error.reason === "AlreadyExists";
export const isExpired = (error: unknown): boolean =>
  error instanceof StatusError && (error.reason === "Expired" || error.reason === "Gone");
