/** A kustomization or manifest that cannot be rendered; the message says which and why, outermost first. */
export class RenderError extends Error {
  override readonly name = "RenderError";
}

/** Puts what was being done before the message of what went wrong. */
export function wrapError(error: unknown, doing: string): RenderError {
  const reason = error instanceof Error ? error.message : String(error);
  return new RenderError(`${doing}: ${reason}`, { cause: error });
}

/** Runs `work`; a failure is told with what was being done. */
export function during<Result>(doing: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw wrapError(error, doing);
  }
}
