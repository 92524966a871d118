/**
 * Watches: what changed since a revision, then what changes, each event encoded once for all that watch in the same
 * form. A watch that starts before what the cache remembers replays from the store first. Upstream: storage/cacher.
 */
import type { KubernetesObject } from "#api/object.ts";
import { expired } from "#api/status-catalogue.ts";
import { type Status, StatusError } from "#api/status-error.ts";
import { CompactedError } from "#store/store.ts";
import type { OutgoingEvent, WatchAnswer, WatchSink } from "#apiserver/answer.ts";
import { changeOf } from "#apiserver/cache/cluster-cache.ts";
import type { Entry } from "#apiserver/cache/entry.ts";
import type { Change } from "#apiserver/cache/resource-cache.ts";
import type { Operation } from "#apiserver/operation.ts";
import { collectionPrefix } from "./keys.ts";
import { badRevision, type ListOptions, listOptions, parseRevision } from "./list-options.ts";
import { type Selection, selectionOf, selects } from "./selection.ts";
import { shownChanges, shownEntries } from "./stored-entries.ts";
import { checkIncludeObject, formed, type ViewRequest } from "./views.ts";
import { viewOf } from "./read.ts";

/** Without a wish of the client a watch lasts between this and twice this, so that they do not all end at once. */
const watchTimeoutMinMs = 30 * 60 * 1000;
const bookmarkIntervalMs = 60_000;
/** How much of the initial state is sent before the client must have taken it. */
const stateBytesPerStep = 64 * 1024;
const timeoutSecondsMax = 2_000_000;

type EventType = OutgoingEvent["type"];

export function watchObjects(operation: Operation): WatchAnswer {
  const { resource, request, info, warnings } = operation;
  const selection = selectionOf(resource, request.query, info.name);
  const options = listOptions(request.query, true);
  const view = viewOf(operation);
  checkIncludeObject(view);
  if (options.resourceVersion !== "" && parseRevision(options.resourceVersion) === undefined)
    throw badRevision(options.resourceVersion, 500);
  return { type: "watch", warnings, open: (sink) => new Watch(operation, view, selection, options, sink).start() };
}

class Watch {
  readonly #operation: Operation;
  readonly #view: ViewRequest;
  readonly #selection: Selection;
  readonly #options: ListOptions;
  readonly #sink: WatchSink;
  readonly #prefix: string;
  readonly #exactKey: string | undefined;
  /** Names the form: events of equal forms share their bytes. */
  readonly #formKey: string;
  readonly #stops: (() => void)[] = [];
  #isOver = false;
  /** Events up to here have been sent or were not for this watch. */
  #sentRevision = 0;
  #needsColumns = true;
  /** Changes that wait for their conversion, in order. */
  #converting = Promise.resolve();

  constructor(operation: Operation, view: ViewRequest, selection: Selection, options: ListOptions, sink: WatchSink) {
    this.#operation = operation;
    this.#view = view;
    this.#selection = selection;
    this.#options = options;
    this.#sink = sink;
    const { resource, info } = operation;
    this.#prefix = collectionPrefix(resource, info.namespace);
    this.#exactKey = exactKey(operation, selection, this.#prefix);
    this.#formKey = `${resource.apiVersion} ${view.form.as} ${view.form.version} ${view.includeObject ?? ""}`;
  }

  start(): () => void {
    const { timeoutSeconds } = this.#options;
    const timeoutMs =
      timeoutSeconds !== undefined && timeoutSeconds > 0
        ? Math.min(timeoutSeconds, timeoutSecondsMax) * 1000
        : watchTimeoutMinMs * (1 + this.#operation.services.random.next());
    const timer = setTimeout(() => this.#end(), timeoutMs);
    this.#stops.push(() => clearTimeout(timer));
    this.#begin().catch((error: unknown) => this.#fail(error));
    return () => this.#end();
  }

  async #begin(): Promise<void> {
    const { cache } = this.#operation.services;
    const { resourceVersion, sendInitialEvents } = this.#options;
    const revision = resourceVersion === "" ? 0 : parseRevision(resourceVersion)!;
    // Only a version of "0" may show an older state than the newest one.
    if (resourceVersion === "") await cache.waitFor();
    const wantsState = sendInitialEvents ?? (resourceVersion === "" || resourceVersion === "0");
    if (wantsState) {
      if (revision > cache.revision) await cache.waitFor(revision);
      if (this.#isOver) return;
      await this.#sendState();
      if (this.#isOver) return;
      await this.#replay(this.#sentRevision);
    } else if (sendInitialEvents === false && (resourceVersion === "" || resourceVersion === "0")) {
      this.#sentRevision = cache.revision;
    } else await this.#replay(revision);
    if (this.#isOver) return;
    this.#follow();
  }

  /** The current objects as ADDED events, no faster than the client takes them, and the bookmark that says that these were all. */
  async #sendState(): Promise<void> {
    const { resource, services } = this.#operation;
    const revision = services.cache.revision;
    const state: Entry[] = [];
    const range = resource.cache.entries.range(this.#exactKey ?? this.#prefix);
    const candidates = resource.storage === undefined ? range : await shownEntries(resource, [...range]);
    for (const entry of candidates) {
      if (this.#exactKey !== undefined && entry.key !== this.#exactKey) continue;
      if (selects(this.#selection, entry)) state.push(entry);
    }
    this.#sentRevision = revision;
    let events: OutgoingEvent[] = [];
    let bytes = 0;
    for (const entry of state) {
      events.push(this.#event("ADDED", entry, undefined));
      bytes += entry.byteLength;
      if (bytes < stateBytesPerStep) continue;
      this.#send(events);
      events = [];
      bytes = 0;
      await this.#sink.drained();
      if (this.#isOver) return;
    }
    if (this.#options.sendInitialEvents === true && this.#options.allowWatchBookmarks)
      events.push(this.#bookmark(revision, { "k8s.io/initial-events-end": "true" }));
    this.#send(events);
  }

  /** What happened after `revision`, from memory or, if that does not reach back so far, from the store. */
  async #replay(revision: number): Promise<void> {
    const { resource, services } = this.#operation;
    this.#sentRevision = revision;
    if (revision >= resource.cache.recentAfter) {
      this.#deliver(resource.cache.changesAfter(revision));
      return;
    }
    await new Promise<void>((resolve, reject) => {
      // Every revision has events under the empty prefix, so this is sure to reach what the cache remembers.
      const stop = services.store.watch("", revision, {
        onEvents: (events, upTo) => {
          if (this.#isOver) return resolve();
          const own = events.filter(({ key }) => key.startsWith(resource.cache.prefix));
          this.#deliver(own.map((event) => changeOf(resource.cache.prefix, event)));
          this.#sentRevision = upTo;
          if (upTo >= resource.cache.recentAfter) resolve();
        },
        onEnd: (error) => (error === undefined ? resolve() : reject(error)),
      });
      this.#stops.push(stop, resolve);
    });
    this.#stops.splice(-2).forEach((stop) => stop());
    this.#deliver(resource.cache.changesAfter(this.#sentRevision));
  }

  #follow(): void {
    const { resource, services } = this.#operation;
    this.#stops.push(resource.cache.watch((changes) => this.#deliver(changes)));
    if (!this.#options.allowWatchBookmarks) return;
    const timer = setInterval(() => {
      const told = Math.min(services.cache.revision, resource.cache.toldRevision);
      this.#inOrder(() => {
        this.#sentRevision = Math.max(this.#sentRevision, told);
        this.#send([this.#bookmark(this.#sentRevision)]);
      });
    }, bookmarkIntervalMs);
    this.#stops.push(() => clearInterval(timer));
  }

  /** At once, or after the changes that are still being converted. */
  #inOrder(act: () => void | Promise<void>): void {
    if (this.#operation.resource.storage === undefined) void act();
    else this.#converting = this.#converting.then(act).catch((error: unknown) => this.#fail(error));
  }

  #deliver(changes: readonly Change[]): void {
    const { resource } = this.#operation;
    if (resource.storage === undefined) this.#sendChanges(changes);
    else this.#inOrder(async () => this.#sendChanges(await shownChanges(resource, changes)));
  }

  #sendChanges(changes: readonly Change[]): void {
    const events: OutgoingEvent[] = [];
    for (const change of changes) {
      if (change.revision <= this.#sentRevision) continue;
      const event = this.#eventOf(change);
      if (event !== undefined) events.push(event);
    }
    const last = changes.at(-1);
    if (last !== undefined && last.revision > this.#sentRevision) this.#sentRevision = last.revision;
    this.#send(events);
  }

  #eventOf(change: Change): OutgoingEvent | undefined {
    if (this.#exactKey !== undefined ? change.key !== this.#exactKey : !change.key.startsWith(this.#prefix))
      return undefined;
    const { current, previous, last } = change;
    const is = current !== undefined && this.#includes(current);
    const was = previous !== undefined && this.#includes(previous);
    if (is) return this.#event(was ? "MODIFIED" : "ADDED", current, change);
    if (!was) return undefined;
    // What left the selection shows its last state inside it, under the version of the change.
    const shown = last ?? previous.under(change.revision);
    return this.#event("DELETED", shown, change);
  }

  /** Many watchers ask this of one change: it is decoded once for all of them. */
  #includes(entry: Entry): boolean {
    return this.#selection.selectsAll || this.#selection.matches(entry.object);
  }

  #event(type: EventType, entry: Entry, change: Change | undefined): OutgoingEvent {
    const view = this.#view;
    if (view.form.as === "object" && view.resource.conversion === undefined) {
      return {
        type,
        object: () => entry.object,
        line: () => shared(change?.encoded, type, () => lineOf(type, entry)),
      };
    }
    const isTable = view.form.as === "Table";
    const withColumns = isTable && this.#needsColumns;
    if (isTable) this.#needsColumns = false;
    const object = () => formed(view, entry.object, { withColumns });
    const key = `${type} ${this.#formKey} ${withColumns}`;
    return { type, object, line: () => shared(change?.encoded, key, () => encodeEvent(type, object())) };
  }

  #bookmark(revision: number, annotations?: Record<string, string>): OutgoingEvent {
    const { resource } = this.#operation;
    const object = {
      kind: resource.kind,
      apiVersion: resource.apiVersion,
      metadata: { resourceVersion: String(revision), ...(annotations === undefined ? {} : { annotations }) },
    } as KubernetesObject;
    const withColumns = this.#view.form.as === "Table" && this.#needsColumns;
    const shown = () => (this.#view.form.as === "object" ? object : formed(this.#view, object, { withColumns }));
    return { type: "BOOKMARK", object: shown, line: () => encodeEvent("BOOKMARK", shown()) };
  }

  #send(events: readonly OutgoingEvent[]): void {
    if (this.#isOver || events.length === 0) return;
    // Upstream cannot make a list of one object's metadata, and says nothing.
    if (this.#view.form.as === "PartialObjectMetadataList") return;
    if (!this.#sink.send(events)) this.#end();
  }

  #fail(error: unknown): void {
    if (error instanceof CompactedError) {
      const { resourceVersion } = this.#options;
      const { status } = expired(`too old resource version: ${resourceVersion} (${error.compactedRevision})`);
      this.#send([errorEvent(status)]);
    } else if (error instanceof StatusError) this.#send([errorEvent(error.status)]);
    else this.#operation.services.log.error("a watch failed", { error: error as Error });
    this.#end();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const stop of this.#stops) stop();
    this.#sink.end();
  }
}

function exactKey({ resource, info }: Operation, { name, namespace }: Selection, prefix: string): string | undefined {
  if (name === undefined) return undefined;
  if (!resource.isNamespaced) return name;
  const inNamespace = info.namespace === "" ? namespace : info.namespace;
  return inNamespace === undefined || inNamespace === ""
    ? undefined
    : `${prefix === "" ? `${inNamespace}/` : prefix}${name}`;
}

const tail = Buffer.from("}\n");
const heads: Readonly<Record<EventType, Buffer>> = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
  BOOKMARK: Buffer.from('{"type":"BOOKMARK","object":'),
  ERROR: Buffer.from('{"type":"ERROR","object":'),
};

function lineOf(type: EventType, entry: Entry): Buffer {
  const head = heads[type];
  const line = Buffer.allocUnsafe(head.byteLength + entry.byteLength + tail.byteLength);
  head.copy(line);
  tail.copy(line, entry.copyTo(line, head.byteLength, 0));
  return line;
}

function encodeEvent(type: EventType, object: unknown): Buffer {
  return Buffer.from(`{"type":"${type}","object":${JSON.stringify(object)}}\n`);
}

function shared(cache: Map<string, Buffer> | undefined, key: string, make: () => Buffer): Buffer {
  if (cache === undefined) return make();
  let bytes = cache.get(key);
  if (bytes === undefined) cache.set(key, (bytes = make()));
  return bytes;
}

function errorEvent(status: Status): OutgoingEvent {
  return { type: "ERROR", object: () => status, line: () => encodeEvent("ERROR", status) };
}
