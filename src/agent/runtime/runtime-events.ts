/**
 * What happens in the runtime, pushed by it: containerd's own event stream (CRI's GetContainerEvents came later). Says
 * which container changed, never how: who hears of it looks for himself.
 */
import { backoffMs } from "#lib/backoff.ts";
import type { Logger } from "#lib/log.ts";
import { sleep } from "#lib/sleep.ts";
import events from "#agent/facts/containerd-events.json" with { type: "json" };
import { GrpcConnection } from "./grpc-connection.ts";

export interface RuntimeEventHandlers {
  /** A container or sandbox ended or ran out of memory. */
  changed(containerId: string): void;
  /** Events may have been missed: everything has to be looked at. */
  resync(): void;
}

interface Envelope {
  topic: string;
  event: { value: Buffer } | null;
}

const retry = { initialMs: 50, limitMs: 2_000 };

export async function followRuntimeEvents(
  socket: string,
  handlers: RuntimeEventHandlers,
  { log, signal }: { log: Logger; signal: AbortSignal },
): Promise<void> {
  const connection = new GrpcConnection(socket, events);
  const taskEvent = connection.type("containerd.events.TaskEvent");
  let failures = 0;
  while (!signal.aborted) {
    try {
      const stream = connection.stream<Envelope>(
        "containerd.services.events.v1.Events",
        "Subscribe",
        { filters: ['topic=="/tasks/exit"', 'topic=="/tasks/oom"'] },
        { signal, headers: { "containerd-namespace": "k8s.io" } },
      );
      handlers.resync();
      for await (const { topic, event } of stream) {
        failures = 0;
        const { containerId, id } = taskEvent.decode(event?.value ?? Buffer.alloc(0)) as unknown as TaskEvent;
        // The exit of an exec carries the exec's own id; the container itself goes on.
        if (topic !== "/tasks/exit" || id === containerId || id === "") handlers.changed(containerId);
      }
    } catch (error) {
      if (!signal.aborted) log.debug("runtime events ended", { error });
    }
    failures += 1;
    await sleep(backoffMs(failures, retry), signal);
  }
  connection.close();
}

interface TaskEvent {
  containerId: string;
  id: string;
}
