import { describe, expect, test } from "vitest";
import { Client } from "#client/client.ts";
import { PersistentVolume, PersistentVolumeClaim } from "#reconcilers/kinds.ts";
import { MemoryApi } from "#test/support/memory-api.ts";
import { settle } from "#test/support/settle.ts";
import { claimBinderReconciler } from "./claim-binder.ts";
import { matchingVolume } from "./volume-match.ts";
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

  test.each<[string, Partial<PersistentVolume["spec"]>]>([
    ["class", { storageClassName: "slow" }],
    ["mode", { volumeMode: "Block" }],
    ["access", { accessModes: ["ReadOnlyMany"] }],
  ])("one of another %s does not suit", (_, spec) => {
    expect(chosen(claim("c", "2Gi"), volume("v", "5Gi", spec))).toBeUndefined();
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
