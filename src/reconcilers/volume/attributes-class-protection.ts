/** Volume attribute classes stay as long as a volume or a claim names them. Upstream: pkg/controller/volume/vacprotection. */
import { VolumeAttributesClass } from "#api/storage/volume-attributes-class.ts";
import type { View } from "#client/view.ts";
import { PersistentVolume, PersistentVolumeClaim } from "#reconcilers/kinds.ts";
import { defineReconciler, patch, trigger } from "#reconcilers/reconciler.ts";

const classFinalizer = "kubernetes.io/vac-protection";

function namedByClaim({ spec, status }: PersistentVolumeClaim): string[] {
  const names = [
    spec?.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ];
  return names.filter((name) => name !== undefined && name !== "") as string[];
}

function namedByVolume({ spec }: PersistentVolume): string[] {
  const name = spec?.volumeAttributesClassName ?? "";
  return name === "" ? [] : [name];
}

/** The classes that an object names, and those that it named before: one of them may have lost its last user. */
const keys = (...lists: readonly string[][]) =>
  [...new Set(lists.flat())].map((name) => ({ namespace: undefined, name }));

export const attributesClassProtectionReconciler = defineReconciler<VolumeAttributesClass>({
  name: "vac-protection",
  watches: VolumeAttributesClass,
  also: [
    trigger(PersistentVolumeClaim, (claim, _, other) =>
      keys(namedByClaim(claim), other === undefined ? [] : namedByClaim(other)),
    ),
    trigger(PersistentVolume, (volume, _, other) =>
      keys(namedByVolume(volume), other === undefined ? [] : namedByVolume(other)),
    ),
  ],
  reconcile(attributesClass, view) {
    const { deletionTimestamp, finalizers = [], resourceVersion, name = "" } = attributesClass.metadata;
    const has = finalizers.includes(classFinalizer);
    const wanted = deletionTimestamp === undefined || isNamed(view, name);
    if (wanted === has || (wanted && deletionTimestamp !== undefined)) return [];
    const others = finalizers.filter((each) => each !== classFinalizer);
    const next = wanted ? [...others, classFinalizer] : others;
    return [
      patch(VolumeAttributesClass, attributesClass, "merge", {
        metadata: { resourceVersion, finalizers: next.length === 0 ? null : next },
      }),
    ];
  },
});

function isNamed(view: View, name: string): boolean {
  return (
    view.list(PersistentVolumeClaim).some((claim) => namedByClaim(claim).includes(name)) ||
    view.list(PersistentVolume).some((volume) => namedByVolume(volume).includes(name))
  );
}
