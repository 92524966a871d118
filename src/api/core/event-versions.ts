/** The two shapes of an event: the same content under the field names of core v1 and of events.k8s.io/v1. */
import type { CoreV1Event, EventsV1Event } from "#api/generated/types.ts";
import type { KubernetesObject } from "#api/object.ts";

/** [core v1, events.k8s.io/v1]; what is not here has one name in both. */
const renamed = [
  ["involvedObject", "regarding"],
  ["message", "note"],
  ["reportingComponent", "reportingController"],
  ["source", "deprecatedSource"],
  ["firstTimestamp", "deprecatedFirstTimestamp"],
  ["lastTimestamp", "deprecatedLastTimestamp"],
  ["count", "deprecatedCount"],
] as const;

const toNew = new Map<string, string>(renamed);
const toOld = new Map<string, string>(renamed.map(([core, events]) => [events, core]));
/** Fields that events.k8s.io/v1 leaves out when empty and core v1 does not. */
const emptyOmitted = new Set(["reportingController", "reportingInstance"]);

export function fromCoreEvent(event: CoreV1Event): EventsV1Event {
  const renamedFields = rename(event, toNew);
  for (const field of emptyOmitted) if (renamedFields[field] === "") delete renamedFields[field];
  if (isEmpty(renamedFields["regarding"])) delete renamedFields["regarding"];
  return { ...renamedFields, apiVersion: "events.k8s.io/v1", kind: "Event" } as unknown as EventsV1Event;
}

/** An event about nothing is about an empty reference there. */
export function toCoreEvent(event: KubernetesObject): CoreV1Event {
  const fields = { involvedObject: {}, ...rename(event, toOld) };
  return { ...fields, apiVersion: "v1", kind: "Event" } as unknown as CoreV1Event;
}

function rename(object: object, names: ReadonlyMap<string, string>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).map(([field, value]) => [names.get(field) ?? field, value]));
}

const isEmpty = (value: unknown) => typeof value === "object" && value !== null && Object.keys(value).length === 0;
