import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { UnknownObject } from "#api/object.ts";
import { entryOf, identityKey, identityOf, identityOfEntry } from "./inventory.ts";
import { ownerLabels } from "./kinds.ts";
import { contentOf, findDuplicates, lastWriter, mayPrune, planInventory, planStages } from "./plan.ts";

const object = (apiVersion: string, kind: string, name: string, namespace?: string): UnknownObject => ({
  apiVersion,
  kind,
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
});
const wish = (one: UnknownObject) => ({ object: one, identity: identityOf(one), origin: "a.yaml" });
const web = object("apps/v1", "Deployment", "web", "demo");

describe("stages", () => {
  it("definitions come first, then classes, then the rest in Flux's order, webhooks last", () => {
    const stages = planStages(
      [
        web,
        object("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "hook"),
        object("v1", "ConfigMap", "c", "demo"),
        object("storage.k8s.io/v1", "StorageClass", "fast"),
        object("example.com/v1", "Thing", "t", "demo"),
        object("v1", "Namespace", "demo"),
        object("apiextensions.k8s.io/v1", "CustomResourceDefinition", "things.example.com"),
      ].map(wish),
    );
    expect(stages.map(({ name, groups }) => [name, groups.flat().map(({ identity }) => identity.kind)])).toEqual([
      ["definitions", ["CustomResourceDefinition", "Namespace"]],
      ["classes", ["StorageClass"]],
      ["resources", ["ConfigMap", "Deployment", "Thing", "ValidatingWebhookConfiguration"]],
    ]);
  });
  it("tells an object that is rendered twice, also in two versions", () => {
    expect(
      [
        ...findDuplicates(
          [web, object("apps/v1beta1", "Deployment", "web", "demo"), object("v1", "ConfigMap", "web", "demo")].map(
            wish,
          ),
        ).values(),
      ].map((all) => all.length),
    ).toEqual([2]);
  });
});

describe("inventory", () => {
  const name = fc.stringMatching(/^[a-z]([a-z0-9-]{0,6}[a-z0-9])?$/);
  const identity = fc.record({
    namespace: fc.oneof(fc.constant(""), name),
    name: fc.oneof(name, fc.constant("system:node")),
    group: fc.oneof(fc.constant(""), fc.constant("apps")),
    version: fc.constant("v1"),
    kind: fc.constantFrom("ConfigMap", "Deployment", "ClusterRole"),
  });
  it("an entry read back is the identity that was written", () => {
    fc.assert(
      fc.property(identity, (one) => {
        expect(identityOfEntry(entryOf(one))).toEqual(one);
      }),
    );
  });
  it("prunes only what the inventory has and the source has not", () => {
    fc.assert(
      fc.property(
        fc.array(identity, { maxLength: 8 }),
        fc.array(identity, { maxLength: 8 }),
        fc.integer(),
        (before, wished, seed) => {
          const notApplied = new Set(wished.filter((_, at) => (seed >> at) & 1).map(identityKey));
          const { entries, prune } = planInventory(before.map(entryOf), wished, notApplied);
          const wishedKeys = new Set(wished.map(identityKey));
          const beforeKeys = new Set(before.map(identityKey));
          for (const one of prune)
            expect(beforeKeys.has(identityKey(one)) && !wishedKeys.has(identityKey(one))).toBe(true);
          const entryKeys = new Set(entries.map((entry) => identityKey(identityOfEntry(entry)!)));
          for (const one of wished)
            expect(entryKeys.has(identityKey(one))).toBe(
              !notApplied.has(identityKey(one)) || beforeKeys.has(identityKey(one)),
            );
        },
      ),
    );
  });
  const owner = { name: "apps", namespace: "capstan-system" };
  const labels = { [ownerLabels.name]: "apps", [ownerLabels.namespace]: "capstan-system" };
  it.each([
    ["its own", { labels }, true],
    ["one without labels", {}, false],
    ["one that went to another Kustomization", { labels: { ...labels, [ownerLabels.name]: "other" } }, false],
    ["one that forbids it", { labels, annotations: { "kustomize.toolkit.fluxcd.io/prune": "Disabled" } }, false],
  ])("pruning %s object: %s", (_title, metadata, expected) => {
    expect(mayPrune({ ...web, metadata: { ...web.metadata, ...metadata } }, owner)).toBe(expected);
  });
});

describe("content", () => {
  it("is the same whatever the cluster writes by itself", () => {
    const live = {
      ...web,
      spec: { replicas: 1 },
      metadata: {
        ...web.metadata,
        resourceVersion: "5",
        uid: "u",
        generation: 2,
        managedFields: [{ manager: "x" }],
        annotations: { "deployment.kubernetes.io/revision": "3" },
      },
      status: { replicas: 1 },
    };
    expect(contentOf(live)).toBe(
      contentOf({ ...web, spec: { replicas: 1 }, metadata: { ...web.metadata, annotations: {} } }),
    );
    expect(contentOf(live)).not.toBe(contentOf({ ...live, spec: { replicas: 2 } }));
  });
  it("names who wrote last", () => {
    const managedFields = [
      { manager: "kustomize-controller", time: "2026-01-01T00:00:00Z" },
      { manager: "kubectl-edit", time: "2026-01-02T00:00:00Z" },
      { manager: "capstan", subresource: "status", time: "2026-01-03T00:00:00Z" },
    ];
    expect(lastWriter({ ...web, metadata: { ...web.metadata, managedFields } }, "kustomize-controller")).toBe(
      "kubectl-edit",
    );
  });
});
