import { describe, expect, it } from "vitest";
import type { V1PersistentVolumeClaim, V1PersistentVolumeClaimSpec } from "#api/generated/types.ts";
import { claimErrors, claimStatusErrors, normalizeDataSources } from "./persistent-volume-claim-rules.ts";

const base: V1PersistentVolumeClaimSpec = {
  accessModes: ["ReadWriteOnce"],
  resources: { requests: { storage: "2Gi" } },
  volumeMode: "Filesystem",
};
const claim = (more: V1PersistentVolumeClaimSpec, phase = "Pending"): V1PersistentVolumeClaim => ({
  metadata: { name: "c" },
  spec: { ...base, ...more },
  status: { phase, capacity: { storage: "1Gi" } },
});
const fields = (now: V1PersistentVolumeClaim, old: V1PersistentVolumeClaim) =>
  claimErrors(now, old).map(({ field }) => field);
const sized = (storage: string) => ({ resources: { requests: { storage } } });

describe("claim", () => {
  it.each<[string, V1PersistentVolumeClaimSpec, V1PersistentVolumeClaimSpec, string, string[]]>([
    ["a volume is named once", { volumeName: "v" }, {}, "Pending", []],
    ["a volume's name stays", { volumeName: "w" }, { volumeName: "v" }, "Pending", ["spec"]],
    ["a class is filled in once", { storageClassName: "a" }, {}, "Pending", []],
    ["a class stays", { storageClassName: "a" }, { storageClassName: "b" }, "Pending", ["spec"]],
    ["a bound claim grows", sized("3Gi"), {}, "Bound", []],
    ["a pending claim does not grow", sized("3Gi"), {}, "Pending", ["spec"]],
    ["a claim gets no smaller than its volume", sized("1Gi"), {}, "Bound", ["spec.resources.requests.storage"]],
    ["a bound claim changes its attributes", { volumeAttributesClassName: "a" }, {}, "Bound", []],
    ["a pending claim does not", { volumeAttributesClassName: "a" }, {}, "Pending", ["spec"]],
  ])("%s", (_, now, old, phase, expected) => expect(fields(claim(now, phase), claim(old, phase))).toEqual(expected));

  it("a class of attributes that the volume has is not taken away", () => {
    const named = claim({ volumeAttributesClassName: "a" }, "Bound");
    const isOn = { ...named, status: { ...named.status, currentVolumeAttributesClassName: "a" } };
    expect(claimErrors(claim({}, "Bound"), named)).toEqual([]);
    expect(claimErrors(claim({}, "Bound"), isOn).map(({ message }) => message)).toEqual([
      "Forbidden: update to nil is forbidden when status.currentVolumeAttributesClassName is not nil",
    ]);
  });
  it("what a change is refused for is shown", () => {
    const [fault] = claimErrors(claim({ storageClassName: "a" }), claim({ storageClassName: "b" }));
    expect(fault?.message).toMatch(
      /for bound claims\n {2}core\.PersistentVolumeClaimSpec\{\n-\tstorageClassName: "b",\n\+\tstorageClassName: "a",/,
    );
  });
  it("the class of old times is an annotation that stays", () => {
    const annotated = (name: string): V1PersistentVolumeClaim => ({
      ...claim({}),
      metadata: { name: "c", annotations: { "volume.beta.kubernetes.io/storage-class": name } },
    });
    expect(fields(annotated("b"), annotated("a"))).toEqual([
      "metadata.annotations.volume.beta.kubernetes.io/storage-class",
    ]);
  });
  it("states of resizing are told at their field", () => {
    const resizing = { ...claim({}), status: { allocatedResourceStatuses: { storage: "Odd" } } };
    expect(claimStatusErrors(resizing).map(({ field }) => field)).toEqual(["status.allocatedResourceStatuses"]);
  });

  it("one data source shows in both fields; an unknown one of old clients goes", () => {
    const spec: V1PersistentVolumeClaimSpec = { dataSource: { kind: "PersistentVolumeClaim", name: "a" } };
    normalizeDataSources(spec, undefined);
    expect(spec.dataSourceRef).toEqual({ apiGroup: null, kind: "PersistentVolumeClaim", name: "a" });
    const unknown: V1PersistentVolumeClaimSpec = { dataSource: { apiGroup: "x.io", kind: "K", name: "a" } };
    normalizeDataSources(unknown, undefined);
    expect(unknown).toEqual({});
  });
});
