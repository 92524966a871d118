import { describe, expect, test } from "vitest";
import { Client } from "#client/client.ts";
import { PersistentVolume } from "#reconcilers/kinds.ts";
import { MemoryApi } from "#test/support/memory-api.ts";
import { settle } from "#test/support/settle.ts";
import { volumePhaseReconciler } from "./volume-phase.ts";

const now = Date.parse("2024-06-01T00:00:00Z");
const claimRef = { kind: "PersistentVolumeClaim", namespace: "a", name: "gone", uid: "u" };

async function settled(volume: PersistentVolume): Promise<PersistentVolume> {
  const api = new MemoryApi();
  await new Client(api).create(PersistentVolume, volume);
  await settle(api, [volumePhaseReconciler] as never[], now);
  return api.objects("/persistentvolumes/")[0] as unknown as PersistentVolume;
}

describe("a volume", () => {
  test("without a claim is available", async () => {
    const { status } = await settled({ metadata: { name: "v" }, spec: {} });
    expect(status).toEqual({ phase: "Available", lastPhaseTransitionTime: "2024-06-01T00:00:00Z" });
  });

  test("whose claim is gone is released; what others said of it stays, but for the message", async () => {
    const status = { phase: "Bound", message: "old", reason: "Said" };
    const spec = { claimRef, persistentVolumeReclaimPolicy: "Retain" };
    const volume = await settled({ metadata: { name: "v" }, spec, status });
    expect(volume.status).toEqual({
      phase: "Released",
      reason: "Said",
      lastPhaseTransitionTime: "2024-06-01T00:00:00Z",
    });
  });

  test.each<[string, Partial<PersistentVolume["spec"]>, { phase: string; message?: string }]>([
    [
      "to be recycled by nobody fails",
      { csi: { driver: "d", volumeHandle: "h" }, persistentVolumeReclaimPolicy: "Recycle" },
      { phase: "Failed", message: "No recycler plugin found for the volume!" },
    ],
    [
      "of a path that may not be deleted fails",
      { hostPath: { path: "/data" }, persistentVolumeReclaimPolicy: "Delete" },
      { phase: "Failed", message: "host_path deleter only supports /tmp/.+ but received provided /data" },
    ],
    [
      "that nobody can delete fails",
      { local: { path: "/data" }, persistentVolumeReclaimPolicy: "Delete" },
      {
        phase: "Failed",
        message: 'error getting deleter volume plugin for volume "v": no deletable volume plugin matched',
      },
    ],
    [
      "that its driver deletes waits",
      { csi: { driver: "d", volumeHandle: "h" }, persistentVolumeReclaimPolicy: "Delete" },
      { phase: "Released" },
    ],
  ])("%s once its claim is gone", async (_, spec, status) => {
    const volume = await settled({ metadata: { name: "v" }, spec: { claimRef, ...spec } });
    expect(volume.status).toEqual({ ...status, lastPhaseTransitionTime: "2024-06-01T00:00:00Z" });
  });

  test("of a temporary path goes with its claim if that is its policy", async () => {
    const spec = { claimRef, hostPath: { path: "/tmp/x" }, persistentVolumeReclaimPolicy: "Delete" };
    expect(await settled({ metadata: { name: "v" }, spec })).toBeUndefined();
  });
});
