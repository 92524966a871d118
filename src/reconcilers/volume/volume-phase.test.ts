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
});
