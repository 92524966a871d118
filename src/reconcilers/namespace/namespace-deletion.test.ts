import { describe, expect, test } from "vitest";
import type { UnknownObject } from "#api/object.ts";
import { viewOf } from "#client/view.ts";
import type { KindsView, ServedKind } from "#reconcilers/every-kind.ts";
import type { Change, Input, Moment } from "#reconcilers/reconciler.ts";
import { moment } from "#test/support/settle.ts";
import { namespaceDeletion } from "./namespace-deletion.ts";

const deletedAt = Date.parse("2024-06-01T00:00:00Z");
const kind = (name: string, more: Partial<ServedKind> = {}): ServedKind => ({
  group: "",
  version: "v1",
  kind: name,
  plural: `${name.toLowerCase()}s`,
  scope: "Namespaced",
  singular: "",
  shortNames: [],
  categories: [],
  verbs: [],
  subresources: {},
  preferred: true,
  canDeleteCollection: true,
  ...more,
});
const namespaceKind = kind("Namespace", { scope: "Cluster" });
const kinds = [namespaceKind, kind("Pod"), kind("Secret"), kind("Odd", { canDeleteCollection: false })];

const namespace: UnknownObject = {
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: "a", uid: "a", deletionTimestamp: "2024-06-01T00:00:00Z" },
  spec: { finalizers: ["kubernetes"] },
  status: { phase: "Terminating" },
};
const object = (of: string, name: string, more: Partial<UnknownObject["metadata"]> = {}): UnknownObject => ({
  apiVersion: "v1",
  kind: of,
  metadata: { name, namespace: "a", uid: name, ...more },
});

function plan(content: readonly UnknownObject[], inputs: Record<string, Input> = {}, later = 0): Change[] {
  const view: KindsView = {
    ...viewOf([namespace, ...content]),
    kinds,
    resolve: (_, name) => kinds.find((each) => each.kind === name),
  };
  const at: Moment = { ...moment(deletedAt + later), inputs: new Map(Object.entries(inputs)) };
  return namespaceDeletion.reconcile(namespaceKind, namespace, view, at).filter(({ type }) => type !== "wake");
}

const nothing: Input = { ok: true, value: { items: [] } };
const said = (changes: readonly Change[]) =>
  changes.map((change) => ("ref" in change ? `${change.type} ${change.ref.kind}` : change.type));

describe("namespace deletion", () => {
  test("pods go before anything else", () => {
    const secret = object("Secret", "s");
    expect(said(plan([object("Pod", "p"), secret]))).toEqual(["delete-collection Pod"]);
    expect(said(plan([object("Pod", "p", { deletionTimestamp: "2024-06-01T00:00:00Z" }), secret]))).toEqual([]);
    expect(said(plan([secret]))).toEqual(["delete-collection Secret"]);
  });

  test("objects of a kind without deletecollection are deleted one by one", () => {
    expect(said(plan([object("Odd", "one"), object("Odd", "two")]))).toEqual(["delete Odd", "delete Odd"]);
  });

  test("what waits is told after five seconds, with its finalizers", () => {
    const held = { deletionTimestamp: "2024-06-01T00:00:00Z", finalizers: ["example.com/hold"] };
    const content = [object("Secret", "s", held), object("Secret", "t", held)];
    expect(plan(content, {}, 4_000)).toEqual([]);
    const [change] = plan(content, {}, 5_000);
    const { conditions } = (
      change as unknown as { object: { status: { conditions: { type: string; message: string }[] } } }
    ).object.status;
    expect(conditions.map(({ type }) => type)).toEqual([
      "NamespaceDeletionDiscoveryFailure",
      "NamespaceDeletionGroupVersionParsingFailure",
      "NamespaceDeletionContentFailure",
      "NamespaceContentRemaining",
      "NamespaceFinalizersRemaining",
    ]);
    expect(conditions[3]?.message).toBe("Some resources are remaining: secrets. has 2 resource instances");
    expect(conditions[4]?.message).toBe(
      "Some content in the namespace has finalizers remaining: example.com/hold in 2 resource instances",
    );
  });

  test("it goes only after the server has said of every kind that nothing is left", () => {
    expect(plan([])).toEqual([]);
    const empty = { "/pods": nothing, "/secrets": nothing, "/odds": nothing };
    expect(said(plan([], empty))).toEqual(["delete-collection Event", "update Namespace"]);
    expect(said(plan([], { ...empty, "/secrets": { ok: true, value: { items: [{}] } } }))).toEqual([
      "delete-collection Secret",
    ]);
    expect(plan([], { ...empty, "/secrets": { ok: false, error: new Error("no answer") } })).toEqual([]);
  });
});
