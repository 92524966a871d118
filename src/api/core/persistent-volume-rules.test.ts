import { describe, expect, it } from "vitest";
import type { V1PersistentVolume, V1PersistentVolumeSpec } from "#api/generated/types.ts";
import { inlineVolumeErrors, volumeErrors, volumeWarnings } from "./persistent-volume-rules.ts";

const csi = { driver: "csi.example.com", volumeHandle: "h" };
const base: V1PersistentVolumeSpec = { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], csi };
const volume = (spec: V1PersistentVolumeSpec, annotations = {}): V1PersistentVolume => ({
  metadata: { name: "v", annotations },
  spec,
});
const texts = (spec: V1PersistentVolumeSpec, old?: V1PersistentVolumeSpec) =>
  volumeErrors(volume(spec), old && volume(old)).map(({ field, message }) => `${field}: ${message}`);

describe("persistent volume", () => {
  it.each<[V1PersistentVolumeSpec, string[]]>([
    [{}, []],
    [{ csi: { ...csi, driver: "" } }, ["spec.csi.driver: Required value"]],
    [{ hostPath: { path: "/x" } }, ["spec.csi: Forbidden: may not specify more than 1 volume type"]],
    [{ capacity: { storage: "0" } }, ['spec.capacity[storage]: Invalid value: "0": must be greater than zero']],
    [
      { accessModes: ["ReadWriteOncePod", "ReadOnlyMany"] },
      ["spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"],
    ],
    [{ nodeAffinity: {} }, ["spec.nodeAffinity.required: Required value: must specify required node constraints"]],
  ])("%j beside the usual has these faults", (more, expected) => expect(texts({ ...base, ...more })).toEqual(expected));

  it("a source stays as it is, but for the secret to grow with", () => {
    const grown = { ...csi, controllerExpandSecretRef: { name: "s", namespace: "n" } };
    expect(texts({ ...base, csi: grown }, base)).toEqual([]);
    expect(texts({ ...base, csi: { ...csi, volumeHandle: "other" } }, base)).toHaveLength(1);
  });
  it("an affinity may take today's labels for those of old times", () => {
    const on = (key: string): V1PersistentVolumeSpec => ({
      ...base,
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator: "Exists" }] }] } },
    });
    expect(texts(on("kubernetes.io/os"), on("beta.kubernetes.io/os"))).toEqual([]);
    expect(texts(on("beta.kubernetes.io/os"), on("kubernetes.io/os"))).toHaveLength(1);
    expect(texts(on("a"), on("b"))[0]).toMatch(
      /^nodeAffinity: .*: field is immutable, except for updating from beta label to GA$/,
    );
  });
  it("an inline volume is a CSI one and claims nothing", () => {
    expect(inlineVolumeErrors({ csi, accessModes: ["ReadWriteOnce"] }, "spec")).toEqual([]);
    expect(inlineVolumeErrors({ ...base, claimRef: {} }, "spec").map(({ field }) => field)).toEqual([
      "spec.claimRef",
      "spec.capacity",
    ]);
  });
  it("mount options in an annotation warn, and need a source that takes some", () => {
    const annotations = { "volume.beta.kubernetes.io/mount-options": "ro" };
    expect(volumeWarnings(volume(base, annotations))).toHaveLength(1);
    expect(volumeErrors(volume(base, annotations), undefined)).toHaveLength(1);
  });
});
