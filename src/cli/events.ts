/** `capstan events`: what happened, oldest first. */
import { Event } from "#api/core/event.ts";
import type { CoreV1Event } from "#api/generated/types.ts";
import { type Command, type Invocation, UsageError } from "./command.ts";
import { eventAge } from "./describe/events.ts";
import { createPrinter, outputHelp, writeFormats } from "./output.ts";
import { selectResources } from "./resource-arguments.ts";
import { type Session, sessionFlags, withSession } from "./session.ts";
import { tableText } from "./table-text.ts";
import { withKind } from "./targets.ts";

export const eventsCommand: Command = {
  name: "events",
  group: "Other",
  summary: "List events, oldest first",
  usage: "capstan events [--for TYPE/NAME] [--types=Normal,Warning] [flags]",
  examples: ["capstan events", "capstan events --for pod/web", "capstan events -A --types=Warning"],
  flags: [
    ...sessionFlags,
    { name: "for", type: "string", placeholder: "TYPE/NAME", help: "Only those of this object" },
    { name: "types", type: "strings", placeholder: "TYPE,...", help: "Only Normal or Warning ones" },
    { name: "all-namespaces", short: "A", type: "boolean", help: "Of all namespaces" },
    { name: "no-headers", type: "boolean", help: "Leave out the headers" },
    { name: "output", short: "o", type: "string", help: outputHelp },
  ],
  run: async (invocation) => await withSession(invocation, async (session) => await events(session, invocation)),
};

async function events(session: Session, { flags, io }: Invocation): Promise<number> {
  const everywhere = flags.boolean("all-namespaces");
  const types = flags.strings("types").flatMap((one) => one.toLowerCase().split(","));
  const fieldSelector = await selectorOf(session, flags.string("for"));
  const read = await session.client.list(Event, {
    namespace: everywhere ? undefined : session.namespace,
    fieldSelector,
  });
  const found = (read.items as CoreV1Event[])
    .filter(({ type }) => types.length === 0 || types.includes((type ?? "").toLowerCase()))
    .sort((a, b) => lastSeen(a) - lastSeen(b));
  const printer = createPrinter(flags.string("output"), { allowed: writeFormats });
  if (printer !== undefined) {
    const resource = await session.discovery.resolve("v1", "Event");
    const items = found.map((event) => withKind(event, resource!));
    io.stdout(printer({ apiVersion: "v1", items, kind: "EventList", metadata: {} } as never));
    return 0;
  }
  if (found.length === 0) {
    io.stderr(everywhere ? "No events found.\n" : `No events found in ${session.namespace} namespace.\n`);
    return 0;
  }
  const now = Date.now();
  const rows = found.map((event) => [
    ...(everywhere ? [event.metadata.namespace ?? ""] : []),
    eventAge(event, now),
    event.type ?? "",
    event.reason ?? "",
    `${event.involvedObject.kind}/${event.involvedObject.name}`,
    (event.message ?? "").trim(),
  ]);
  const head = [...(everywhere ? ["NAMESPACE"] : []), "LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"];
  io.stdout(tableText(flags.boolean("no-headers") ? rows : [head, ...rows]));
  return 0;
}

const lastSeen = (event: CoreV1Event): number =>
  Date.parse(event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? "0001-01-01T00:00:00Z");

async function selectorOf({ discovery }: Session, target: string): Promise<string | undefined> {
  if (target === "") return undefined;
  if (!target.includes("/")) throw new UsageError("--for must be in resource/name form");
  const [selection] = await selectResources(discovery, [target]);
  const { kind } = selection!.resource;
  return `involvedObject.kind=${kind},involvedObject.name=${selection!.names[0]}`;
}
