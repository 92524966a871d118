/** What an event must say, old form and new. Upstream: pkg/apis/core/validation/events.go. */
import type { CoreV1Event } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import type { RequestContext } from "#api/resource.ts";
import { invalid, invalidEach, required } from "#api/validation/field-errors.ts";
import { isDns1123Subdomain, isQualifiedName } from "#api/validation/names.ts";
import { immutable, semanticEqual } from "#api/validation/values.ts";

export const reasonBytesMax = 128;
export const messageBytesMax = 1024;

export function eventErrors(event: CoreV1Event, old: CoreV1Event | undefined, { group }: RequestContext): FieldError[] {
  const isNew = group === "events.k8s.io";
  const errors = commonErrors(event, isNew ? "reportingController" : "reportingComponent");
  if (!isNew) return errors;
  return old === undefined ? [...errors, ...newErrors(event)] : [...errors, ...changeErrors(event, old)];
}

const mismatch = (namespace: string) =>
  invalid("involvedObject.namespace", namespace, "does not match event.namespace");

function commonErrors(event: CoreV1Event, controllerField: string): FieldError[] {
  const { metadata, involvedObject, eventTime } = event;
  const { namespace = "" } = metadata;
  const about = involvedObject?.namespace ?? "";
  const errors: FieldError[] = [];
  if (!eventTime) {
    if (about === "" ? namespace !== "" && namespace !== "default" : about !== namespace) errors.push(mismatch(about));
  } else {
    if (about === "" && namespace !== "default" && namespace !== "kube-system") errors.push(mismatch(about));
    errors.push(...newFieldsErrors(event, controllerField));
  }
  return [...errors, ...invalidEach("namespace", namespace, isDns1123Subdomain(namespace))];
}

function newFieldsErrors(event: CoreV1Event, controllerField: string): FieldError[] {
  const { reportingComponent: controller = "", reportingInstance = "", action = "", reason = "", message = "" } = event;
  const errors = controller === "" ? [required(controllerField)] : [];
  errors.push(...invalidEach(controllerField, controller, isQualifiedName(controller)));
  for (const [field, text] of [
    ["reportingInstance", reportingInstance],
    ["action", action],
    ["reason", reason],
  ] as const) {
    if (text === "") errors.push(required(field));
    else if (Buffer.byteLength(text) > reasonBytesMax)
      errors.push(invalid(field, "", `can have at most ${reasonBytesMax} characters`));
  }
  if (Buffer.byteLength(message) > messageBytesMax)
    errors.push(invalid("message", "", `can have at most ${messageBytesMax} characters`));
  return errors;
}

function seriesErrors({ series }: CoreV1Event): FieldError[] {
  if (series === undefined) return [];
  return [
    ...((series.count ?? 0) < 2 ? [invalid("series.count", "", "should be at least 2")] : []),
    ...(series.lastObservedTime ? [] : [required("series.lastObservedTime")]),
  ];
}

/** events.k8s.io/v1 has no use for the fields of the old form. */
function newErrors(event: CoreV1Event): FieldError[] {
  const { type = "", source, metadata } = event;
  const { name = "" } = metadata;
  // The core form takes any name that a path can hold.
  const errors = [...invalidEach("metadata.name", name, isDns1123Subdomain(name)), ...seriesErrors(event)];
  if (!event.eventTime) errors.push(required("eventTime"));
  if (type !== "Normal" && type !== "Warning") errors.push(invalid("type", "", `has invalid value: ${type}`));
  const unset = (field: string, isSet: boolean) => {
    if (isSet) errors.push(invalid(field, "", "needs to be unset"));
  };
  unset("firstTimestamp", Boolean(event.firstTimestamp));
  unset("lastTimestamp", Boolean(event.lastTimestamp));
  unset("count", (event.count ?? 0) !== 0);
  unset("source", Boolean(source?.component) || Boolean(source?.host));
  return errors;
}

function changeErrors(event: CoreV1Event, old: CoreV1Event): FieldError[] {
  const errors = semanticEqual(event.series, old.series) ? [] : seriesErrors(event);
  const kept = [
    ["involvedObject", "involvedObject"],
    ["reason", "reason"],
    ["message", "message"],
    ["source", "source"],
    ["firstTimestamp", "firstTimestamp"],
    ["lastTimestamp", "lastTimestamp"],
    ["count", "count"],
    // Upstream looks at it twice, and says so twice.
    ["reason", "reason"],
    ["type", "type"],
    ["eventTime", "eventTime"],
    ["action", "action"],
    ["related", "related"],
    ["reportingController", "reportingComponent"],
    ["reportingInstance", "reportingInstance"],
  ] as const;
  for (const [field, name] of kept) errors.push(...immutable(field, event[name] ?? "", old[name] ?? ""));
  return errors;
}
