/** Waiting that can be cut short. Resolves, never rejects: who waits looks at the signal afterwards. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, Math.min(ms, timerMsMax));
    signal?.addEventListener("abort", done, { once: true });
  });
}

/** Node's timers fire at once beyond this. */
export const timerMsMax = 2 ** 31 - 1;
