import { describe, expect, test } from "vitest";
import type { UnknownObject } from "#api/object.ts";
import { viewOf } from "#client/view.ts";
import { moment } from "#test/support/settle.ts";
import type { KindsView, ServedKind } from "./every-kind.ts";
import { garbageCollector } from "./garbage-collector.ts";
import type { Change, Input } from "./reconciler.ts";

const kind = (name: string, scope: "Namespaced" | "Cluster"): ServedKind => ({
  group: "",
  version: "v1",
  kind: name,
  plural: `${name.toLowerCase()}s`,
  scope,
  singular: "",
  shortNames: [],
  categories: [],
  verbs: [],
  subresources: {},
  preferred: true,
  canDeleteCollection: true,
});
const configMap = kind("ConfigMap", "Namespaced");
const node = kind("Node", "Cluster");

interface Facts {
  owners?: readonly (string | { uid: string; block: boolean })[];
  finalizers?: string[];
  going?: boolean;
}

function object(name: string, { owners = [], finalizers, going = false }: Facts = {}): UnknownObject {
  const ownerReferences = owners.map((owner) => {
    const uid = typeof owner === "string" ? owner : owner.uid;
    const block = typeof owner === "string" ? {} : { blockOwnerDeletion: owner.block };
    return { apiVersion: "v1", kind: "ConfigMap", name: uid, uid, ...block };
  });
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name,
      namespace: "a",
      uid: name,
      resourceVersion: "7",
      ...(ownerReferences.length === 0 ? {} : { ownerReferences }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ...(going ? { deletionTimestamp: "2024-01-01T00:00:00Z" } : {}),
    },
  };
}

function kindsView(objects: readonly UnknownObject[]): KindsView {
  const kinds = [configMap, node];
  return { ...viewOf(objects), kinds, resolve: (_, name) => kinds.find((each) => each.kind === name) };
}

function plan(
  about: UnknownObject,
  others: readonly UnknownObject[] = [],
  fresh: Record<string, Input> = {},
): Change[] {
  const inputs = new Map(Object.entries(fresh));
  return garbageCollector.reconcile(configMap, about, kindsView([about, ...others]), { ...moment(0), inputs });
}

const absent: Input = { ok: true, value: undefined };
const said = (changes: Change[]): unknown[] =>
  changes.map((change) => {
    if (change.type === "delete") return `delete ${change.key.name} ${change.propagation}`;
    if (change.type !== "patch") return change.type;
    const { ownerReferences, finalizers } = (change.patch as { metadata: Record<string, unknown> }).metadata;
    return { patch: change.key.name, ...(ownerReferences === undefined ? { finalizers } : { ownerReferences }) };
  });

describe("garbage collector", () => {
  test("leaves alone what has an owner that is there", () => {
    expect(plan(object("b", { owners: ["a"] }), [object("a")])).toEqual([]);
  });

  test("deletes what has lost its owner, but only if the server says so too", () => {
    const dependent = object("b", { owners: ["a"] });
    expect([...garbageCollector.inputs(configMap, dependent, kindsView([dependent])).keys()]).toEqual(["a"]);
    expect(said(plan(dependent))).toEqual(["wake"]);
    expect(said(plan(dependent, [], { a: { ok: false, error: new Error("no answer") } }))).toEqual(["wake"]);
    expect(said(plan(dependent, [], { a: absent }))).toEqual(["delete b Background"]);
  });

  test("an owner that was made anew under its old name is not the owner", () => {
    const dependent = object("b", { owners: ["a"] });
    const anew = { ...object("a"), metadata: { ...object("a").metadata, uid: "other" } };
    expect(said(plan(dependent, [], { a: { ok: true, value: anew } }))).toEqual(["delete b Background"]);
  });

  test("tells of an owner in another namespace, and takes it for none", () => {
    const elsewhere = { ...object("a"), metadata: { ...object("a").metadata, namespace: "elsewhere" } };
    const changes = plan(object("b", { owners: ["a"] }), [elsewhere], { a: absent });
    expect(said(changes)).toEqual(["event", "delete b Background"]);
    const { namespace } = object("b").metadata;
    expect(changes[0]).toMatchObject({
      event: {
        reason: "OwnerRefInvalidNamespace",
        message: `ownerRef [v1/ConfigMap, namespace: ${namespace}, name: a, uid: a] does not exist in namespace "${namespace}"`,
      },
    });
  });

  test("takes out a lost owner as long as another one is there", () => {
    const changes = plan(object("b", { owners: ["gone", "a"] }), [object("a")], { gone: absent });
    expect(said(changes)).toEqual([{ patch: "b", ownerReferences: [expect.objectContaining({ uid: "a" })] }]);
  });

  test("keeps what an object asks for by its finalizers", () => {
    const orphaning = object("b", { owners: ["a"], finalizers: ["orphan"] });
    expect(said(plan(orphaning, [], { a: absent }))).toEqual(["delete b Orphan"]);
    const waiting = object("b", { owners: ["a"], finalizers: ["foregroundDeletion"] });
    expect(said(plan(waiting, [], { a: absent }))).toEqual(["delete b Foreground"]);
  });

  test("does nothing about owners of a kind that nobody serves", () => {
    const dependent = object("b", { owners: ["a"] });
    dependent.metadata.ownerReferences![0]!.kind = "Nothing";
    expect(said(plan(dependent, [], { a: absent }))).toEqual(["wake"]);
  });

  test("orphaning frees the dependents before the owner", () => {
    const owner = object("a", { going: true, finalizers: ["orphan"] });
    expect(said(plan(owner, [object("b", { owners: ["a"] })]))).toEqual([
      { patch: "b", ownerReferences: null },
      { patch: "a", finalizers: null },
    ]);
  });

  test("an owner that waits in the foreground goes when nothing blocks it any more", () => {
    const owner = object("a", { going: true, finalizers: ["foregroundDeletion", "example.com/hold"] });
    const blocking = object("b", { owners: [{ uid: "a", block: true }] });
    const free = object("b", { owners: [{ uid: "a", block: false }] });
    expect(plan(owner, [blocking])).toEqual([]);
    expect(said(plan(owner, [free]))).toEqual([{ patch: "a", finalizers: ["example.com/hold"] }]);
  });

  test("dependents of an owner that waits are deleted, those with dependents in the foreground", () => {
    const owner = object("a", { going: true, finalizers: ["foregroundDeletion"] });
    const middle = object("b", { owners: ["a"] });
    expect(said(plan(middle, [owner]))).toEqual(["delete b Background"]);
    expect(said(plan(middle, [owner, object("c", { owners: ["b"] })]))).toEqual(["delete b Foreground"]);
  });

  test("a circle of waiting objects is cut", () => {
    const a = object("a", { owners: [{ uid: "b", block: true }], going: true, finalizers: ["foregroundDeletion"] });
    const b = object("b", { owners: [{ uid: "a", block: true }] });
    expect(said(plan(b, [a]))).toEqual([
      { patch: "b", ownerReferences: [expect.objectContaining({ uid: "a", blockOwnerDeletion: false })] },
      "delete b Foreground",
    ]);
  });

  test("a deleted owner makes its dependents worth a look, a heartbeat nobody", () => {
    const owner = object("a");
    const view = kindsView([object("b", { owners: ["a"] })]);
    const keys = (change: Parameters<typeof garbageCollector.keys>[1]) =>
      [...garbageCollector.keys(configMap, change, view)].map(({ key }) => key.name);
    expect(keys({ type: "deleted", object: owner, old: owner })).toEqual(["b"]);
    expect(keys({ type: "modified", object: { ...owner, data: {} }, old: owner })).toEqual([]);
  });
});
