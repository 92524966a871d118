import { expect, test } from "vitest";
import type { Pod } from "#api/core/pod.ts";
import type { KubernetesObject } from "#api/object.ts";
import { viewOf } from "#client/view.ts";
import type { PersistentVolumeClaim } from "#reconcilers/kinds.ts";
import { moment } from "#test/support/settle.ts";
import { claimProtectionReconciler } from "./volume-protection.ts";

const deleted = { deletionTimestamp: "2024-06-01T00:00:00Z" };
const owned = (uid: string) => ({
  ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "p", uid, controller: true }],
});
const named = [{ name: "v", persistentVolumeClaim: { claimName: "p-v" } }];
const ephemeral = [{ name: "v", ephemeral: { volumeClaimTemplate: { spec: {} } } }];
const onNode = (volumes: object[]) => ({ nodeName: "n", volumes });

const table: readonly [
  claim: string,
  owner: object,
  pod: { spec: object; metadata?: object } | undefined,
  stays: boolean,
][] = [
  ["nobody uses goes", {}, undefined, false],
  ["a pod on a node names stays", {}, { spec: onNode(named) }, true],
  ["a pod without a node names goes", {}, { spec: { volumes: named } }, false],
  [
    "a pod that only finalizers hold names stays",
    {},
    { spec: onNode(named), metadata: { ...deleted, deletionGracePeriodSeconds: 0 } },
    true,
  ],
  ["was made for a pod stays", owned("p"), { spec: onNode(ephemeral) }, true],
  [
    "was made for a pod that is ending stays",
    owned("p"),
    { spec: onNode(ephemeral), metadata: { ...deleted, deletionGracePeriodSeconds: 30 } },
    true,
  ],
  [
    "was made for a pod that only finalizers hold goes",
    owned("p"),
    { spec: onNode(ephemeral), metadata: { ...deleted, deletionGracePeriodSeconds: 0 } },
    false,
  ],
  ["merely has the name of one made for a pod goes", owned("another"), { spec: onNode(ephemeral) }, false],
];
test.each(table)("a deleted claim that %s", (_, owner, about, stays) => {
  const claim = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      namespace: "x",
      name: "p-v",
      uid: "c",
      finalizers: ["kubernetes.io/pvc-protection"],
      ...deleted,
      ...owner,
    },
  } as PersistentVolumeClaim;
  const pods =
    about === undefined
      ? []
      : [
          {
            apiVersion: "v1",
            kind: "Pod",
            ...about,
            metadata: { namespace: "x", name: "p", uid: "p", ...about.metadata },
          } as Pod,
        ];
  const view = viewOf([claim, ...(pods as KubernetesObject[])]);
  const requests = claimProtectionReconciler.inputs?.(claim, view, 0, new Map()) ?? new Map();
  expect(requests.size).toBe(stays ? 0 : 1);
  const inputs = new Map([["pods", { ok: true as const, value: { items: pods } }]]);
  const changes = claimProtectionReconciler.reconcile(claim, view, { ...moment(0), inputs });
  expect(changes).toHaveLength(stays ? 0 : 1);
});
