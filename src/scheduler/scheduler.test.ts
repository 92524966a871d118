import { afterEach, describe, expect, it } from "vitest";
import type { V1PersistentVolume, V1PersistentVolumeClaim, V1Pod, V1StorageClass } from "#api/generated/types.ts";
import type { KubernetesObject } from "#api/object.ts";
import { silentLogger } from "#lib/log.ts";
import { seededRandom } from "#lib/random.ts";
import { Client, type ResourceRef } from "#client/client.ts";
import type { ApiRequest, ApiResponse } from "#client/transport.ts";
import { MemoryApi } from "#test/support/memory-api.ts";
import { hollowNode, hollowPod, type HollowPod } from "./hollow.ts";
import { nodeRef, optionalKinds, podRef, storageClassRef, volumeClaimRef, volumeRef } from "./kinds.ts";
import { startScheduler } from "./scheduler.ts";

/** Serves every kind, and binds pods. */
class BindingApi extends MemoryApi {
  override async request(request: ApiRequest): Promise<ApiResponse> {
    const { method, path, body } = request;
    if (/^\/(api\/v1|apis\/[^/]+\/[^/]+)$/.test(path))
      return { code: 200, body: { resources: optionalKinds.map(({ plural }) => ({ name: plural })) } };
    if (method !== "POST" || !path.endsWith("/binding")) return super.request(request);
    const { target } = body as { target: { name: string } };
    const refused = await super.request(request);
    if (refused.code >= 400) return refused;
    return super.request({
      method: "PATCH",
      path: path.slice(0, -"/binding".length),
      body: { spec: { nodeName: target.name } },
    });
  }
}

const running: { stop(): void }[] = [];
afterEach(() => running.splice(0).forEach((scheduler) => scheduler.stop()));

function cluster() {
  const api = new BindingApi();
  const client = new Client(api);
  const start = () => running.push(startScheduler({ client, log: silentLogger, random: seededRandom(1) }));
  const create = <T extends KubernetesObject>(ref: ResourceRef<T>, object: T) => client.create(ref, object);
  const addPod = (name: string, options: HollowPod = {}) =>
    create(podRef, hollowPod(name, { schedulerName: "default-scheduler", ...options }));
  const pod = (name: string) => client.get(podRef, { namespace: "default", name });
  const until = async (name: string, holds: (pod: V1Pod) => boolean): Promise<V1Pod> => {
    for (;;) {
      const found = await pod(name);
      if (holds(found)) return found;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const bound = async (name: string) => (await until(name, ({ spec }) => spec?.nodeName !== undefined)).spec?.nodeName;
  const refused = async (name: string) =>
    (await until(name, ({ status }) => status?.conditions !== undefined)).status?.conditions?.[0];
  const notes = () => api.objects("/events/").map((event) => [event["type"], event["reason"], event["note"]]);
  return { api, client, start, create, addPod, pod, until, bound, refused, notes };
}

describe("scheduler", () => {
  it("binds what waits when it starts, and what comes later, and says so", async () => {
    const { create, addPod, start, bound, notes } = cluster();
    await create(nodeRef, hollowNode("a"));
    await addPod("early");
    start();
    expect(await bound("early")).toBe("a");
    await addPod("late");
    expect(await bound("late")).toBe("a");
    expect(notes()).toContainEqual(["Normal", "Scheduled", "Successfully assigned default/early to a"]);
  });

  it("leaves pods alone that another scheduler is to place", async () => {
    const { create, addPod, start, bound, pod } = cluster();
    await create(nodeRef, hollowNode("a"));
    await addPod("theirs", { schedulerName: "other" });
    start();
    await addPod("ours");
    await bound("ours");
    expect((await pod("theirs")).spec?.nodeName).toBeUndefined();
  });

  it("reports why a pod fits nowhere, and tries again when a node comes that may help", async () => {
    const { create, addPod, start, bound, refused, notes } = cluster();
    await create(nodeRef, hollowNode("a"));
    start();
    await addPod("p", { requests: { cpu: "8" } });
    const message =
      "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, " +
      "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
    expect(await refused("p")).toMatchObject({
      type: "PodScheduled",
      status: "False",
      reason: "Unschedulable",
      message,
    });
    await create(nodeRef, hollowNode("b", { allocatable: { cpu: "16" } }));
    expect(await bound("p")).toBe("b");
    expect(notes()).toContainEqual(["Warning", "FailedScheduling", message]);
  });

  it("never gives the same room to two pods, however many are placed at once", async () => {
    const { api, create, addPod, start, until } = cluster();
    for (const name of ["a", "b", "c"]) await create(nodeRef, hollowNode(name));
    await Promise.all(Array.from({ length: 20 }, (_, at) => addPod(`p${at}`, { requests: { cpu: "1" } })));
    start();
    const pods = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        until(`p${at}`, ({ spec, status }) => spec?.nodeName !== undefined || status?.conditions !== undefined),
      ),
    );
    const placed = Map.groupBy(
      pods.filter(({ spec }) => spec?.nodeName !== undefined),
      ({ spec }) => spec?.nodeName,
    );
    expect([...placed.values()].map(({ length }) => length)).toEqual([4, 4, 4]);
    expect(api.requests.filter((request) => request.endsWith("/binding"))).toHaveLength(12);
  });

  it("evicts a pod of lower priority, tells it why, and follows when it is gone", async () => {
    const { create, addPod, start, bound, until, notes, client } = cluster();
    await create(nodeRef, hollowNode("a"));
    const finalizers = ["example.com/hold"];
    const victim = hollowPod("v", { nodeName: "a", requests: { cpu: "4" } });
    await create(podRef, { ...victim, metadata: { ...victim.metadata, finalizers } });
    start();
    await addPod("p", { requests: { cpu: "4" }, priority: 100 });
    const ending = await until("v", ({ metadata }) => metadata.deletionTimestamp !== undefined);
    expect(ending.status?.conditions?.[0]).toMatchObject({
      type: "DisruptionTarget",
      reason: "PreemptionByScheduler",
      message: "default-scheduler: preempting to accommodate a higher priority pod",
    });
    await until("p", ({ status }) => status?.nominatedNodeName === "a");
    await client.patch(podRef, ending.metadata, "merge", { metadata: { finalizers: null } });
    expect(await bound("p")).toBe("a");
    expect(notes().map(([, reason]) => reason)).toContain("Preempted");
  });

  it("room that was promised to a pod that is deleted goes to others", async () => {
    const { create, addPod, start, bound, until, client } = cluster();
    await create(nodeRef, hollowNode("a"));
    const victim = hollowPod("v", { nodeName: "a", requests: { cpu: "3" } });
    await create(podRef, { ...victim, metadata: { ...victim.metadata, finalizers: ["example.com/hold"] } });
    start();
    await addPod("p", { requests: { cpu: "4" }, priority: 100 });
    await until("p", ({ status }) => status?.nominatedNodeName === "a");
    await addPod("low", { requests: { cpu: "1" } });
    await until("low", ({ status }) => status?.conditions?.[0]?.reason === "Unschedulable");
    await client.delete(podRef, { namespace: "default", name: "p" });
    expect(await bound("low")).toBe("a");
  });

  it("a binding that is refused is reported, and tried again after a rest", async () => {
    const { api, create, addPod, start, bound, refused } = cluster();
    await create(nodeRef, hollowNode("a"));
    const allow = api.refuse(({ path }) => path.endsWith("/binding"), 500, "InternalError", "no luck");
    start();
    await addPod("p");
    expect(await refused("p")).toMatchObject({
      reason: "SchedulerError",
      message: 'binding rejected: running Bind plugin "DefaultBinder": no luck',
    });
    allow();
    expect(await bound("p")).toBe("a");
  });

  it("gives each waiting claim a volume of its own, and binds the pod when the claim is bound", async () => {
    const { create, addPod, start, bound, refused, client, until } = cluster();
    const storageClass: V1StorageClass = {
      metadata: { name: "sc" },
      provisioner: "kubernetes.io/no-provisioner",
      volumeBindingMode: "WaitForFirstConsumer",
    };
    const volume: V1PersistentVolume = {
      metadata: { name: "v" },
      spec: { storageClassName: "sc", accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" } },
      status: { phase: "Available" },
    };
    const claim = (name: string): V1PersistentVolumeClaim => ({
      metadata: { name, namespace: "default" },
      spec: { storageClassName: "sc", accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    });
    await create(nodeRef, hollowNode("a"));
    await create(storageClassRef, storageClass);
    await create(volumeRef, volume);
    await create(volumeClaimRef, claim("c"));
    await create(volumeClaimRef, claim("d"));
    const user = (claimName: string) => ({ volumes: [{ name: "v", persistentVolumeClaim: { claimName } }] });
    await addPod("p", user("c"));
    await addPod("q", user("d"));
    start();
    expect((await refused("q"))?.message).toContain("node(s) didn't find available persistent volumes to bind");
    await until("p", ({ status }) => status?.nominatedNodeName === "a");
    for (;;) {
      const { claimRef } = (await client.get(volumeRef, { name: "v" })).spec ?? {};
      if (claimRef?.name === "c") break;
      await new Promise((resolve) => setImmediate(resolve));
    }
    const annotations = { "pv.kubernetes.io/bind-completed": "yes" };
    const patch = { metadata: { annotations }, spec: { volumeName: "v" } };
    await client.patch(volumeClaimRef, { namespace: "default", name: "c" }, "merge", patch);
    expect(await bound("p")).toBe("a");
  });
});
