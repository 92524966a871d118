/**
 * What happened to an object. One store of objects under two groups: core v1, in which they are kept, and
 * events.k8s.io/v1, which renames fields. Upstream: pkg/registry/core/event/strategy.go, pkg/apis/core/validation/events.go.
 */
import { age, column, wideNameColumn, wide } from "#api/columns.ts";
import type { CoreV1Event } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { nameIsPathSegment } from "#api/validation/names.ts";
import { eventErrors } from "./event-rules.ts";
import { fromCoreEvent, toCoreEvent } from "./event-versions.ts";

const type = "core.v1.Event";
const firstNonEmpty = (...texts: (string | undefined)[]) =>
  texts.find((text) => text !== undefined && text !== "") ?? "";

export type Event = CoreV1Event;
export const Event = defineResource<Event>({
  group: "",
  version: "v1",
  kind: "Event",
  plural: "events",
  shortNames: ["ev"],
  scope: "Namespaced",
  schema: "io.k8s.api.core.v1.Event",
  generation: "none",
  allowCreateOnUpdate: true,
  validateName: nameIsPathSegment,
  // Of the core form upstream's own code looks at no metadata.
  metadataLooks: { whole: 0, form: 0 },
  validate: eventErrors,
  otherVersions: [
    {
      group: "events.k8s.io",
      version: "v1",
      schema: "io.k8s.api.events.v1.Event",
      fromStored: fromCoreEvent,
      toStored: toCoreEvent,
      fieldSelectors: {
        "regarding.kind": (event) => event.involvedObject.kind ?? "",
        "regarding.namespace": (event) => event.involvedObject.namespace ?? "",
        "regarding.name": (event) => event.involvedObject.name ?? "",
        "regarding.uid": (event) => event.involvedObject.uid ?? "",
        "regarding.apiVersion": (event) => event.involvedObject.apiVersion ?? "",
        "regarding.resourceVersion": (event) => event.involvedObject.resourceVersion ?? "",
        "regarding.fieldPath": (event) => event.involvedObject.fieldPath ?? "",
        reason: (event) => event.reason ?? "",
        reportingController: (event) => event.reportingComponent ?? "",
        type: (event) => event.type ?? "",
      },
    },
  ],
  columns: [
    column("Last Seen", [type, "lastTimestamp"], lastSeen),
    column("Type", [type, "type"], (event: Event) => event.type ?? ""),
    column("Reason", [type, "reason"], (event: Event) => event.reason ?? ""),
    column("Object", "The object that this event is about.", objectText),
    column(
      "Subobject",
      ["core.v1.ObjectReference", "fieldPath"],
      (event: Event) => event.involvedObject.fieldPath ?? "",
      wide,
    ),
    column(
      "Source",
      "The component reporting this event. Should be a short machine understandable string.",
      sourceText,
      wide,
    ),
    column("Message", [type, "message"], (event: Event) => (event.message ?? "").trim()),
    column("First Seen", [type, "firstTimestamp"], firstSeen, wide),
    column("Count", [type, "count"], (event: Event) => event.series?.count ?? (event.count || 1), wide),
    wideNameColumn,
  ],
  fieldSelectors: {
    "involvedObject.kind": (event) => event.involvedObject.kind ?? "",
    "involvedObject.namespace": (event) => event.involvedObject.namespace ?? "",
    "involvedObject.name": (event) => event.involvedObject.name ?? "",
    "involvedObject.uid": (event) => event.involvedObject.uid ?? "",
    "involvedObject.apiVersion": (event) => event.involvedObject.apiVersion ?? "",
    "involvedObject.resourceVersion": (event) => event.involvedObject.resourceVersion ?? "",
    "involvedObject.fieldPath": (event) => event.involvedObject.fieldPath ?? "",
    reason: (event) => event.reason ?? "",
    reportingComponent: (event) => event.reportingComponent ?? "",
    source: (event) => firstNonEmpty(event.source?.component, event.reportingComponent),
    type: (event) => event.type ?? "",
  },
});

function firstSeen({ firstTimestamp, eventTime }: Event, now: number): string {
  return age(firstTimestamp ?? eventTime, now);
}

function lastSeen(event: Event, now: number): string {
  if (event.series !== undefined) return age(event.series.lastObservedTime, now);
  return event.lastTimestamp ? age(event.lastTimestamp, now) : firstSeen(event, now);
}

function objectText({ involvedObject: { kind = "", name = "" } }: Event): string {
  return name === "" ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`;
}

function sourceText({ source, reportingComponent, reportingInstance }: Event): string {
  const component = firstNonEmpty(source?.component, reportingComponent);
  const instance = firstNonEmpty(source?.host, reportingInstance);
  return instance === "" ? component : `${component}, ${instance}`;
}
