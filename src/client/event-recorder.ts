/**
 * Writes Events the way client-go does: the same event again raises a count, many like it become one "combined" event, and
 * a source that talks too much about one object is cut off. Best effort: an event that cannot be written is dropped.
 * Upstream: client-go/tools/record.
 */
import { systemClock, formatMicroTime, formatTime, type Clock } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import type { CoreV1Event, EventsV1Event } from "#api/generated/types.ts";
import type { KubernetesObject } from "#api/object.ts";
import { isNotFound } from "#api/status-error.ts";
import type { Client, ResourceRef } from "./client.ts";

export interface EventReference {
  apiVersion?: string | undefined;
  kind?: string | undefined;
  namespace?: string | undefined;
  name?: string | undefined;
  uid?: string | undefined;
  resourceVersion?: string | undefined;
  fieldPath?: string | undefined;
}

export interface NewEvent {
  /** What it is about: a reference, or an object that says its apiVersion and kind. */
  about: EventReference | KubernetesObject;
  type: "Normal" | "Warning";
  reason: string;
  message: string;
  /** Only for the events.k8s.io flavour. */
  action?: string | undefined;
  related?: EventReference | KubernetesObject | undefined;
  annotations?: Readonly<Record<string, string>> | undefined;
}

export interface EventRecorder {
  record(event: NewEvent): void;
  /** Resolves when everything that was recorded so far has been written or dropped. */
  flush(): Promise<void>;
}

export interface EventRecorderOptions {
  log: Logger;
  /** "deployment-controller", "default-scheduler", "kubelet". */
  component: string;
  /** The node's name, for the agent. */
  host?: string | undefined;
  clock?: Clock;
  /** "core" writes counts as controllers and kubelet do, "events" writes events.k8s.io series as the scheduler does. */
  flavour?: "core" | "events";
}

export const pendingEventsMax = 1_000;
export const rememberedEventsMax = 4_096;
/** Of events alike in all but the message so many within `similarMs` stand for themselves; the others are one. */
const similarEventsMax = 9;
const similarMs = 600_000;
/** Per source and object: a burst, then one in five minutes. */
const burstMax = 25;
const refillMs = 300_000;
/** An events.k8s.io event that repeats within this time is a series. */
const seriesMs = 360_000;
/** How far a series has come is told at its second event, and then so often. */
const seriesRefreshMs = 1_800_000;

const eventRef: ResourceRef<CoreV1Event & KubernetesObject> = {
  group: "",
  version: "v1",
  kind: "Event",
  plural: "events",
  scope: "Namespaced",
};
const newEventRef: ResourceRef<EventsV1Event & KubernetesObject> = { ...eventRef, group: "events.k8s.io", columns: [] };

interface Remembered {
  namespace: string;
  name: string;
  count: number;
  /** When it was seen last, and written last. */
  lastAt: number;
  writtenAt: number;
}

export function createEventRecorder(client: Client, options: EventRecorderOptions): EventRecorder {
  const clock = options.clock ?? systemClock;
  const isSeries = options.flavour === "events";
  const correlate = isSeries ? uncorrelated : createCorrelator();
  const written = new LeastRecent<Remembered>(rememberedEventsMax);
  const write = isSeries ? writeSeries : writeCounted;
  let pending = 0;
  let last: Promise<void> = Promise.resolve();
  return {
    record(event) {
      const now = clock.now();
      const correlated = correlate(event, now);
      if (correlated === undefined) return;
      if (pending >= pendingEventsMax)
        return options.log.warn("event dropped, too many wait", { reason: event.reason });
      pending += 1;
      last = last
        .then(() => write({ client, options, written, now, ...correlated }))
        .catch((error: unknown) => options.log.debug("event dropped", { reason: event.reason, error }))
        .finally(() => void (pending -= 1));
    },
    flush: () => last,
  };
}

interface Correlated {
  event: NewEvent;
  /** Events of one key are one object. */
  key: string;
  /** It stands for others, and tells nothing of who reports them. */
  isCombined: boolean;
}

interface Writing extends Correlated {
  client: Client;
  options: EventRecorderOptions;
  written: LeastRecent<Remembered>;
  now: number;
}

/** core/v1: the same event again patches count, message and lastTimestamp. */
async function writeCounted({ client, options, written, event, key, isCombined, now }: Writing): Promise<void> {
  const about = referenceOf(event.about);
  const known = written.get(key);
  if (known !== undefined) {
    const patch = { count: known.count + 1, lastTimestamp: formatTime(now), message: event.message };
    try {
      await client.patch(eventRef, known, "strategic", patch);
      written.set(key, { ...known, count: known.count + 1, lastAt: now, writtenAt: now });
      return;
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
  const metadata = metadataOf(event, about, now);
  await client.create(eventRef, {
    metadata,
    involvedObject: about,
    reason: event.reason,
    message: event.message,
    source: { component: options.component, ...(options.host === undefined ? {} : { host: options.host }) },
    firstTimestamp: formatTime(now),
    lastTimestamp: formatTime(now),
    count: 1,
    type: event.type,
    reportingComponent: isCombined ? "" : options.component,
    reportingInstance: isCombined ? "" : (options.host ?? ""),
    ...(event.related === undefined ? {} : { related: referenceOf(event.related) }),
  } as CoreV1Event & KubernetesObject);
  written.set(key, { ...nameOf(metadata), count: 1, lastAt: now, writtenAt: now });
}

/** events.k8s.io/v1: the same event again starts a series; what it says is what was said first. */
async function writeSeries({ client, options, written, event, key, now }: Writing): Promise<void> {
  const about = referenceOf(event.about);
  const known = written.get(key);
  if (known !== undefined && now - known.lastAt < seriesMs) {
    const count = known.count + 1;
    const isTold = count > 2 && now - known.writtenAt < seriesRefreshMs;
    written.set(key, { ...known, count, lastAt: now, writtenAt: isTold ? known.writtenAt : now });
    if (isTold) return;
    const series = { count, lastObservedTime: formatMicroTime(now) };
    try {
      await client.patch(newEventRef, known, "strategic", { series });
      return;
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
  const metadata = metadataOf(event, about, now);
  await client.create(newEventRef, {
    metadata,
    eventTime: formatMicroTime(now),
    reportingController: options.component,
    reportingInstance: `${options.component}-${options.host ?? "capstan"}`,
    action: event.action ?? event.reason,
    reason: event.reason,
    regarding: about,
    note: event.message,
    type: event.type,
    ...(event.related === undefined ? {} : { related: referenceOf(event.related) }),
  } as EventsV1Event & KubernetesObject);
  written.set(key, { ...nameOf(metadata), count: 1, lastAt: now, writtenAt: now });
}

const nameOf = ({ namespace, name }: { namespace: string; name: string }) => ({ namespace, name });

let lastStamp = 0;

function metadataOf(event: NewEvent, about: EventReference, now: number) {
  // Two events of one millisecond get different names.
  lastStamp = Math.max(lastStamp + 1, Math.floor(now * 1_000));
  const namespace = about.namespace === undefined || about.namespace === "" ? "default" : about.namespace;
  const name = `${about.name ?? ""}.${(BigInt(lastStamp) * 1_000n).toString(16)}`;
  return { name, namespace, ...(event.annotations === undefined ? {} : { annotations: { ...event.annotations } }) };
}

/** What an Event says about an object. */
export function referenceOf(about: EventReference | KubernetesObject): EventReference {
  if (!("metadata" in about)) return about;
  const { namespace, name, uid, resourceVersion } = about.metadata;
  return { apiVersion: about.apiVersion, kind: about.kind, namespace, name, uid, resourceVersion };
}

/** Events of one version of an object are one, whatever they say: upstream's tools/events counts so. */
function uncorrelated(event: NewEvent): Correlated {
  const { about, related, type, reason, action } = event;
  const regarding = referenceOf(about);
  const key = JSON.stringify([regarding, related && referenceOf(related), type, reason, action]);
  return { event, key, isCombined: false };
}

/** Decides which events go out, and which go out combined; undefined drops one. Upstream: tools/record/events_cache.go. */
function createCorrelator(): (event: NewEvent, now: number) => Correlated | undefined {
  const spam = new LeastRecent<{ tokens: number; at: number }>(rememberedEventsMax);
  const similar = new LeastRecent<{ messages: Set<string>; at: number }>(rememberedEventsMax);
  const allowed = (event: NewEvent, now: number): boolean => {
    const key = JSON.stringify(identity(event));
    const bucket = spam.get(key) ?? { tokens: burstMax, at: now };
    const tokens = Math.min(burstMax, bucket.tokens + (now - bucket.at) / refillMs);
    spam.set(key, { tokens: Math.max(0, tokens < 1 ? tokens : tokens - 1), at: now });
    return tokens >= 1;
  };
  const combined = (event: NewEvent, now: number): Correlated => {
    const key = JSON.stringify([identity(event), event.type, event.reason]);
    const known = similar.get(key);
    const record = known === undefined || now - known.at > similarMs ? { messages: new Set<string>(), at: now } : known;
    record.at = now;
    if (record.messages.size < similarEventsMax) record.messages.add(event.message);
    similar.set(key, record);
    if (!record.messages.has(event.message))
      return {
        event: { ...event, message: `(combined from similar events): ${event.message}` },
        key,
        isCombined: true,
      };
    const { fieldPath } = referenceOf(event.about);
    return { event, key: JSON.stringify([key, fieldPath, event.message]), isCombined: false };
  };
  return (event, now) => (allowed(event, now) ? combined(event, now) : undefined);
}

function identity(event: NewEvent): unknown[] {
  const { kind, namespace, name, uid } = referenceOf(event.about);
  return [kind, namespace, name, uid];
}

/** A map that forgets what was not touched for longest. */
class LeastRecent<V> {
  readonly #entries = new Map<string, V>();
  readonly #max: number;
  constructor(max: number) {
    this.#max = max;
  }
  get(key: string): V | undefined {
    return this.#entries.get(key);
  }
  set(key: string, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size > this.#max) this.#entries.delete(this.#entries.keys().next().value ?? "");
  }
}
