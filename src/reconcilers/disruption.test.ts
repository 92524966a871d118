import { describe, expect, test } from "vitest";
import type { Pod } from "#api/core/pod.ts";
import type { KubernetesObject } from "#api/object.ts";
import { viewOf } from "#client/view.ts";
import { moment } from "#test/support/settle.ts";
import { disruptionReconciler } from "./disruption.ts";
import type { PodDisruptionBudget } from "./kinds.ts";
import type { Input, Inputs } from "./reconciler.ts";

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
  inputs: Inputs = new Map(),
) {
  const budget: PodDisruptionBudget = {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: { name: "guard", namespace: "a" },
    spec: { selector: { matchLabels: { app: "web" } }, ...spec },
    ...(status === undefined ? {} : { status }),
  };
  const changes = disruptionReconciler.reconcile(budget, viewOf([budget, ...others]), { ...moment(now), inputs });
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

  test("says that it finds no pods", () => {
    expect(statusOf({ minAvailable: 1 }, [])).toMatchObject({ status: { disruptionsAllowed: 0 }, events: ["NoPods"] });
  });

  const owned = (kind: string, apiVersion = "apps/v1"): Pod => {
    const it = pod("a", true, "o");
    const owner = { apiVersion, kind, name: "web", uid: "o", controller: true };
    return { ...it, metadata: { ...it.metadata, ownerReferences: [owner] } };
  };
  const resource = (name: string, kind: string) => ({ name, kind, namespaced: true });
  const list = (...resources: unknown[]) => ({ ok: true, value: { resources } }) as const;
  const daemonSets = list(resource("daemonsets", "DaemonSet"), resource("daemonsets/status", "DaemonSet"));
  const widgets = list(resource("widgets", "Widget"), resource("widgets/scale", "Scale"));
  const scale = (uid: string) => ({ ok: true, value: { metadata: { uid }, spec: { replicas: 4 } } }) as const;

  test.each<[claim: string, pod: Pod, inputs: Inputs, why: string]>([
    [
      "owners without a scale",
      owned("DaemonSet"),
      new Map([["apps/v1", daemonSets]]),
      "daemonsets.apps does not implement the scale subresource",
    ],
    [
      "owners of an unknown kind",
      owned("Widget", "example.com/v1"),
      new Map([["example.com/v1", list()]]),
      'no matches for kind "Widget" in version "example.com/v1"',
    ],
    [
      "owners that are gone",
      owned("Widget", "example.com/v1"),
      new Map<string, Input>([
        ["example.com/v1", widgets],
        ["o", scale("another")],
      ]),
      'found no controllers for pod "a"',
    ],
  ])("allows nothing for %s, and says why", (_, given, inputs, why) => {
    const { status, events } = statusOf({ maxUnavailable: 1 }, [given], undefined, inputs);
    expect(events).toEqual(["CalculateExpectedPodCountFailed"]);
    expect(status).toMatchObject({
      disruptionsAllowed: 0,
      conditions: [{ type: "DisruptionAllowed", status: "False", reason: "SyncFailed", message: why }],
    });
  });

  test("asks owners of any kind for their scale", () => {
    const inputs = new Map<string, Input>([
      ["example.com/v1", widgets],
      ["o", scale("o")],
    ]);
    const { status } = statusOf({ maxUnavailable: 1 }, [owned("Widget", "example.com/v1")], undefined, inputs);
    expect(status).toMatchObject({ expectedPods: 4, desiredHealthy: 3, currentHealthy: 1 });
  });

  test("tells of a pod that did not go", () => {
    const status = { disruptedPods: { a: "2024-05-31T23:50:00Z" } } as unknown as PodDisruptionBudget["status"];
    expect(statusOf({ minAvailable: 1 }, three(3), status).events).toEqual(["NotDeleted"]);
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
