import { describe, expect, test } from "vitest";
import { Client } from "#client/client.ts";
import { viewOf } from "#client/view.ts";
import { Pod } from "#api/core/pod.ts";
import { PersistentVolume, PersistentVolumeClaim, StorageClass } from "#reconcilers/kinds.ts";
import { MemoryApi } from "#test/support/memory-api.ts";
import { moment, settle } from "#test/support/settle.ts";
import { claimBinderReconciler } from "./claim-binder.ts";
import { matchingVolume, misfit } from "./volume-match.ts";
import { volumeExpansionReconciler } from "./volume-expansion.ts";
import { volumePhaseReconciler } from "./volume-phase.ts";

const now = Date.parse("2024-06-01T00:00:00Z");

function volume(name: string, storage: string, spec: Partial<PersistentVolume["spec"]> = {}): PersistentVolume {
  return {
    metadata: { name },
    spec: { capacity: { storage }, accessModes: ["ReadWriteOnce"], storageClassName: "fast", ...spec },
    status: { phase: "Available" },
  };
}

function claim(
  name: string,
  storage: string,
  spec: Partial<PersistentVolumeClaim["spec"]> = {},
): PersistentVolumeClaim {
  return {
    metadata: { name, namespace: "a", uid: name },
    spec: { accessModes: ["ReadWriteOnce"], storageClassName: "fast", resources: { requests: { storage } }, ...spec },
  };
}

const chosen = (wanted: PersistentVolumeClaim, ...volumes: PersistentVolume[]) =>
  matchingVolume(wanted, volumes)?.metadata.name;

describe("volumes", () => {
  test("the smallest that is large enough is taken", () => {
    expect(chosen(claim("c", "2Gi"), volume("big", "10Gi"), volume("small", "1Gi"), volume("fit", "3Gi"))).toBe("fit");
  });

  test("one that is reserved for the claim comes first, one reserved for another never", () => {
    const own = volume("own", "10Gi", { claimRef: { namespace: "a", name: "c" } });
    const other = volume("other", "2Gi", { claimRef: { namespace: "a", name: "d" } });
    expect(chosen(claim("c", "2Gi"), other, volume("free", "2Gi"), own)).toBe("own");
    expect(chosen(claim("c", "2Gi"), other)).toBeUndefined();
  });

  test("one with fewer access modes is taken before a smaller one, and before a reserved one", () => {
    const accessModes = ["ReadWriteOnce", "ReadOnlyMany"];
    const both = volume("both", "2Gi", { accessModes });
    const own = volume("own", "2Gi", { accessModes, claimRef: { namespace: "a", name: "c" } });
    expect(chosen(claim("c", "2Gi"), both, volume("one", "9Gi"))).toBe("one");
    expect(chosen(claim("c", "2Gi"), own, volume("one", "9Gi"))).toBe("one");
    expect(chosen(claim("c", "2Gi"), both, own)).toBe("own");
  });

  test("a claim has the attributes of the volume that it is bound to", async () => {
    const api = new MemoryApi();
    const client = new Client(api);
    const gold = { volumeAttributesClassName: "gold" };
    await client.create(PersistentVolume, volume("v", "5Gi", gold));
    const { uid: _, ...metadata } = claim("c", "5Gi").metadata;
    await client.create(PersistentVolumeClaim, { ...claim("c", "5Gi", gold), metadata });
    await settleQuietly(api, [claimBinderReconciler, volumePhaseReconciler] as never[]);
    expect(api.objects("/persistentvolumeclaims/")).toMatchObject([
      { status: { phase: "Bound", currentVolumeAttributesClassName: "gold" } },
    ]);
  });

  test.each<[string, Partial<PersistentVolume["spec"]>]>([
    ["class", { storageClassName: "slow" }],
    ["mode", { volumeMode: "Block" }],
    ["access", { accessModes: ["ReadOnlyMany"] }],
    ["attributes class", { volumeAttributesClassName: "gold" }],
  ])("one of another %s does not suit", (_, spec) => {
    expect(chosen(claim("c", "2Gi"), volume("v", "5Gi", spec))).toBeUndefined();
  });

  test.each<[string, Partial<PersistentVolume["spec"]>, string | undefined]>([
    ["size before all", { storageClassName: "slow", volumeMode: "Block" }, "requested PV is too small"],
    [
      "then class",
      { capacity: { storage: "9Gi" }, storageClassName: "slow", volumeMode: "Block" },
      "storageClassName does not match",
    ],
    ["then mode", { capacity: { storage: "9Gi" }, volumeMode: "Block", accessModes: [] }, "incompatible volumeMode"],
    ["then access", { capacity: { storage: "9Gi" }, accessModes: ["ReadOnlyMany"] }, "incompatible accessMode"],
    ["nothing", { capacity: { storage: "9Gi" } }, undefined],
  ])("of a volume that is named, %s is what is told", (_, spec, fault) => {
    expect(misfit(volume("v", "1Gi", spec), claim("c", "5Gi"))).toBe(fault);
  });

  test("a volume that is reserved for a claim that names it is not measured", async () => {
    const api = new MemoryApi();
    const client = new Client(api);
    await client.create(PersistentVolume, volume("v", "1Gi", { claimRef: { namespace: "a", name: "c" } }));
    const { uid: _, ...metadata } = claim("c", "5Gi").metadata;
    await client.create(PersistentVolumeClaim, { ...claim("c", "5Gi", { volumeName: "v" }), metadata });
    await settleQuietly(api, [claimBinderReconciler, volumePhaseReconciler] as never[]);
    expect(api.objects("/persistentvolumeclaims/")).toMatchObject([{ status: { phase: "Bound" } }]);
  });

  test("a claim without a class gets the newest default one, whenever that comes", async () => {
    const api = new MemoryApi();
    const client = new Client(api);
    const metadata = { name: "c", namespace: "a" };
    await client.create(PersistentVolumeClaim, { metadata, spec: { accessModes: ["ReadWriteOnce"] } });
    const annotations = { "storageclass.kubernetes.io/is-default-class": "true" };
    for (const name of ["plain", "standard"])
      await client.create(StorageClass, {
        metadata: { name, ...(name === "standard" ? { annotations } : {}) },
        provisioner: "kubernetes.io/no-provisioner",
      });
    await settleQuietly(api, [claimBinderReconciler] as never[]);
    expect(api.objects("/persistentvolumeclaims/")).toMatchObject([{ spec: { storageClassName: "standard" } }]);
  });

  test.each([
    [[], "WaitForFirstConsumer: waiting for first consumer to be created before binding"],
    [["p"], "WaitForPodScheduled: waiting for pod p to be scheduled"],
    [["p", "q"], "WaitForPodScheduled: waiting for pods p,q to be scheduled"],
  ])("a claim that waits for the pods %j says so", async (names, said) => {
    const api = new MemoryApi();
    const client = new Client(api);
    await client.create(StorageClass, {
      metadata: { name: "fast" },
      provisioner: "disk.example.com",
      volumeBindingMode: "WaitForFirstConsumer",
    });
    const volumes = [{ name: "data", persistentVolumeClaim: { claimName: "c" } }];
    for (const name of names)
      await client.create(Pod, { metadata: { name, namespace: "a" }, spec: { containers: [], volumes } });
    await client.create(PersistentVolumeClaim, { ...claim("c", "1Gi"), metadata: { name: "c", namespace: "a" } });
    const told = await settle(api, [claimBinderReconciler] as never[], now).then(
      () => "nothing",
      (error: Error) => error.message,
    );
    for (const part of said.split(": ")) expect(told).toContain(part);
  });

  test.each([
    ["asks for more than it has is told to wait", "2Gi", "1Gi", ["ExternalExpanding"]],
    ["has what it asks for is told nothing", "2Gi", "2Gi", []],
  ])("a bound claim that %s", (_, wanted, has, reasons) => {
    const held = { ...claim("c", wanted, { volumeName: "v" }), status: { phase: "Bound", capacity: { storage: has } } };
    const view = viewOf([
      { apiVersion: "v1", kind: "PersistentVolume", ...volume("v", has, { claimRef: { uid: "c" } }) },
    ]);
    const changes = volumeExpansionReconciler.reconcile(held, view, moment(now));
    expect(changes.map((each) => (each.type === "event" ? each.event.reason : each.type))).toEqual(reasons);
  });

  test("two claims never share a volume, and a volume whose claim is gone is released, not given away", async () => {
    const api = new MemoryApi();
    const client = new Client(api);
    const all = [claimBinderReconciler, volumePhaseReconciler] as never[];
    await client.create(PersistentVolume, { ...volume("v", "5Gi"), status: {} });
    for (const name of ["one", "two"]) {
      const { uid: _, ...metadata } = claim(name, "2Gi").metadata;
      // Bound for a class that nobody provisions, so that the loser just waits.
      await client.create(PersistentVolumeClaim, { ...claim(name, "2Gi"), metadata });
    }
    await settleQuietly(api, all);
    const phases = () =>
      api.objects("/persistentvolumeclaims/").map((each) => (each as { status?: { phase?: string } }).status?.phase);
    expect(phases().sort()).toEqual(["Bound", "Pending"]);
    const winner = api
      .objects("/persistentvolumeclaims/")
      .find((each) => (each as { status?: { phase?: string } }).status?.phase === "Bound");
    await client.delete(PersistentVolumeClaim, winner!.metadata);
    await settleQuietly(api, all);
    expect(phases()).toEqual(["Pending"]);
    expect(api.objects("/persistentvolumes/")).toMatchObject([{ status: { phase: "Released" } }]);
  });
});

/** A claim that waits tells so at every look: that never settles, and need not. */
async function settleQuietly(api: MemoryApi, all: never[]): Promise<void> {
  await settle(api, all, now).catch((error: Error) => {
    if (!error.message.includes("ProvisioningFailed")) throw error;
  });
}
