import { describe, expect, test } from "vitest";
import type { V2HorizontalPodAutoscalerSpec, V2MetricSpec } from "#api/generated/types.ts";
import { fieldErrorText } from "#api/validation/field-errors.ts";
import { autoscalerErrors } from "./scaling-rules.ts";

const spec = (more: Partial<V2HorizontalPodAutoscalerSpec>): V2HorizontalPodAutoscalerSpec => ({
  scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
  minReplicas: 1,
  maxReplicas: 5,
  ...more,
});
const texts = (more: Partial<V2HorizontalPodAutoscalerSpec>) => autoscalerErrors(spec(more)).map(fieldErrorText);
const target = { type: "Utilization", averageUtilization: 50 };
const object = (apiVersion: string): V2MetricSpec => ({
  type: "Object",
  object: {
    describedObject: { apiVersion, kind: "Service", name: "web" },
    metric: { name: "hits" },
    target: { type: "Value", value: "1" },
  },
});
const container = (more: object): V2MetricSpec => ({
  type: "ContainerResource",
  containerResource: { name: "cpu", container: "web", target, ...more },
});

describe("autoscaler", () => {
  test.each<[V2MetricSpec, string[]]>([
    [object("v1"), []],
    [object(""), []],
    [
      object("a/b/c"),
      ['object.describedObject.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c'],
    ],
    [container({}), []],
    [
      container({ name: "gold" }),
      [
        'containerResource.name: Invalid value: "gold": must be a standard resource type or fully qualified',
        'containerResource.name: Invalid value: "gold": must be a standard resource for containers',
      ],
    ],
    [container({ container: "a.b" }), ['containerResource.container: Invalid value: "a.b": must not contain dots']],
    [
      { type: "Resource", resource: { name: "cpu", target: { averageUtilization: 1 } as never } },
      [
        "resource.target.type: Required value: must specify a metric target type",
        'resource.target.type: Invalid value: "": must be either Utilization, Value, or AverageValue',
      ],
    ],
    [
      { type: "Pods", pods: { metric: { name: "hits" }, target: { type: "AverageValue", averageValue: "0" } } },
      ['pods.target.averageValue: Invalid value: "0": must be positive'],
    ],
  ])("metric %j", (metric, expected) =>
    expect(texts({ metrics: [metric] })).toEqual(expected.map((text) => `spec.metrics[0].${text}`)),
  );
  test.each([
    ["ReplicationController", "v1", []],
    ["Deployment", "v1", ["apiVersion must specify API group"]],
    ["Deployment", "apps/", []],
    ["Deployment", "/v1", ["apiVersion must specify API group"]],
    ["ReplicationController", "a/b/c", ["unexpected GroupVersion string: a/b/c"]],
  ])("scales a %s of %j", (kind, apiVersion, faults) =>
    expect(texts({ scaleTargetRef: { kind, apiVersion, name: "web" } })).toEqual(
      faults.map((fault) => `spec.scaleTargetRef.apiVersion: Invalid value: ${JSON.stringify(apiVersion)}: ${fault}`),
    ),
  );
});
