import { describe, expect, test } from "vitest";
import type { KubernetesObject } from "#api/object.ts";
import type { Node } from "#api/core/node.ts";
import { viewOf } from "#client/view.ts";
import type { Change, Moment } from "#reconcilers/reconciler.ts";
import { attachDetachReconciler } from "./attach-detach.ts";
import { attachmentName } from "./attachable-volumes.ts";

const moment: Moment = { now: 0, failure: undefined, failures: 0, waitingSince: undefined, inputs: new Map() };
const core = (kind: string, metadata: object, rest: object): KubernetesObject =>
  ({ apiVersion: "v1", kind, metadata, ...rest }) as KubernetesObject;
const volume = core(
  "PersistentVolume",
  { name: "pv" },
  {
    spec: {
      accessModes: ["ReadWriteOnce"],
      csi: { driver: "disk.example.com", volumeHandle: "h" },
      claimRef: { uid: "c", namespace: "ns", name: "data" },
    },
  },
);
const claim = core(
  "PersistentVolumeClaim",
  { namespace: "ns", name: "data", uid: "c" },
  { spec: { volumeName: "pv" }, status: { phase: "Bound" } },
);
const pod = core(
  "Pod",
  { namespace: "ns", name: "p" },
  {
    spec: { nodeName: "a", volumes: [{ name: "v", persistentVolumeClaim: { claimName: "data" } }] },
    status: { phase: "Running" },
  },
);
const node = (status: object = {}) => core("Node", { name: "a" }, { status }) as Node;
const attachment = (nodeName: string, attached = true) =>
  ({
    apiVersion: "storage.k8s.io/v1",
    kind: "VolumeAttachment",
    metadata: { name: attachmentName("disk.example.com", "h", nodeName), uid: nodeName },
    spec: { attacher: "disk.example.com", nodeName, source: { persistentVolumeName: "pv" } },
    status: { attached },
  }) as KubernetesObject;
const driver = {
  apiVersion: "storage.k8s.io/v1",
  kind: "CSIDriver",
  metadata: { name: "disk.example.com" },
  spec: { attachRequired: false },
} as KubernetesObject;
const unique = "kubernetes.io/csi/disk.example.com^h";
const ready = [{ type: "Ready", status: "True" }];

const words = (changes: Change[]) => changes.map(({ type }) => type);

describe("attachments", () => {
  test.each<[claim: string, node: Node, objects: KubernetesObject[], changes: string[]]>([
    ["a bound volume of a pod is attached", node(), [volume, claim, pod], ["create"]],
    ["a driver that does not attach is left alone", node(), [volume, claim, pod, driver], []],
    ["what is attached is told to the node", node(), [volume, claim, pod, attachment("a")], ["patch", "event"]],
    ["a volume of one node is not attached to two", node(), [volume, claim, pod, attachment("b")], ["event"]],
    ["a volume that no pod needs is detached", node(), [volume, claim, attachment("a", false)], ["delete"]],
    [
      "a node that still uses the volume is waited for",
      node({ volumesInUse: [unique], volumesAttached: [{ name: unique, devicePath: "" }], conditions: ready }),
      [volume, claim, attachment("a")],
      [],
    ],
    [
      "a node that is not well is waited for a while",
      node({ volumesInUse: [unique], volumesAttached: [{ name: unique, devicePath: "" }] }),
      [volume, claim, attachment("a")],
      ["wake"],
    ],
  ])("attachdetach: %s", (_, given, objects, changes) => {
    expect(words(attachDetachReconciler.reconcile(given, viewOf([given, ...objects]), moment))).toEqual(changes);
  });

  const other = (namespace: string, name: string) => ({
    ...pod,
    metadata: { namespace, name },
    spec: { nodeName: "b", volumes: [{ name: "v", persistentVolumeClaim: { claimName: "data" } }] },
  });
  const broken = { ...attachment("a"), status: { attached: false, attachError: { message: "no such disk" } } };
  const noPods = "Volume is already exclusively attached to one node and can't be attached to another";
  test.each<[claim: string, objects: KubernetesObject[], told: string]>([
    [
      "that it is attached",
      [attachment("a")],
      'SuccessfulAttachVolume: AttachVolume.Attach succeeded for volume "pv" ',
    ],
    ["why it is not", [broken], 'FailedAttachVolume: AttachVolume.Attach failed for volume "pv" : no such disk'],
    ["that another node has it", [attachment("b")], `FailedAttachVolume: Multi-Attach error for volume "pv" ${noPods}`],
    [
      "which pods have it",
      [attachment("b"), other("ns", "q"), other("ns", "r")],
      'FailedAttachVolume: Multi-Attach error for volume "pv" Volume is already used by pod(s) q, r',
    ],
  ])("attachdetach: a pod is told of its volume %s", (_, objects, told) => {
    const changes = attachDetachReconciler.reconcile(node(), viewOf([node(), volume, claim, pod, ...objects]), moment);
    const events = changes.flatMap((each) =>
      each.type === "event" ? [`${each.event.reason}: ${each.event.message}`] : [],
    );
    expect(events).toEqual([told]);
  });
});
