/** A volume that says its zone in labels goes with nodes of that zone. Upstream: plugins/volumezone. */
import { volumeClaimRef, volumeRef } from "#scheduler/kinds.ts";
import { definePlugin, fits, neverFits, ready, refused, skip } from "#scheduler/plugin.ts";
import { claimNamesOf, classNameOf, waitsForConsumer } from "#scheduler/volumes.ts";

interface Place {
  key: string;
  values: ReadonlySet<string>;
}

/** Old label → the one that replaced it. */
const renamed: Readonly<Record<string, string>> = {
  "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
};
const placeKeys = [...Object.keys(renamed), ...Object.values(renamed)];

export const volumeZone = definePlugin<readonly Place[]>({
  name: "VolumeZone",
  retryWhen: [
    "node-added",
    "node-labels-changed",
    "volume-changed",
    "volume-claim-changed",
    "storage-class-changed",
    "own-change",
  ],
  prepare({ pod, namespace }, { objects }) {
    const places: Place[] = [];
    for (const { name } of claimNamesOf(pod)) {
      const claim = objects.get(volumeClaimRef, { namespace, name });
      if (claim === undefined) return refused(neverFits(`persistentvolumeclaim "${name}" not found`));
      const volumeName = claim.spec?.volumeName ?? "";
      if (volumeName === "") {
        if (classNameOf(claim) !== "" && waitsForConsumer(claim, objects)) continue;
        return refused(neverFits("PersistentVolume had no name"));
      }
      const volume = objects.get(volumeRef, { name: volumeName });
      if (volume === undefined) return refused(neverFits(`persistentvolume "${volumeName}" not found`));
      for (const key of placeKeys) {
        const value = volume.metadata.labels?.[key];
        if (value !== undefined) places.push({ key, values: new Set(value.split("__").filter((zone) => zone !== "")) });
      }
    }
    return places.length === 0 ? skip : ready(places);
  },
  filter(_, { labels }, places) {
    if (!placeKeys.some((key) => key in labels)) return fits;
    for (const { key, values } of places) {
      const value = labels[key] ?? labels[renamed[key] ?? ""];
      if (value === undefined || !values.has(value)) return neverFits("node(s) had no available volume zone");
    }
    return fits;
  },
});
