import { expect, it } from "vitest";
import type { V1PersistentVolume, V1PersistentVolumeClaim, V1StorageClass } from "#api/generated/types.ts";
import type { KubernetesObject } from "#api/object.ts";
import { Attempt } from "#scheduler/attempt.ts";
import { clusterOf } from "#scheduler/cluster-of.ts";
import { hollowNode as node, hollowPod as pod } from "#scheduler/hollow.ts";
import { podInfoOf } from "#scheduler/pod-info.ts";
import type { Step } from "#scheduler/plugin.ts";
import { verdicts } from "#scheduler/try-plugin.ts";
import { volumeBinding } from "./volume-binding.ts";

const storageClass = (more: Partial<V1StorageClass> = {}): V1StorageClass => ({
  apiVersion: "storage.k8s.io/v1",
  kind: "StorageClass",
  metadata: { name: "sc" },
  provisioner: "kubernetes.io/no-provisioner",
  volumeBindingMode: "WaitForFirstConsumer",
  ...more,
});
const claim = (name: string, size: string, volumeName?: string): V1PersistentVolumeClaim => ({
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: {
    name,
    namespace: "default",
    ...(volumeName && { annotations: { "pv.kubernetes.io/bind-completed": "yes" } }),
  },
  spec: {
    storageClassName: "sc",
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage: size } },
    ...(volumeName && { volumeName }),
  },
});
const volume = (name: string, size: string, nodeName: string): V1PersistentVolume => ({
  apiVersion: "v1",
  kind: "PersistentVolume",
  metadata: { name },
  spec: {
    storageClassName: "sc",
    accessModes: ["ReadWriteOnce"],
    capacity: { storage: size },
    nodeAffinity: {
      required: {
        nodeSelectorTerms: [
          { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [nodeName] }] },
        ],
      },
    },
  },
  status: { phase: "Available" },
});
const user = (...names: string[]) =>
  pod("p", { volumes: names.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })) });
const nodes = [node("a"), node("b", { labels: { "topology.kubernetes.io/zone": "z2" } })];
const noVolume = "neverFits: node(s) didn't find available persistent volumes to bind";
const elsewhere = "neverFits: node(s) didn't match PersistentVolume's node affinity";

it.each([
  [
    "where its volume can be reached",
    user("c"),
    [claim("c", "1Gi", "v"), volume("v", "1Gi", "b")],
    [elsewhere, "fits"],
  ],
  [
    "where a volume would do",
    user("c"),
    [storageClass(), claim("c", "1Gi"), volume("v", "1Gi", "b")],
    [noVolume, "fits"],
  ],
  [
    "a volume that is too small does not",
    user("c"),
    [storageClass(), claim("c", "2Gi"), volume("v", "1Gi", "b")],
    [noVolume, noVolume],
  ],
  [
    "two claims need two volumes",
    user("c", "d"),
    [
      storageClass(),
      claim("c", "1Gi"),
      claim("d", "1Gi"),
      volume("v", "1Gi", "a"),
      volume("w", "1Gi", "b"),
      volume("x", "1Gi", "b"),
    ],
    [noVolume, "fits"],
  ],
  [
    "a provisioner makes one anywhere",
    user("c"),
    [storageClass({ provisioner: "x/p" }), claim("c", "1Gi")],
    ["fits", "fits"],
  ],
  [
    "or where the class allows it",
    user("c"),
    [
      storageClass({
        provisioner: "x/p",
        allowedTopologies: [{ matchLabelExpressions: [{ key: "topology.kubernetes.io/zone", values: ["z2"] }] }],
      }),
      claim("c", "1Gi"),
    ],
    [noVolume, "fits"],
  ],
  [
    "a claim that nobody waits for must be bound first",
    user("c"),
    [storageClass({ volumeBindingMode: "Immediate" }), claim("c", "1Gi")],
    "neverFits: pod has unbound immediate PersistentVolumeClaims",
  ],
  [
    "a volume that is gone",
    user("c"),
    [claim("c", "1Gi", "v")],
    Array(2).fill("neverFits: node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"),
  ],
])("VolumeBinding: %s", (_, wanted, objects: KubernetesObject[], expected) => {
  expect(verdicts(volumeBinding, wanted, [...nodes, ...objects])).toEqual(expected);
});

it("VolumeBinding: takes the smallest volume that will do, each for one claim, the smallest claim first", () => {
  const objects = [
    ...nodes,
    storageClass(),
    claim("c", "2Gi"),
    claim("d", "1Gi"),
    volume("big", "9Gi", "a"),
    volume("fit", "2Gi", "a"),
    volume("tiny", "500Mi", "a"),
  ];
  const cluster = clusterOf(objects);
  const info = podInfoOf(user("c", "d"));
  const attempt = new Attempt(info, cluster, [volumeBinding]);
  const [first] = cluster.state.nodes;
  const steps = first && volumeBinding.reserve?.(info, first, attempt.preparedBy("VolumeBinding"), cluster);
  const expected: Step[] = [
    { kind: "bind-volume", claim: { namespace: "default", name: "d" }, volume: "fit" },
    { kind: "bind-volume", claim: { namespace: "default", name: "c" }, volume: "big" },
  ];
  expect(steps).toEqual(expected);
});
