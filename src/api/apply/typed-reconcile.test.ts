/** Sets of fields that were written when the schema was another, or by a client in its own way. */
import { expect, test } from "vitest";
import { builtInType } from "#api/schema/built-in.ts";
import { union, setOfPath } from "./field-set.ts";
import { toFieldsV1 } from "./fields-v1.ts";
import { reconcileSet } from "./typed-reconcile.ts";
import { schemaOfStruct } from "./updater.ts";

const deployments = schemaOfStruct(builtInType("io.k8s.api.apps.v1.Deployment"));

test("who has parts of what belongs together has the whole", () => {
  const selector = setOfPath(["f:spec", "f:selector", "f:matchLabels", "f:app"]);
  const set = union(selector, setOfPath(["f:spec", "f:replicas"]));
  expect(toFieldsV1(reconcileSet(deployments, set))).toEqual({ "f:spec": { "f:selector": {}, "f:replicas": {} } });
});

test("what fits stays the same set, fields that nobody knows too", () => {
  const container = ["f:spec", "f:template", "f:spec", "f:containers", 'k:{"name":"c"}', "f:image"];
  const set = union(setOfPath(container), setOfPath(["f:spec", "f:other", "f:a"]));
  expect(reconcileSet(deployments, set)).toBe(set);
});
