/**
 * Tells a claim that asks for more than it has whom it waits for: no driver is part of this process, so that growing a volume
 * is always somebody else's work. Upstream: pkg/controller/volume/expand.
 */
import { compareQuantities } from "#api/quantity.ts";
import { PersistentVolume, PersistentVolumeClaim } from "#reconcilers/kinds.ts";
import { defineReconciler, event } from "#reconcilers/reconciler.ts";

const storageOf = (amounts: Readonly<Record<string, string>> | undefined): string => amounts?.["storage"] ?? "0";

export const volumeExpansionReconciler = defineReconciler<PersistentVolumeClaim>({
  name: "persistentvolume-expander",
  component: "volume_expand",
  watches: PersistentVolumeClaim,
  reads: [PersistentVolume],
  ignores: ({ spec, status }, old) =>
    storageOf(spec?.resources?.requests) === storageOf(old.spec?.resources?.requests) &&
    storageOf(status?.capacity) === storageOf(old.status?.capacity) &&
    status?.phase === old.status?.phase,
  reconcile(claim, view) {
    const { spec, status, metadata } = claim;
    const grows = compareQuantities(storageOf(status?.capacity), storageOf(spec?.resources?.requests)) < 0;
    if (status?.phase !== "Bound" || metadata.deletionTimestamp !== undefined || !grows) return [];
    const volume = view.get(PersistentVolume, { name: spec?.volumeName ?? "" });
    if (volume?.spec?.claimRef?.uid !== metadata.uid) return [];
    return [event(claim, "Normal", "ExternalExpanding", "waiting for an external controller to expand this PVC")];
  },
});
