/**
 * Which objects a controller controls: it adopts orphans that its selector matches and releases what it no longer matches.
 * Upstream: pkg/controller/controller_ref_manager.go.
 */
import { apiVersionOf, type KubernetesObject, type OwnerReference } from "#api/object.ts";
import { matchesLabels, type LabelSelector } from "#api/label-selector.ts";
import { defineIndex, labelText, type Index } from "#client/object-set.ts";
import { controllerOf } from "#client/view.ts";
import {
  patch,
  type AnyRef,
  type Change,
  type InputRequest,
  type Inputs,
  type ObjectKey,
  type ResourceRef,
  type View,
} from "./reconciler.ts";

export interface Claimed<S> {
  /** What is controlled, or will be once the changes are carried out. */
  claimed: S[];
  changes: Change[];
}

export interface ClaimOptions<S extends KubernetesObject> {
  owner: KubernetesObject;
  ownerRef: AnyRef;
  ref: AnyRef;
  selector: LabelSelector;
  candidates: readonly S[];
  /** What `adoptionInputs` asked for. */
  inputs: Inputs;
  /** Orphans for which this is false are not adopted. */
  adoptable?(object: S): boolean;
}

export function claim<S extends KubernetesObject>(options: ClaimOptions<S>): Claimed<S> {
  const { owner, ownerRef, ref, selector, candidates, inputs, adoptable } = options;
  const claimed: S[] = [];
  const changes: Change[] = [];
  const leaving = owner.metadata.deletionTimestamp !== undefined;
  for (const object of candidates) {
    const controller = controllerOf(object);
    const matches = matchesLabels(selector, object.metadata.labels);
    if (controller !== undefined) {
      if (controller.uid !== owner.metadata.uid) continue;
      if (matches) claimed.push(object);
      else if (!leaving) changes.push(release(ref, object, owner));
      continue;
    }
    const wanted = matches && !leaving && object.metadata.deletionTimestamp === undefined;
    if (!wanted || adoptable?.(object) === false || !isOwnerAlive(owner, inputs)) continue;
    changes.push(adopt(ref, object, owner, ownerRef));
    claimed.push(object);
  }
  return { claimed, changes };
}

/** Adopting for an owner that is being deleted elsewhere would undo its orphaning: the owner is read afresh first. */
export function adoptionInputs<S extends KubernetesObject>(
  options: Omit<ClaimOptions<S>, "inputs">,
): ReadonlyMap<string, InputRequest> {
  const { owner, ownerRef, selector, candidates, adoptable } = options;
  const { name, namespace, deletionTimestamp } = owner.metadata;
  const orphan = (object: S): boolean =>
    controllerOf(object) === undefined &&
    object.metadata.deletionTimestamp === undefined &&
    adoptable?.(object) !== false &&
    matchesLabels(selector, object.metadata.labels);
  if (deletionTimestamp !== undefined || !candidates.some(orphan)) return new Map();
  return new Map([["owner", { type: "get", ref: ownerRef, key: { name, namespace } }]]);
}

function isOwnerAlive(owner: KubernetesObject, inputs: Inputs): boolean {
  const fresh = inputs.get("owner");
  if (fresh === undefined || !fresh.ok || fresh.value === undefined) return false;
  const { metadata } = fresh.value as KubernetesObject;
  return metadata.uid === owner.metadata.uid && metadata.deletionTimestamp === undefined;
}

/** Objects of the owner's namespace that it controls or that have the labels its selector asks for. */
export function candidatesOf<S extends KubernetesObject>(
  view: View,
  owner: KubernetesObject,
  ref: AnyRef,
  matchLabels: Readonly<Record<string, string>>,
): S[] {
  const owned = view.ownedBy(owner, ref) as readonly S[];
  const matching = view.byLabels(ref, owner.metadata.namespace ?? "", matchLabels) as readonly S[];
  return [...new Set([...owned, ...matching])];
}

/** The labels that every object a selector matches must have; good for looking up candidates. */
export function requiredLabels(selector: {
  matchLabels?: Record<string, string>;
  matchExpressions?: readonly { key: string; operator: string; values?: readonly string[] }[];
}): Record<string, string> {
  const labels = { ...selector.matchLabels };
  for (const { key, operator, values } of selector.matchExpressions ?? [])
    if (operator === "In" && values?.length === 1 && values[0] !== undefined) labels[key] = values[0];
  return labels;
}

/** Where objects with a selector are found by the labels of what they may select. */
export function selectorIndex<S extends KubernetesObject>(
  name: string,
  selectorOf: (object: S) => Parameters<typeof requiredLabels>[0] | undefined,
): Index<S> {
  return defineIndex(name, (object) => {
    const selector = selectorOf(object);
    if (selector === undefined) return [];
    const first = Object.entries(requiredLabels(selector))[0];
    const { namespace } = object.metadata;
    return [first === undefined ? anyLabels(namespace) : labelText(namespace, ...first)];
  });
}

const anyLabels = (namespace: string | undefined): string => labelText(namespace, "", "");

/** Objects whose selector may match these labels: a superset, found without looking at all of them. */
export function possibleSelectors<S extends KubernetesObject>(
  view: View,
  ref: ResourceRef<S>,
  index: Index<S>,
  { metadata: { namespace, labels } }: KubernetesObject,
): S[] {
  const found = Object.entries(labels ?? {}).flatMap(([key, value]) =>
    view.byIndex(ref, index, labelText(namespace, key, value)),
  );
  return [...found, ...view.byIndex(ref, index, anyLabels(namespace))];
}

/** Owners that may want to adopt: called for objects that nobody controls. */
export function possibleAdopters<S extends KubernetesObject>(
  ref: ResourceRef<S>,
  index: Index<S>,
): (object: KubernetesObject, view: View) => ObjectKey[] {
  return (object, view) =>
    controllerOf(object) === undefined
      ? possibleSelectors(view, ref, index, object).map(({ metadata }) => metadata)
      : [];
}

export function controllerReference(owner: KubernetesObject, ref: AnyRef): OwnerReference {
  const { name = "", uid = "" } = owner.metadata;
  return { apiVersion: apiVersionOf(ref), kind: ref.kind, name, uid, controller: true, blockOwnerDeletion: true };
}

function adopt(ref: AnyRef, object: KubernetesObject, owner: KubernetesObject, ownerRef: AnyRef): Change {
  const metadata = { ownerReferences: [controllerReference(owner, ownerRef)], uid: object.metadata.uid };
  return patch(ref, object, "strategic", { metadata });
}

function release(ref: AnyRef, object: KubernetesObject, owner: KubernetesObject): Change {
  const metadata = { ownerReferences: [{ $patch: "delete", uid: owner.metadata.uid }], uid: object.metadata.uid };
  return patch(ref, object, "strategic", { metadata });
}
