import { expect, it } from "vitest";
import { hollowNode as node, hollowPod as pod } from "#scheduler/hollow.ts";
import { verdicts } from "#scheduler/try-plugin.ts";
import type { V1PersistentVolume, V1PersistentVolumeClaim } from "#api/generated/types.ts";
import { volumeZone } from "./volume-zone.ts";

const zone = "topology.kubernetes.io/zone";
const no = "neverFits: node(s) had no available volume zone";
const nodes = ["z1", "z2"].map((name) => node(name, { labels: { [zone]: name } }));

it.each([
  ["its zone", { [zone]: "z2" }, [no, "fits", "fits"]],
  ["one of its zones", { [zone]: "z1__z3" }, ["fits", no, "fits"]],
  ["the old label", { "failure-domain.beta.kubernetes.io/zone": "z2" }, [no, "fits", "fits"]],
  ["no zone", {}, ["fits", "fits", "fits"]],
])("VolumeZone: a volume goes with nodes of %s, and with nodes that have none", (_, labels, expected) => {
  const volume: V1PersistentVolume = { apiVersion: "v1", kind: "PersistentVolume", metadata: { name: "v", labels } };
  const claim: V1PersistentVolumeClaim = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "c", namespace: "default" },
    spec: { volumeName: "v" },
  };
  const user = pod("p", { volumes: [{ name: "v", persistentVolumeClaim: { claimName: "c" } }] });
  expect(verdicts(volumeZone, user, [...nodes, node("none"), volume, claim])).toEqual(expected);
});
