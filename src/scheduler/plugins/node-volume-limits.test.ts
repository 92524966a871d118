import { expect, it } from "vitest";
import { hollowNode as node, hollowPod as pod } from "#scheduler/hollow.ts";
import { verdicts } from "#scheduler/try-plugin.ts";
import type { V1CSINode, V1PersistentVolume, V1PersistentVolumeClaim } from "#api/generated/types.ts";
import { nodeVolumeLimits } from "./node-volume-limits.ts";

const volume = (name: string): V1PersistentVolume => ({
  apiVersion: "v1",
  kind: "PersistentVolume",
  metadata: { name },
  spec: { csi: { driver: "d", volumeHandle: name } },
});
const claim = (name: string, volumeName: string): V1PersistentVolumeClaim => ({
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: { name, namespace: "default" },
  spec: { volumeName },
});
const limit = (name: string, count: number): V1CSINode => ({
  apiVersion: "storage.k8s.io/v1",
  kind: "CSINode",
  metadata: { name },
  spec: { drivers: [{ name: "d", nodeID: name, allocatable: { count } }] },
});
const user = (name: string, claimName: string, nodeName?: string) =>
  pod(name, { volumes: [{ name: "v", persistentVolumeClaim: { claimName } }], ...(nodeName && { nodeName }) });

it("NodeVolumeLimits: a node takes no more volumes of a driver than it says, the same volume counts once", () => {
  const objects = [
    node("a"),
    node("b"),
    node("c"),
    limit("a", 1),
    limit("b", 2),
    ...["v", "w"].map(volume),
    claim("one", "v"),
    claim("two", "w"),
    claim("same", "v"),
    user("o", "one", "a"),
    user("q", "one", "b"),
  ];
  const no = "misfit: node(s) exceed max volume count";
  expect(verdicts(nodeVolumeLimits, user("p", "two"), objects)).toEqual([no, "fits", "fits"]);
  expect(verdicts(nodeVolumeLimits, user("p", "same"), objects)).toEqual(["fits", "fits", "fits"]);
});
