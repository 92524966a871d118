import { expect, test } from "vitest";
import type { Node } from "#api/core/node.ts";
import { viewOf } from "#client/view.ts";
import type { Change } from "#reconcilers/reconciler.ts";
import { moment } from "#test/support/settle.ts";
import { nodeRegistrationReconciler } from "./node-registration.ts";

const texts = (changes: readonly Change[]) =>
  changes.map((each) => (each.type === "event" ? `${each.event.reason}: ${each.event.message}` : each.type));

test("a node is told once when it comes, once when it goes, and anew when another one has its name", () => {
  const reconciler = nodeRegistrationReconciler();
  const node = (uid: string): Node => ({ metadata: { name: "a", uid } });
  const look = (uid: string) => texts(reconciler.reconcile(node(uid), viewOf([]), moment(0)));
  const goes = () => texts(reconciler.gone?.({ name: "a" }, viewOf([]), moment(0)) ?? []);
  const comes = ["RegisteredNode: Node a event: Registered Node a in Controller"];
  expect([look("1"), look("1"), look("2")]).toEqual([comes, [], comes]);
  expect([goes(), goes()]).toEqual([["RemovingNode: Node a event: Removing Node a from Controller"], []]);
});
