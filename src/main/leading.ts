/** Parts of which one of all servers runs each: who leads is told by a Lease in kube-system. */
import type { Logger } from "#lib/log.ts";
import type { Client } from "#client/client.ts";
import { runWithLeaderElection } from "#client/leader-election.ts";

export interface Part {
  stop(): void | Promise<void>;
}

export interface LeadingOptions {
  client: Client;
  log: Logger;
  /** Of the Lease. */
  name: string;
  /** The same after a restart, so that a server that died is its own successor at once. */
  identity: string;
  start(): Part;
}

/** Starts the part whenever this server leads and stops it when it no longer does. */
export function whileLeading({ client, log, name, identity, start }: LeadingOptions): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const running = runWithLeaderElection({
    client,
    log,
    namespace: "kube-system",
    name,
    identity,
    signal: stopped.signal,
    async lead(signal) {
      const part = start();
      await aborted(signal);
      await part.stop();
    },
  });
  return {
    async stop() {
      stopped.abort();
      await running;
    },
  };
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
