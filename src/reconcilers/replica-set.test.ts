import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ReplicaSet } from "#api/apps/replica-set.ts";
import { Pod } from "#api/core/pod.ts";
import { Client } from "#client/client.ts";
import { viewOf } from "#client/view.ts";
import { MemoryApi } from "#test/support/memory-api.ts";
import { moment, settle } from "#test/support/settle.ts";
import { isPodActive } from "./pod-state.ts";
import { burstMax, replicaSetReconciler } from "./replica-set.ts";

const now = Date.parse("2024-06-01T00:00:00Z");

function replicaSet(replicas: number, more: Partial<ReplicaSet["metadata"]> = {}): ReplicaSet {
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: { name: "web", namespace: "a", uid: "rs", generation: 1, ...more },
    spec: { replicas, selector: { matchLabels: { app: "web" } }, template: { metadata: { labels: { app: "web" } } } },
  };
}

function pod(
  name: string,
  more: { phase?: string; owner?: string; labels?: Record<string, string>; going?: boolean },
): Pod {
  const { phase = "Running", owner = "rs", labels = { app: "web" }, going = false } = more;
  const ownerReferences = [
    { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web", uid: owner, controller: true, blockOwnerDeletion: true },
  ];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "a",
      uid: name,
      labels,
      ...(owner === "" ? {} : { ownerReferences }),
      ...(going ? { deletionTimestamp: "2024-01-01T00:00:00Z" } : {}),
    },
    status: { phase },
  };
}

const anyPods = fc.uniqueArray(
  fc.record({
    name: fc.stringMatching(/^[a-z]{1,3}$/),
    phase: fc.constantFrom("Pending", "Running", "Succeeded", "Failed"),
    owner: fc.constantFrom("rs", "other", ""),
    labels: fc.constantFrom<Record<string, string>>({ app: "web" }, { app: "db" }, {}),
    going: fc.boolean(),
  }),
  { selector: ({ name }) => name, maxLength: 12 },
);

const plan = (object: ReplicaSet, pods: readonly Pod[]) =>
  replicaSetReconciler.reconcile(object, viewOf([object, ...pods]), moment(now));
const typesOf = (changes: readonly { type: string }[]) => new Set(changes.map(({ type }) => type));

describe("replicaset", () => {
  test("never creates and deletes in one plan", () => {
    fc.assert(
      fc.property(fc.nat(10), anyPods, (replicas, pods) => {
        const types = typesOf(
          plan(
            replicaSet(replicas),
            pods.map((each) => pod(each.name, each)),
          ),
        );
        expect(types.has("create") && types.has("delete")).toBe(false);
      }),
    );
  });

  test("carrying out its plans ends with the wished number of pods and an empty plan", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(6), anyPods, async (replicas, pods) => {
        const api = new MemoryApi();
        const client = new Client(api);
        const { metadata } = await client.create(ReplicaSet, replicaSet(replicas));
        for (const each of pods.filter(({ going }) => !going))
          await client.create(
            Pod,
            pod(each.name, { ...each, owner: each.owner === "rs" ? metadata.uid! : each.owner }),
          );
        await settle(api, [replicaSetReconciler], now);
        const owned = (api.objects("/pods/") as unknown as Pod[]).filter(
          (each) => isPodActive(each) && each.metadata.ownerReferences?.[0]?.uid === metadata.uid,
        );
        expect(owned).toHaveLength(replicas);
      }),
      { numRuns: 40 },
    );
  });

  test("does nothing to pods while it is being deleted", () => {
    const going = replicaSet(3, { deletionTimestamp: "2024-01-01T00:00:00Z" });
    expect([...typesOf(plan(going, []))]).toEqual(["update"]);
  });

  test("creates at most a burst at once", () => {
    const creates = plan(replicaSet(burstMax + 100), []).filter(({ type }) => type === "create");
    expect(creates).toHaveLength(burstMax);
  });

  test("releases a pod whose labels no longer match, and replaces it", () => {
    const changes = plan(replicaSet(1), [pod("one", { labels: { app: "db" } })]);
    expect(changes.map(({ type }) => type)).toEqual(["patch", "create", "update"]);
  });

  test("says why pods could not be created as long as they cannot", () => {
    const failure = new Error('pods "web-" is forbidden: no');
    const object = replicaSet(2);
    const changes = replicaSetReconciler.reconcile(object, viewOf([object]), { ...moment(now), failure, failures: 1 });
    expect(changes.at(-1)).toMatchObject({
      subresource: "status",
      object: {
        status: { conditions: [{ type: "ReplicaFailure", reason: "FailedCreate", message: failure.message }] },
      },
    });
  });
});
