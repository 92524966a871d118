/** The events of an object, oldest first, as the end of a description. */
import { Event } from "#api/core/event.ts";
import { shortDuration } from "#api/columns.ts";
import type { CoreV1Event } from "#api/generated/types.ts";
import type { KubernetesObject } from "#api/object.ts";
import { StatusError } from "#api/status-error.ts";
import type { DescribeContext } from "./describer.ts";

export async function writeEvents(
  object: KubernetesObject,
  { session, writer, resource, showEvents, now }: DescribeContext,
): Promise<void> {
  if (!showEvents) return;
  const { name = "", namespace, uid = "" } = object.metadata;
  const isNode = resource.kind === "Node" && resource.group === "";
  // Of a node's events, the control plane's name its uid, the node's own its name.
  const uids = isNode ? [uid, name] : [uid];
  const ofUid = async (involvedUid: string): Promise<CoreV1Event[]> => {
    const selector = {
      "involvedObject.name": name,
      ...(namespace === undefined ? {} : { "involvedObject.namespace": namespace }),
      "involvedObject.kind": resource.kind,
      "involvedObject.uid": involvedUid,
    };
    const fieldSelector = Object.entries(selector)
      .map(([field, value]) => `${field}=${value}`)
      .join(",");
    const where = { namespace: namespace ?? (isNode ? undefined : "default"), fieldSelector };
    return (await session.client.list(Event, where)).items as CoreV1Event[];
  };
  let events: CoreV1Event[];
  try {
    events = (await Promise.all(uids.map(ofUid))).flat();
  } catch (error) {
    if (error instanceof StatusError) return;
    throw error;
  }
  if (events.length === 0) return writer.line(0, "Events:\t<none>");
  writer.line(0, "Events:\n  Type\tReason\tAge\tFrom\tMessage\n  ----\t------\t----\t----\t-------");
  for (const event of [...events].sort((a, b) => lastSeen(a) - lastSeen(b)))
    writer.line(1, eventCells(event, now).join("\t"));
}

const lastSeen = (event: CoreV1Event): number =>
  Date.parse(event.lastTimestamp ?? event.eventTime ?? "0001-01-01T00:00:00Z");

function eventCells(event: CoreV1Event, now: number): string[] {
  const from = event.source?.component || event.reportingComponent || "";
  const path = event.involvedObject.fieldPath;
  return [
    event.type ?? "",
    event.reason ?? "",
    eventAge(event, now),
    from,
    `${path === undefined || path === "" ? "" : `${path}: `}${(event.message ?? "").trim()}`,
  ];
}

/** "5m", or "5s (x3 over 2m)" of one that came again. */
export function eventAge(event: CoreV1Event, now: number): string {
  const since = (time: string | undefined) =>
    time === undefined || time === null ? "<unknown>" : shortDuration(now - Date.parse(time));
  const first = since(event.firstTimestamp ?? event.eventTime);
  if (event.series !== undefined && event.series !== null)
    return `${since(event.series.lastObservedTime)} (x${event.series.count ?? 0} over ${first})`;
  if ((event.count ?? 0) > 1) return `${since(event.lastTimestamp)} (x${event.count} over ${first})`;
  return first;
}
