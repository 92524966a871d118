import { expect, it } from "vitest";
import { hollowNode as node, hollowPod as pod } from "#scheduler/hollow.ts";
import { verdicts } from "#scheduler/try-plugin.ts";
import type { V1PersistentVolumeClaim, V1Volume } from "#api/generated/types.ts";
import { volumeRestrictions } from "./volume-restrictions.ts";

const using = (source: Omit<V1Volume, "name">) => ({ volumes: [{ name: "v", ...source }] });
const gce = (readOnly?: boolean) => using({ gcePersistentDisk: { pdName: "d", ...(readOnly && { readOnly }) } });
const rbd = (image: string, monitor = "m") => using({ rbd: { monitors: [monitor], image } });
const no = "misfit: node(s) had no available disk";

it.each([
  ["the same disk", gce(), gce(), no],
  ["one of both only reads", gce(), gce(true), no],
  ["both only read", gce(true), gce(true), "fits"],
  [
    "EBS, even read-only",
    using({ awsElasticBlockStore: { volumeID: "d", readOnly: true } }),
    using({ awsElasticBlockStore: { volumeID: "d", readOnly: true } }),
    no,
  ],
  ["the same image", rbd("i"), rbd("i"), no],
  ["another image", rbd("i"), rbd("j"), "fits"],
  ["another cluster", rbd("i"), rbd("i", "n"), "fits"],
])("VolumeRestrictions: %s", (_, there, wanted, expected) => {
  expect(verdicts(volumeRestrictions, pod("p", wanted), [node("a"), pod("o", { nodeName: "a", ...there })])).toEqual([
    expected,
  ]);
});

it("VolumeRestrictions: a claim for one pod is not given to a second, on any node", () => {
  const claim: V1PersistentVolumeClaim = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "c", namespace: "default" },
    spec: { accessModes: ["ReadWriteOncePod"] },
  };
  const user = using({ persistentVolumeClaim: { claimName: "c" } });
  const taken = "misfit: node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode";
  const nodes = [node("a"), node("b")];
  expect(verdicts(volumeRestrictions, pod("p", user), [...nodes, claim])).toEqual(["fits", "fits"]);
  expect(verdicts(volumeRestrictions, pod("p", user), [...nodes, claim, pod("o", { nodeName: "a", ...user })])).toEqual(
    [taken, taken],
  );
  expect(verdicts(volumeRestrictions, pod("p", user), nodes)).toBe('neverFits: persistentvolumeclaim "c" not found');
});
