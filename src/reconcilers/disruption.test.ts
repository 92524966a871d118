import { describe, expect, test } from "vitest";
import type { Pod } from "#api/core/pod.ts";
import type { KubernetesObject } from "#api/object.ts";
import { viewOf } from "#client/view.ts";
import { moment } from "#test/support/settle.ts";
import { disruptionReconciler } from "./disruption.ts";
import type { PodDisruptionBudget } from "./kinds.ts";

const now = Date.parse("2024-06-01T00:00:00Z");

function pod(name: string, ready: boolean, owner: string | undefined): Pod {
  const ownerReferences = [
    { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web", uid: owner ?? "", controller: true },
  ];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "a", labels: { app: "web" }, ...(owner === undefined ? {} : { ownerReferences }) },
    status: { conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
  };
}

const replicaSet = (replicas: number, deployment?: string): KubernetesObject =>
  ({
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name: "web",
      namespace: "a",
      uid: "rs",
      ...(deployment === undefined
        ? {}
        : {
            ownerReferences: [
              { apiVersion: "apps/v1", kind: "Deployment", name: "web", uid: deployment, controller: true },
            ],
          }),
    },
    spec: { replicas },
  }) as KubernetesObject;

function statusOf(
  spec: PodDisruptionBudget["spec"],
  others: readonly KubernetesObject[],
  status?: PodDisruptionBudget["status"],
) {
  const budget: PodDisruptionBudget = {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: { name: "guard", namespace: "a" },
    spec: { selector: { matchLabels: { app: "web" } }, ...spec },
    ...(status === undefined ? {} : { status }),
  };
  const changes = disruptionReconciler.reconcile(budget, viewOf([budget, ...others]), moment(now));
  const found = changes.find(({ type }) => type === "update");
  const events = changes.flatMap((change) => (change.type === "event" ? [change.event.reason] : []));
  return { status: found?.type === "update" ? (found.object as PodDisruptionBudget).status : undefined, events };
}

const three = (ready: number): KubernetesObject[] => [
  replicaSet(3),
  ...["a", "b", "c"].map((name, index) => pod(name, index < ready, "rs")),
];

describe("disruption", () => {
  const table: readonly [spec: PodDisruptionBudget["spec"], ready: number, desired: number, allowed: number][] = [
    [{ minAvailable: 1 }, 3, 1, 2],
    [{ minAvailable: "50%" }, 3, 2, 1],
    [{ minAvailable: "100%" }, 3, 3, 0],
    [{ maxUnavailable: 1 }, 3, 2, 1],
    [{ maxUnavailable: 0 }, 3, 3, 0],
    [{ maxUnavailable: "34%" }, 3, 1, 2],
    [{ minAvailable: 2 }, 2, 2, 0],
    [{ minAvailable: 2 }, 1, 2, 0],
  ];
  test.each(table)(
    "%j with %i of 3 ready wishes %i and allows %i",
    (spec, ready, desiredHealthy, disruptionsAllowed) => {
      const { status } = statusOf(spec, three(ready));
      expect(status).toMatchObject({ currentHealthy: ready, desiredHealthy, disruptionsAllowed, expectedPods: 3 });
    },
  );

  test("a deployment's size counts, not that of its replica set", () => {
    const deployment = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web", namespace: "a", uid: "d" },
      spec: { replicas: 5 },
    };
    const { status } = statusOf({ maxUnavailable: 1 }, [deployment, replicaSet(1, "d"), pod("a", true, "rs")]);
    expect(status).toMatchObject({ expectedPods: 5, desiredHealthy: 4 });
  });

  test("says that a share of pods without a controller cannot be told", () => {
    expect(statusOf({ minAvailable: "50%" }, [pod("a", true, undefined)])).toMatchObject({
      status: { expectedPods: 0, disruptionsAllowed: 0 },
      events: ["UnmanagedPods"],
    });
  });

  test("an eviction that was granted counts until the pod has gone, or for two minutes", () => {
    const granted = (time: string) => ({ disruptedPods: { a: time } }) as PodDisruptionBudget["status"];
    const recent = statusOf({ minAvailable: 1 }, three(3), granted("2024-05-31T23:59:30Z"));
    expect(recent.status).toMatchObject({ currentHealthy: 2, disruptedPods: { a: "2024-05-31T23:59:30Z" } });
    const old = statusOf({ minAvailable: 1 }, three(3), granted("2024-05-31T23:50:00Z"));
    expect(old.status).toMatchObject({ currentHealthy: 3 });
    expect(old.status?.disruptedPods).toBeUndefined();
  });
});
