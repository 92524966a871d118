/** Connects a reconciler to the caches: turns changes of what it watches into keys, and keys into plans. */
import type { Clock } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import type { Random } from "#lib/random.ts";
import { apiVersionOf, type KubernetesObject } from "#api/object.ts";
import { isNotFound } from "#api/status-error.ts";
import type { CacheChange } from "#client/cache.ts";
import type { Client } from "#client/client.ts";
import type { ClusterCache } from "#client/cluster-cache.ts";
import { createEventRecorder, type EventRecorder } from "#client/event-recorder.ts";
import { keyText, parseKey } from "#client/resource-path.ts";
import { controllerOf } from "#client/view.ts";
import { PlanLoop } from "./plan-loop.ts";
import type {
  AnyRef,
  EventSpec,
  Input,
  InputRequest,
  Inputs,
  Moment,
  Reconciler,
  Trigger,
  View,
} from "#reconcilers/reconciler.ts";

export interface DriverOptions {
  client: Client;
  cache: ClusterCache;
  clock: Clock;
  random: Random;
  log: Logger;
  signal: AbortSignal;
}

/** How often a reconciler may ask on, knowing more each time. */
export const inputRoundsMax = 6;

/** Runs a reconciler until the signal fires. Resolves once everything it reads is there and work has begun. */
export async function drive<T extends KubernetesObject>(
  reconciler: Reconciler<T>,
  options: DriverOptions,
): Promise<void> {
  const { cache, signal } = options;
  const { view } = cache;
  const watched = cache.of(reconciler.watches);
  const refs: AnyRef[] = [...(reconciler.owns ?? []), ...(reconciler.reads ?? [])];
  for (const { ref } of reconciler.also ?? []) refs.push(ref as AnyRef);
  const caches = [watched, ...refs.map((ref) => cache.of(ref))];
  await Promise.all(caches.map((each) => each.synced(signal)));
  if (signal.aborted) return;

  const plan = (text: string, moment: Moment) => {
    const key = parseKey(text);
    const object = watched.get(key);
    if (object === undefined) return reconciler.gone?.(key, view, moment) ?? [];
    return reconciler.reconcile(object, view, moment);
  };
  const inputs = async (text: string): Promise<Inputs> => {
    const read = () => watched.get(parseKey(text));
    return await gatherInputs(reconciler, read, view, options);
  };
  const component = reconciler.component ?? `${reconciler.name}-controller`;
  const loop = new PlanLoop({
    ...options,
    name: reconciler.name,
    plan,
    record: recordAs(component, options),
    serial: reconciler.serial ?? false,
    ...(reconciler.inputs === undefined ? {} : { inputs }),
  });
  const stops = [
    watched.onChange((change) => {
      if (isOfInterest(reconciler, change)) loop.add(keyText(change.object.metadata));
    }),
    ...(reconciler.owns ?? []).map((ref) => cache.of(ref).onChange((change) => addOwners(reconciler, change, loop))),
    ...(reconciler.also ?? []).map((one) => addTriggered(one as Trigger, options, loop)),
  ];
  signal.addEventListener("abort", () => stops.forEach((stop) => stop()), { once: true });
}

function isOfInterest<T extends KubernetesObject>(reconciler: Reconciler<T>, { object, old, type }: CacheChange<T>) {
  return type !== "modified" || old === undefined || reconciler.ignores?.(object, old) !== true;
}

function addOwners<T extends KubernetesObject>(
  { watches }: Reconciler<T>,
  { object, old }: CacheChange<KubernetesObject>,
  loop: PlanLoop,
): void {
  for (const state of old === undefined ? [object] : [object, old]) {
    const owner = controllerOf(state);
    if (owner === undefined || owner.kind !== watches.kind || !sameGroup(owner.apiVersion, watches)) continue;
    const namespace = watches.scope === "Namespaced" ? state.metadata.namespace : undefined;
    loop.add(keyText({ namespace, name: owner.name }));
  }
}

const sameGroup = (apiVersion: string, ref: AnyRef): boolean =>
  apiVersion === apiVersionOf(ref) || apiVersion.split("/", 1)[0] === ref.group;

function addTriggered({ ref, keys }: Trigger, { cache }: DriverOptions, loop: PlanLoop): () => void {
  return cache.of(ref).onChange(({ object, old, type }) => {
    for (const key of keys(object, cache.view, type === "modified" ? old : undefined)) loop.add(keyText(key));
    if (old === undefined || type !== "modified") return;
    for (const key of keys(old, cache.view, object)) loop.add(keyText(key));
  });
}

/** Asks until the reconciler wants to know nothing more. */
export async function gatherInputs<T extends KubernetesObject>(
  reconciler: Pick<Reconciler<T>, "inputs">,
  read: () => T | undefined,
  view: View,
  { client, clock, signal }: Pick<DriverOptions, "client" | "clock" | "signal">,
): Promise<Inputs> {
  const given = new Map<string, Input>();
  for (let round = 0; round < inputRoundsMax; round += 1) {
    const object = read();
    const requests = object === undefined ? undefined : reconciler.inputs?.(object, view, clock.now(), given);
    const fresh = [...(requests ?? [])].filter(([name]) => !given.has(name));
    if (fresh.length === 0) break;
    for (const [name, answer] of await gather(new Map(fresh), client, signal)) given.set(name, answer);
  }
  return given;
}

/** Asks for everything at once. */
export async function gather(
  requests: ReadonlyMap<string, InputRequest>,
  client: Client,
  signal: AbortSignal,
): Promise<Inputs> {
  const answers = await Promise.all(
    [...requests].map(async ([name, request]) => [name, await ask(request, client, signal)] as const),
  );
  return new Map(answers);
}

async function ask(request: InputRequest, client: Client, signal: AbortSignal): Promise<Input> {
  try {
    switch (request.type) {
      case "get":
        return { ok: true, value: await client.get(request.ref, request.key, { signal }) };
      case "call":
        return {
          ok: true,
          value: await client.call({ method: "GET", path: request.path, query: request.query, signal }),
        };
      case "post": {
        const { ref, key, subresource, body } = request;
        return { ok: true, value: await client.createSubresource(ref, key, subresource, body, { signal }) };
      }
      case "create":
        return { ok: true, value: await client.create(request.ref, request.object, { signal }) };
      case "run":
        return { ok: true, value: await request.run() };
    }
  } catch (error) {
    if (request.type === "get" && isNotFound(error)) return { ok: true, value: undefined };
    return { ok: false, error: error instanceof Error ? error : new Error(String(error)) };
  }
}

/** Events go out in the name of a component; one recorder for each name that is used. */
export function recordAs(component: string, { client, clock, log }: DriverOptions): (event: EventSpec) => void {
  const recorders = new Map<string, EventRecorder>();
  return (event) => {
    const name = event.component ?? component;
    const recorder = recorders.get(name) ?? createEventRecorder(client, { component: name, clock, log });
    recorders.set(name, recorder);
    recorder.record(event);
  };
}
