import { describe, expect, test } from "vitest";
import type { HorizontalPodAutoscaler } from "#api/autoscaling/horizontal-pod-autoscaler.ts";
import type { Pod } from "#api/core/pod.ts";
import { viewOf } from "#client/view.ts";
import type { Input, Moment } from "#reconcilers/reconciler.ts";
import { StatusError } from "#api/status-error.ts";
import { plan, type Selectors } from "./horizontal-pod-autoscaler.ts";
import { pluralOf } from "./metric-inputs.ts";
import { targetOf, targetRequests } from "./scale-target.ts";
import { stabilize, withChange, type ScalingHistory } from "./stabilization.ts";

const now = Date.parse("2026-01-01T01:00:00Z");
const none: ScalingHistory = { recommendations: [], ups: [], downs: [] };

function autoscaler(changes: Partial<HorizontalPodAutoscaler["spec"]> = {}): HorizontalPodAutoscaler {
  return {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { namespace: "ns", name: "auto", uid: "u" },
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
      minReplicas: 1,
      maxReplicas: 8,
      metrics: [
        { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } },
      ],
      ...changes,
    },
  };
}

const resources = { resources: [{ name: "deployments", kind: "Deployment", namespaced: true }] };
const pods: Pod[] = ["a", "b"].map((name) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { namespace: "ns", name, labels: { app: "web" } },
  spec: { containers: [{ name: "main", resources: { requests: { cpu: "100m" } } }] },
  status: {
    phase: "Running",
    startTime: "2026-01-01T00:00:00Z",
    conditions: [{ type: "Ready", status: "True", lastTransitionTime: "2026-01-01T00:00:10Z" }],
  },
}));

function moment(replicas: number, usage: Record<string, string> | undefined): Moment {
  const scale = { metadata: {}, spec: { replicas }, status: { replicas, selector: "app=web" } };
  const items = Object.entries(usage ?? {}).map(([name, cpu]) => ({
    metadata: { name },
    timestamp: "2026-01-01T00:59:30Z",
    window: "30s",
    containers: [{ name: "main", usage: { cpu } }],
  }));
  const metric: Input = usage === undefined ? { ok: false, error: new Error("down") } : { ok: true, value: { items } };
  const inputs = new Map<string, Input>([
    ["resources", { ok: true, value: resources }],
    ["scale", { ok: true, value: scale }],
    ["metric-0", metric],
  ]);
  return { now, failure: undefined, failures: 0, waitingSince: undefined, inputs };
}

function outcome(replicas: number, usage: Record<string, string> | undefined, changes = {}) {
  const { changes: made } = plan(autoscaler(changes), viewOf(pods), moment(replicas, usage), none);
  const scale = made.find((each) => each.type === "update" && each.subresource === "scale");
  const status = made.find((each) => each.type === "update" && each.subresource === "status");
  const conditions = (status as { object: HorizontalPodAutoscaler } | undefined)?.object.status?.conditions ?? [];
  return {
    scaledTo: (scale as { object: { spec?: { replicas?: number } } } | undefined)?.object.spec?.replicas,
    reasons: conditions.map(({ reason }) => reason),
  };
}

describe("autoscaler", () => {
  test.each<[claim: string, replicas: number, usage: Record<string, string> | undefined, scaledTo: number | undefined]>(
    [
      ["pods at their target change nothing", 2, { a: "50m", b: "50m" }, undefined],
      ["pods near their target change nothing", 2, { a: "52m", b: "52m" }, undefined],
      ["twice the target takes twice the pods", 2, { a: "100m", b: "100m" }, 4],
      ["no scale more than doubles at once", 2, { a: "400m", b: "400m" }, 4],
      ["a pod without numbers counts as idle on the way up", 2, { a: "180m" }, 4],
      ["without numbers nothing changes", 2, undefined, undefined],
      ["above the maximum is brought down", 9, undefined, 8],
      ["zero replicas stay zero", 0, undefined, undefined],
    ],
  )("autoscaler: %s", (_, replicas, usage, scaledTo) => expect(outcome(replicas, usage).scaledTo).toBe(scaledTo));

  test("autoscaler: going down waits for the highest recent recommendation", () => {
    expect(outcome(2, { a: "5m", b: "5m" })).toEqual({
      scaledTo: undefined,
      reasons: ["ScaleDownStabilized", "ValidMetricFound", "DesiredWithinRange"],
    });
  });
  test("autoscaler: metrics that cannot be read are told", () => {
    expect(outcome(2, undefined).reasons).toEqual(["SucceededGetScale", "FailedGetResourceMetric"]);
  });
});

describe("an autoscaler's target", () => {
  const found = { ok: true, value: resources } as const;
  const missing = { ok: false, error: new StatusError({ code: 404, message: "not found" } as never) } as const;
  const ref = (apiVersion: string, kind = "Deployment") =>
    autoscaler({ scaleTargetRef: { apiVersion, kind, name: "web" } });
  test.each<[claim: string, HorizontalPodAutoscaler, inputs: Record<string, Input>, said: string]>([
    ["whose version is no version", ref("a/b/c"), {}, "unexpected GroupVersion string: a/b/c"],
    [
      "of an unknown kind",
      ref("apps/v1", "Nothing"),
      { resources: found, group: missing },
      'no matches for kind "Nothing" in group "apps"',
    ],
    [
      "of an unknown group",
      ref("x.y/v1"),
      { resources: missing, group: missing },
      'no matches for kind "Deployment" in group "x.y"',
    ],
  ])("%s is told as the reason", (_, given, inputs, said) => {
    expect(targetOf(given, new Map(Object.entries(inputs)))).toEqual({ ok: false, message: said });
  });

  test("of a version that is not served is found in the one that the group prefers", () => {
    const group = { ok: true, value: { preferredVersion: { version: "v1" } } } as const;
    const given = new Map<string, Input>(Object.entries({ resources: missing, group, preferred: found }));
    expect(targetRequests(ref("apps/v9"), given).get("scale")).toMatchObject({
      path: "/apis/apps/v1/namespaces/ns/deployments/web/scale",
    });
  });
});

test("two autoscalers whose targets have the same pods do nothing", () => {
  const selectors: Selectors = new Map();
  const first = plan(autoscaler(), viewOf(pods), moment(2, { a: "100m", b: "100m" }), none, selectors);
  expect(first.changes.some((each) => each.type === "update" && each.subresource === "scale")).toBe(true);
  const second = { ...autoscaler(), metadata: { namespace: "ns", name: "other", uid: "o" } };
  const { changes } = plan(second, viewOf(pods), moment(2, { a: "100m", b: "100m" }), none, selectors);
  expect(
    changes.flatMap((each) => (each.type === "event" ? [`${each.event.reason}: ${each.event.message}`] : [])),
  ).toEqual(
    ["AmbiguousSelector", "FailedComputeMetricsReplicas"].map(
      (reason) => `${reason}: pods by selector app=web are controlled by multiple HPAs: [{auto ns} {other ns}]`,
    ),
  );
});

describe("stabilization", () => {
  const bounds = { current: 10, desired: 2, min: 1, max: 100 };
  test("stabilization: a policy limits how many pods go in its period", () => {
    const scaleDown = {
      stabilizationWindowSeconds: 0,
      policies: [{ type: "Pods", value: 3, periodSeconds: 60 }],
    };
    const first = stabilize(bounds, { scaleDown }, none, now);
    expect([first.desired, first.limited.reason]).toEqual([7, "ScaleDownLimit"]);
    const history = withChange(first.history, 10, 7, now);
    expect(stabilize({ ...bounds, current: 7 }, { scaleDown }, history, now + 30_000).desired).toBe(7);
    expect(stabilize({ ...bounds, current: 7 }, { scaleDown }, history, now + 61_000).desired).toBe(4);
  });
  test("stabilization: a disabled direction stays", () => {
    const scaleDown = { stabilizationWindowSeconds: 0, selectPolicy: "Disabled" };
    expect(stabilize(bounds, { scaleDown }, none, now).desired).toBe(10);
  });
});

test("kinds are guessed to plurals as upstream guesses them", () => {
  expect(["Service", "Ingress", "NetworkPolicy", "Gateway"].map(pluralOf)).toEqual([
    "services",
    "ingresses",
    "networkpolicies",
    "gateways",
  ]);
});
