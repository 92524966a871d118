/**
 * How ownership moves when an object changes: by an update, which takes what it touches, and by an apply, which may not, and
 * which gives up what it no longer says. Upstream: structured-merge-diff/merge/update.go.
 */
import { Schema, type StructType } from "#api/schema/model.ts";
import { type Conflict, ConflictsError } from "./conflicts.ts";
import { type FieldSet, difference, emptySet, intersection, isEmptySet, union, withNamedFields } from "./field-set.ts";
import type { Owner, Owners } from "./managers.ts";
import { type Comparison, compareTyped, fieldSetOf, mapComparison } from "./typed-compare.ts";
import { reconcileSet } from "./typed-reconcile.ts";
import { mergeTyped, removeFields } from "./typed-merge.ts";
import { type JsonObject, deepEqual } from "./typed.ts";

/** The object in another of its versions. */
export interface VersionedObject {
  struct: StructType;
  object: JsonObject;
}

/** Objects of the version at hand as those of another; undefined if that version is no longer known. */
export type Convert = (object: JsonObject, apiVersion: string) => VersionedObject | undefined;

export interface UpdaterOptions {
  struct: StructType;
  apiVersion: string;
  /** What of a set this endpoint may own. Default: all. */
  ownable?: ((set: FieldSet) => FieldSet) | undefined;
  convert?: Convert | undefined;
  /** From another version back to the one at hand. */
  convertBack?: ((object: JsonObject, apiVersion: string) => JsonObject | undefined) | undefined;
}

const schemas = new WeakMap<StructType, Schema>();

export function schemaOfStruct(struct: StructType): Schema {
  let schema = schemas.get(struct);
  if (schema === undefined) schemas.set(struct, (schema = new Schema({ kind: "struct", struct })));
  return schema;
}

export class Updater {
  readonly #options: UpdaterOptions;
  readonly #schema: Schema;

  constructor(options: UpdaterOptions) {
    this.#options = options;
    this.#schema = schemaOfStruct(options.struct);
  }

  /**
   * Moves fields between owners as the change from `live` to `next` demands, and says what changed. `self` is left alone; of
   * the others an update takes what it touched, an apply only by force. Throws ConflictsError. Changes `owners`.
   */
  change(live: JsonObject, next: JsonObject, owners: Owners, self: string | undefined, force: boolean): Comparison {
    const comparisons = new Map<string, Comparison | undefined>();
    const here = this.#filter(compareTyped(this.#schema, live, next));
    comparisons.set(this.#options.apiVersion, here);
    const conflicts: Conflict[] = [];
    const removed = new Map<string, FieldSet>();
    for (const [identifier, owner] of owners) {
      if (identifier === self) continue;
      const comparison = this.#comparisonFor(owner.apiVersion, live, next, comparisons);
      if (comparison === undefined) {
        owners.delete(identifier);
        continue;
      }
      const touched = union(comparison.modified, comparison.added);
      const set = isEmptySet(touched) ? emptySet : intersection(owner.set, touched);
      if (!isEmptySet(set)) conflicts.push({ identifier, owner, set });
      if (!isEmptySet(comparison.removed)) removed.set(identifier, comparison.removed);
    }
    if (!force && conflicts.length > 0) throw new ConflictsError(conflicts);
    for (const { identifier, set } of conflicts) take(owners, identifier, set);
    for (const [identifier, set] of removed) take(owners, identifier, set);
    return here;
  }

  #comparisonFor(
    apiVersion: string,
    live: JsonObject,
    next: JsonObject,
    known: Map<string, Comparison | undefined>,
  ): Comparison | undefined {
    if (known.has(apiVersion)) return known.get(apiVersion);
    const before = this.#converted(live, apiVersion);
    const after = this.#converted(next, apiVersion);
    const comparison =
      before === undefined || after === undefined
        ? undefined
        : this.#filter(compareTyped(schemaOfStruct(before.struct), before.object, after.object));
    known.set(apiVersion, comparison);
    return comparison;
  }

  /** Fields named in another group's version are lost: upstream cannot convert between groups here. */
  #converted(object: JsonObject, apiVersion: string): VersionedObject | undefined {
    if (groupOf(apiVersion) !== groupOf(this.#options.apiVersion)) return undefined;
    return this.#options.convert?.(object, apiVersion);
  }

  #filter(comparison: Comparison): Comparison {
    const { ownable } = this.#options;
    return ownable === undefined ? comparison : mapComparison(comparison, ownable);
  }

  /** The fields that the change from `live` to `next` gives to whoever made it. */
  update(live: JsonObject, next: JsonObject, owners: Owners): FieldSet {
    this.#reconcile(live, owners);
    const { added, modified } = this.change(live, next, owners, undefined, true);
    return union(modified, added);
  }

  /**
   * Lays `applied` over `live` for one manager. undefined: nothing changes but, maybe, ownership. Throws ConflictsError.
   * Changes `owners`.
   */
  apply(
    live: JsonObject,
    applied: JsonObject,
    owners: Owners,
    owner: Owner,
    self: string,
    force: boolean,
  ): JsonObject | undefined {
    this.#reconcile(live, owners);
    const last = owners.get(self);
    const { ownable } = this.#options;
    const all = fieldSetOf(this.#schema, applied);
    owners.set(self, { ...owner, set: ownable === undefined ? all : ownable(all) });
    const merged = mergeTyped(this.#schema, live, applied) as JsonObject;
    const pruned = last === undefined || isEmptySet(last.set) ? merged : this.#prune(merged, owners, last);
    this.change(live, pruned, owners, self, force);
    return deepEqual(live, pruned) ? undefined : pruned;
  }

  #reconcile(live: JsonObject, owners: Owners): void {
    for (const [identifier, owner] of owners) {
      const { apiVersion } = this.#options;
      const struct = owner.apiVersion === apiVersion ? undefined : this.#converted(live, owner.apiVersion)?.struct;
      if (struct === undefined && owner.apiVersion !== apiVersion) continue;
      const set = reconcileSet(struct === undefined ? this.#schema : schemaOfStruct(struct), owner.set);
      if (set !== owner.set) owners.set(identifier, { ...owner, set });
    }
  }

  /** Takes out what the manager said last time and now nobody says. */
  #prune(merged: JsonObject, owners: Owners, last: Owner): JsonObject {
    const { apiVersion } = this.#options;
    if (last.apiVersion === apiVersion) return this.#prunedIn(this.#schema, merged, owners, last);
    const versioned = this.#converted(merged, last.apiVersion);
    if (versioned === undefined) return merged;
    const pruned = this.#prunedIn(schemaOfStruct(versioned.struct), versioned.object, owners, last);
    return this.#options.convertBack?.(pruned, last.apiVersion) ?? merged;
  }

  #prunedIn(schema: Schema, merged: JsonObject, owners: Owners, last: Owner): JsonObject {
    const named = (set: FieldSet) => withNamedFields(set, schema);
    const remove = (set: FieldSet) => (removeFields(schema, merged, set) ?? {}) as JsonObject;
    let pruned = remove(named(last.set));
    const mergedSet = named(fieldSetOf(schema, merged));
    const prunedSet = named(fieldSetOf(schema, pruned));
    // What others own stays, in the names of this version; what they own in other versions names the same fields mostly.
    let kept = prunedSet;
    for (const owner of owners.values()) kept = union(kept, named(owner.set));
    pruned = remove(difference(mergedSet, kept));
    const remaining = named(fieldSetOf(schema, pruned));
    return remove(intersection(difference(mergedSet, remaining), named(last.set)));
  }
}

const groupOf = (apiVersion: string) => apiVersion.slice(0, Math.max(apiVersion.indexOf("/"), 0));

function take(owners: Owners, identifier: string, set: FieldSet): void {
  const owner = owners.get(identifier);
  if (owner === undefined) return;
  const rest = difference(owner.set, set);
  if (isEmptySet(rest)) owners.delete(identifier);
  else owners.set(identifier, { ...owner, set: rest });
}
