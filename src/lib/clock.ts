/** Time as a value that is handed in: production reads the machine's clock, tests and the simulation their own. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** An RFC 3339 time with whole seconds, as Kubernetes' metav1.Time prints it. */
export function formatTime(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19)}Z`;
}

/** An RFC 3339 time with six fraction digits, as Kubernetes' metav1.MicroTime prints it. */
export function formatMicroTime(epochMs: number): string {
  const whole = new Date(epochMs).toISOString();
  return `${whole.slice(0, 23)}${String(Math.floor((epochMs % 1) * 1000)).padStart(3, "0")}Z`;
}
