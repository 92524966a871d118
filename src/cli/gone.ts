/** Waiting until an object is gone: the name is free, or another object has it. */
import { sleep } from "#lib/sleep.ts";
import type { KubernetesObject } from "#api/object.ts";
import { isNotFound } from "#api/status-error.ts";
import type { ObjectKey, ResourceRef } from "#client/client.ts";
import type { Session } from "./session.ts";

const pollMs = 50;

/** `deadline` is a time of performance.now(). Resolves with false where that comes first, or the signal. */
export async function untilGone<T extends KubernetesObject>(
  { client }: Session,
  resource: ResourceRef<T>,
  key: ObjectKey,
  { uid, deadline = Infinity, signal }: { uid?: string | undefined; deadline?: number; signal: AbortSignal },
): Promise<boolean> {
  let wanted = uid;
  for (;;) {
    const live = await client.get(resource, key).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    wanted ??= live?.metadata.uid;
    if (live === undefined || live.metadata.uid !== wanted) return true;
    if (performance.now() >= deadline || signal.aborted) return false;
    await sleep(pollMs, signal);
  }
}
