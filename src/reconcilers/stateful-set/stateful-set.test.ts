import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Pod } from "#api/core/pod.ts";
import { Client } from "#client/client.ts";
import { PersistentVolumeClaim, StatefulSet } from "#reconcilers/kinds.ts";
import type { Change, EventSpec } from "#reconcilers/reconciler.ts";
import { MemoryApi } from "#test/support/memory-api.ts";
import { settle, step } from "#test/support/settle.ts";
import { statefulSetReconciler } from "./stateful-set.ts";

const now = Date.parse("2024-06-01T00:00:00Z");
const all = [statefulSetReconciler] as never[];

function set(replicas: number, spec: Partial<StatefulSet["spec"]> = {}): StatefulSet {
  return {
    metadata: { name: "db", namespace: "a" },
    spec: {
      replicas,
      serviceName: "db",
      selector: { matchLabels: { app: "db" } },
      template: { metadata: { labels: { app: "db" } }, spec: { containers: [{ name: "main", image: "one" }] } },
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0 } },
      ...spec,
    },
  };
}

const pods = (api: MemoryApi) => api.objects("/pods/") as unknown as Pod[];
const names = (api: MemoryApi) =>
  pods(api)
    .map(({ metadata }) => metadata.name)
    .sort();
const images = (api: MemoryApi) =>
  pods(api)
    .sort((a, b) => (a.metadata.name! < b.metadata.name! ? -1 : 1))
    .map(({ spec }) => spec?.containers[0]?.image);

async function setPhase(api: MemoryApi, which: readonly Pod[], ready: boolean): Promise<void> {
  const conditions = [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime: "2024-01-01T00:00:00Z" }];
  for (const pod of which)
    await new Client(api).updateStatus(Pod, { ...pod, status: { phase: "Running", conditions } });
}

async function readied(api: MemoryApi): Promise<void> {
  for (let round = 0; round < 10; round += 1) {
    await settle(api, all, now);
    await setPhase(api, pods(api), true);
  }
  await settle(api, all, now);
}

const change = (api: MemoryApi, spec: unknown) =>
  new Client(api).patch(StatefulSet, { namespace: "a", name: "db" }, "merge", { spec });
const image = (name: string) => ({ template: { spec: { containers: [{ name: "main", image: name }] } } });

async function made(object: StatefulSet): Promise<MemoryApi> {
  const api = new MemoryApi();
  await new Client(api).create(StatefulSet, object);
  return api;
}

describe("statefulset", () => {
  test("an ordered set makes the next pod when the one before is ready", async () => {
    const api = await made(set(3));
    await settle(api, all, now);
    expect(names(api)).toEqual(["db-0"]);
    await setPhase(api, pods(api), true);
    await settle(api, all, now);
    expect(names(api)).toEqual(["db-0", "db-1"]);
  });

  test("a parallel set makes all pods at once, from its first number on", async () => {
    const api = await made(set(3, { podManagementPolicy: "Parallel", ordinals: { start: 5 } }));
    await settle(api, all, now);
    expect(names(api)).toEqual(["db-5", "db-6", "db-7"]);
  });

  test("an unready lower pod blocks scaling down", async () => {
    const api = await made(set(3));
    await readied(api);
    await setPhase(
      api,
      pods(api).filter(({ metadata }) => metadata.name === "db-0"),
      false,
    );
    await change(api, { replicas: 1 });
    await settle(api, all, now);
    expect(names(api)).toEqual(["db-0", "db-1", "db-2"]);
  });

  test("a pod that ended at once is replaced after a pause", async () => {
    const api = await made(set(1));
    await settle(api, all, now);
    const [pod] = pods(api);
    const creationTimestamp = new Date(now).toISOString();
    await new Client(api).updateStatus(Pod, { ...pod!, status: { phase: "Failed" } });
    Object.assign(pods(api)[0]!.metadata, { creationTimestamp });
    await settle(api, all, now + 500);
    expect(pods(api).map(({ status }) => status?.phase)).toEqual(["Failed"]);
    await settle(api, all, now + 1_000);
    expect(pods(api).map(({ status }) => status?.phase)).toEqual([undefined]);
  });

  test("a parallel set does not wait for a pod that ended", async () => {
    const api = await made(set(1, { podManagementPolicy: "Parallel" }));
    await settle(api, all, now);
    const created = new Date(now).toISOString();
    const [pod] = pods(api);
    const ended = { ...pod!, metadata: { ...pod!.metadata, creationTimestamp: created }, status: { phase: "Failed" } };
    await new Client(api).update(Pod, ended);
    await change(api, { replicas: 3 });
    await settle(api, all, now);
    expect(names(api)).toEqual(["db-0", "db-1", "db-2"]);
  });

  test("a pod whose labels are the set's again is told as an update", async () => {
    const api = await made(set(1));
    await readied(api);
    const labels = { "statefulset.kubernetes.io/pod-name": null };
    await new Client(api).patch(Pod, { namespace: "a", name: "db-0" }, "merge", { metadata: { labels } });
    const { events } = await settle(api, all, now);
    expect(events).toEqual(["SuccessfulUpdate: Update Pod db-0 in StatefulSet db successful"]);
  });

  test("a pod that lacks its number alone is left as it is", async () => {
    const api = await made(set(1));
    await readied(api);
    const labels = { "apps.kubernetes.io/pod-index": null };
    await new Client(api).patch(Pod, { namespace: "a", name: "db-0" }, "merge", { metadata: { labels } });
    expect((await settle(api, all, now)).plans).toEqual([]);
  });

  test("claims that are to go with the set are told as an update of their pod", async () => {
    const api = await made(set(1, { volumeClaimTemplates: [{ metadata: { name: "data" } }] }));
    await readied(api);
    const ownersOf = () =>
      api.objects("/persistentvolumeclaims/")[0]?.metadata.ownerReferences?.map(({ kind }) => kind);
    await change(api, { persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete", whenScaled: "Retain" } });
    const { events } = await settle(api, all, now);
    expect(events).toEqual(["SuccessfulUpdate: Update Pod db-0 in StatefulSet db successful"]);
    expect(ownersOf()).toEqual(["StatefulSet"]);
  });

  test("a claim that somebody else controls is left to them", async () => {
    const api = await made(set(1, { volumeClaimTemplates: [{ metadata: { name: "data" } }] }));
    await readied(api);
    const owner = { apiVersion: "v1", kind: "ConfigMap", name: "x", uid: "x", controller: true };
    const key = { namespace: "a", name: "data-db-0" };
    await new Client(api).patch(PersistentVolumeClaim, key, "merge", { metadata: { ownerReferences: [owner] } });
    await change(api, { persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete", whenScaled: "Retain" } });
    await settle(api, all, now);
    const owners = api.objects("/persistentvolumeclaims/")[0]?.metadata.ownerReferences;
    expect(owners?.map(({ kind }) => kind)).toEqual(["ConfigMap"]);
  });

  test("a claim of an earlier set of the name is left alone", async () => {
    const api = await made(set(1, { volumeClaimTemplates: [{ metadata: { name: "data" } }] }));
    await readied(api);
    const owner = { apiVersion: "apps/v1", kind: "StatefulSet", name: "db", uid: "earlier" };
    const key = { namespace: "a", name: "data-db-0" };
    await new Client(api).patch(PersistentVolumeClaim, key, "merge", { metadata: { ownerReferences: [owner] } });
    expect((await settle(api, all, now)).plans).toEqual([]);
  });

  test("an update goes from the top down and stops at the partition", async () => {
    const api = await made(set(3));
    await readied(api);
    await change(api, { updateStrategy: { rollingUpdate: { partition: 1 } }, ...image("two") });
    await readied(api);
    expect(images(api)).toEqual(["one", "two", "two"]);
  });

  test("claims are made once, and outlive their pods", async () => {
    const volumeClaimTemplates = [{ metadata: { name: "data" }, spec: {} }];
    const api = await made(set(2, { volumeClaimTemplates }));
    await readied(api);
    await change(api, { replicas: 1 });
    await readied(api);
    expect(names(api)).toEqual(["db-0"]);
    expect(api.objects("/persistentvolumeclaims/").map(({ metadata }) => metadata.name)).toEqual([
      "data-db-0",
      "data-db-1",
    ]);
  });

  test("a pod waits for a claim of its name that is being deleted", async () => {
    const api = await made(set(1, { volumeClaimTemplates: [{ metadata: { name: "data" }, spec: {} }] }));
    const metadata = { name: "data-db-0", namespace: "a", finalizers: ["kubernetes.io/pvc-protection"] };
    await new Client(api).create(PersistentVolumeClaim, { metadata });
    const [claim] = api.objects("/persistentvolumeclaims/");
    Object.assign(claim!.metadata, { deletionTimestamp: new Date(now).toISOString() });
    const events: string[] = [];
    await step(api, all, now, { plans: [], events });
    expect(names(api)).toEqual([]);
    expect(events).toEqual([
      "FailedCreate: Create Pod db-0 in StatefulSet db failed error: pvc data-db-0 is being deleted",
    ]);
  });

  test("the claim of a pod that waits is made again", async () => {
    const api = await made(set(1, { volumeClaimTemplates: [{ metadata: { name: "data" }, spec: {} }] }));
    await settle(api, all, now);
    await new Client(api).updateStatus(Pod, { ...pods(api)[0]!, status: { phase: "Pending" } });
    await new Client(api).delete(PersistentVolumeClaim, { namespace: "a", name: "data-db-0" });
    await settle(api, all, now);
    expect(api.objects("/persistentvolumeclaims/").map(({ metadata }) => metadata.name)).toEqual(["data-db-0"]);
  });

  test("a claim that cannot be made keeps its pod from being made", async () => {
    const api = await made(set(1, { volumeClaimTemplates: [{ metadata: { name: "data" }, spec: {} }] }));
    const settled = { plans: [] as Change[][], events: [] };
    await step(api, all, now, settled);
    const [, claim, pod] = settled.plans[0]!.filter(({ type }) => type === "create");
    const failed = (claim as Change & { type: "create" }).report?.({ ok: false, error: new Error("over quota") });
    expect([failed].flat().map((each) => (each as EventSpec).message)).toEqual([
      "Create Claim data-db-0 for Pod db-0 in StatefulSet db failed error: over quota",
      "Create Pod db-0 in StatefulSet db failed error: failed to create PVC data-db-0: over quota",
    ]);
    expect(pod).toMatchObject({ waits: true });
  });

  test("whatever changes come, it ends with the pods and the template that are wished", async () => {
    const steps = fc.array(fc.record({ replicas: fc.nat(4), image: fc.constantFrom("one", "two", "three") }), {
      maxLength: 3,
    });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom("OrderedReady", "Parallel"), steps, async (podManagementPolicy, changes) => {
        const api = await made(set(2, { podManagementPolicy }));
        await readied(api);
        for (const step of changes) {
          await change(api, { replicas: step.replicas, ...image(step.image) });
          await readied(api);
        }
        const last = changes.at(-1) ?? { replicas: 2, image: "one" };
        expect(names(api)).toEqual(Array.from({ length: last.replicas }, (_, index) => `db-${index}`));
        expect(images(api)).toEqual(Array.from({ length: last.replicas }, () => last.image));
      }),
      { numRuns: 12 },
    );
  });
});
