import { describe, expect, test } from "vitest";
import type { V2HorizontalPodAutoscaler } from "#api/generated/types.ts";
import { autoscalerFromV1, autoscalerToV1 } from "./autoscaler-v1.ts";

const autoscaler: V2HorizontalPodAutoscaler = {
  kind: "HorizontalPodAutoscaler",
  apiVersion: "autoscaling/v2",
  metadata: { name: "web", annotations: { keep: "me" } },
  spec: {
    scaleTargetRef: { kind: "Deployment", name: "web", apiVersion: "apps/v1" },
    minReplicas: 1,
    maxReplicas: 5,
    metrics: [
      { type: "Pods", pods: { metric: { name: "hits" }, target: { type: "AverageValue", averageValue: "1k" } } },
      {
        type: "Object",
        object: {
          describedObject: { kind: "Ingress", name: "main" },
          target: { type: "Value", value: "10k" },
          metric: { name: "requests" },
        },
      },
      { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 60 } } },
    ],
    behavior: { scaleDown: { selectPolicy: "Max", policies: [{ type: "Pods", value: 4, periodSeconds: 15 }] } },
  },
  status: {
    desiredReplicas: 2,
    currentMetrics: [{ type: "Resource", resource: { name: "cpu", current: { averageUtilization: 55 } } }],
  },
};

describe("autoscaler in version 1", () => {
  test("what v1 lacks is in annotations, and comes back", () => {
    const old = autoscalerToV1(autoscaler);
    expect(old.spec?.targetCPUUtilizationPercentage).toBe(60);
    expect(old.status?.currentCPUUtilizationPercentage).toBe(55);
    expect(Object.keys(old.metadata.annotations ?? {})).toHaveLength(4);
    expect(autoscalerFromV1(old)).toEqual(autoscaler);
  });
  test("amounts that are no pointers are 0 in the old texts, and nothing again in the new form", () => {
    const external = { metric: { name: "queue" }, current: { averageValue: "3" } };
    const status = { desiredReplicas: 0, currentMetrics: [{ type: "External", external }] };
    const old = autoscalerToV1({ ...autoscaler, status });
    expect(old.metadata.annotations!["autoscaling.alpha.kubernetes.io/current-metrics"]).toBe(
      '[{"type":"External","external":{"metricName":"queue","currentValue":"0","currentAverageValue":"3"}}]',
    );
    expect(autoscalerFromV1(old).status).toEqual(status);
  });
  test("another measure of the processor hides its utilization", () => {
    const cpu = (target: object) => ({ type: "Resource", resource: { name: "cpu", target } }) as never;
    const metrics = [
      cpu({ type: "AverageValue", averageValue: "1" }),
      cpu({ type: "Utilization", averageUtilization: 60 }),
    ];
    const old = autoscalerToV1({ ...autoscaler, spec: { ...autoscaler.spec!, metrics } });
    expect(old.spec?.targetCPUUtilizationPercentage).toBeUndefined();
  });
  test("an annotation that cannot be read is dropped", () => {
    const metadata = { name: "web", annotations: { "autoscaling.alpha.kubernetes.io/metrics": "not json" } };
    expect(autoscalerFromV1({ metadata, spec: autoscalerToV1(autoscaler).spec! }).metadata).toEqual({ name: "web" });
  });
});
