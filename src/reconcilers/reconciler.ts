/**
 * The contract of a reconciler: what it watches, and a pure function from what is to the list of changes that bring what
 * is wished. It never waits, reads no clock, throws no dice and talks to nobody; driver.ts does all that.
 */
import type { KubernetesObject, UnknownObject } from "#api/object.ts";
import type { PatchType } from "#client/client.ts";
import type { EventReference } from "#client/event-recorder.ts";
import type { ObjectKey, ResourceRef } from "#client/resource-path.ts";
import type { View } from "#client/view.ts";

export type { View } from "#client/view.ts";
export type { ObjectKey, ResourceRef } from "#client/resource-path.ts";

/** Any kind: what a list of kinds or a change holds, where the type of the objects does not matter. */
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyRef = ResourceRef<any>;

export interface EventSpec {
  about: KubernetesObject | EventReference;
  type: "Normal" | "Warning";
  reason: string;
  message: string;
  /** Default the reconciler's own `component`. */
  component?: string;
}

/** What became of one change. */
export type Outcome = { ok: true; object: UnknownObject } | { ok: false; error: Error };

/** One step of a plan. Steps are carried out in order; neighbouring creates, and neighbouring deletes, go out together. */
export type Change =
  | {
      type: "create";
      ref: AnyRef;
      object: KubernetesObject;
      report?: Report;
      existsIsFine?: boolean;
      /** Needs what the creates before it make: it waits for them. */
      waits?: boolean;
    }
  | { type: "update"; ref: AnyRef; object: KubernetesObject; subresource?: string; report?: Report }
  /** Server-side apply, whoever else owns the fields; `object` has no others. */
  | { type: "apply"; ref: AnyRef; object: KubernetesObject; manager: string }
  | {
      type: "patch";
      ref: AnyRef;
      key: ObjectKey;
      patchType: PatchType;
      patch: unknown;
      subresource?: string;
      report?: Report;
    }
  | {
      type: "delete";
      ref: AnyRef;
      key: ObjectKey;
      uid: string | undefined;
      resourceVersion?: string;
      propagation?: "Orphan" | "Background" | "Foreground";
      gracePeriodSeconds?: number;
      report?: Report;
    }
  | { type: "delete-collection"; ref: AnyRef; namespace: string }
  | { type: "post"; ref: AnyRef; key: ObjectKey; subresource: string; body: unknown; report?: Report }
  | { type: "event"; event: EventSpec }
  /** Look again at this time, whatever happens. */
  | { type: "wake"; at: number };

/** Events that tell of a change once it is known how it went. */
export type Report = (outcome: Outcome) => EventSpec | readonly EventSpec[] | undefined;

/** What a plan may know beside the object and the view. */
export interface Moment {
  /** Milliseconds since the epoch. */
  now: number;
  /** Why the last plan for this object could not be carried out; undefined after a success. */
  failure: Error | undefined;
  /** When plans for this object began to be nothing but waiting; undefined if the last one did something. */
  waitingSince: number | undefined;
  /** How often in a row plans for this object failed. */
  failures: number;
  /** What `inputs` asked for, by the name it gave. */
  inputs: Inputs;
}

/** Something that has to be asked from outside before a plan can be made. */
export type InputRequest =
  /** A fresh read, past the cache. Its answer is the object, or undefined if there is none. */
  | { type: "get"; ref: AnyRef; key: ObjectKey }
  /** Any GET; its answer is the body. */
  | { type: "call"; path: string; query?: Record<string, string> }
  /** POST to a subresource that makes something and stores nothing, such as a token. Its answer is the body. */
  | { type: "post"; ref: AnyRef; key: ObjectKey; subresource: string; body: unknown }
  /** A create that stores nothing, such as a review of rights. Its answer is the object. */
  | { type: "create"; ref: AnyRef; object: KubernetesObject }
  /** Anything else, such as signing: done by a function that main wires in. */
  | { type: "run"; run: () => Promise<unknown> };

/** A failure is a value here: planners say what they do without an answer. */
export type Input = { ok: true; value: unknown } | { ok: false; error: Error };
export type Inputs = ReadonlyMap<string, Input>;

/** A change of another kind that makes keys of the watched kind worth a look. Called for the old and the new state. */
export interface Trigger<S extends KubernetesObject = UnknownObject> {
  ref: ResourceRef<S>;
  /** `other` is the state on the other side of the change, undefined when it began or ended to be. */
  keys(object: S, view: View, other: S | undefined): Iterable<ObjectKey>;
}

export interface Reconciler<T extends KubernetesObject = UnknownObject> {
  /** "replicaset"; also the flag name. */
  name: string;
  /** Who its events say they come from. Default "NAME-controller". */
  component?: string;
  watches: ResourceRef<T>;
  /** Kinds whose objects name a watched object as their controller. */
  owns?: readonly AnyRef[];
  /** Kinds that the view is asked for beside those. */
  reads?: readonly AnyRef[];
  also?: readonly Trigger<never>[];
  /** What must be asked before `reconcile`. Called again with the answers, until it asks for nothing more. */
  inputs?(object: T, view: View, now: number, given: Inputs): ReadonlyMap<string, InputRequest>;
  reconcile(object: T, view: View, moment: Moment): Change[];
  /** Called instead of `reconcile` when the object is gone. */
  gone?(key: ObjectKey, view: View, moment: Moment): Change[];
  /** One object at a time, because plans for different objects compete for the same thing. */
  serial?: boolean;
  /** True if a change from `old` to `object` needs no look. */
  ignores?(object: T, old: T): boolean;
}

/** Checks nothing and changes nothing: it ties a reconciler to its type. */
export function defineReconciler<T extends KubernetesObject>(reconciler: Reconciler<T>): Reconciler<T> {
  return reconciler;
}

/** Ties a trigger to its type. */
export function trigger<S extends KubernetesObject>(ref: ResourceRef<S>, keys: Trigger<S>["keys"]): Trigger<never> {
  return { ref, keys } as unknown as Trigger<never>;
}

export function create<T extends KubernetesObject>(
  ref: ResourceRef<T>,
  object: T,
  options: { report?: Report; existsIsFine?: boolean; waits?: boolean } = {},
): Change {
  return { type: "create", ref, object, ...options };
}

/** The whole object; refused by the server if it changed meanwhile. */
export function update<T extends KubernetesObject>(ref: ResourceRef<T>, object: T, report?: Report): Change {
  return { type: "update", ref, object, ...(report === undefined ? {} : { report }) };
}

/** The object with a new status; refused by the server if it changed meanwhile. */
export function updateStatus<T extends KubernetesObject>(ref: ResourceRef<T>, object: T, report?: Report): Change {
  return { type: "update", ref, object, subresource: "status", ...(report === undefined ? {} : { report }) };
}

export function apply<T extends KubernetesObject>(ref: ResourceRef<T>, object: T, manager: string): Change {
  return { type: "apply", ref, object, manager };
}

export function patch<T extends KubernetesObject>(
  ref: ResourceRef<T>,
  { metadata: { namespace, name } }: KubernetesObject,
  patchType: PatchType,
  body: unknown,
  options: { subresource?: string; report?: Report } = {},
): Change {
  return { type: "patch", ref, key: { namespace, name }, patchType, patch: body, ...options };
}

/** Deletes this very object: another of the same name is left alone. */
export function remove<T extends KubernetesObject>(
  ref: ResourceRef<T>,
  { metadata: { namespace, name, uid } }: KubernetesObject,
  options: {
    propagation?: "Orphan" | "Background" | "Foreground";
    gracePeriodSeconds?: number;
    resourceVersion?: string;
    report?: Report;
  } = {},
): Change {
  return { type: "delete", ref, key: { namespace, name }, uid, ...options };
}

export function event(
  about: KubernetesObject | EventReference,
  type: "Normal" | "Warning",
  reason: string,
  message: string,
): Change {
  return { type: "event", event: { about, type, reason, message } };
}

export function wake(at: number): Change {
  return { type: "wake", at };
}
