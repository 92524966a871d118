/**
 * The version that knows one metric, and has the others in annotations. Upstream: pkg/apis/autoscaling/v1/conversion.go.
 * Members of the texts stand in the order of upstream's structs.
 */
import type {
  V1HorizontalPodAutoscaler,
  V2HPAScalingRules,
  V2HorizontalPodAutoscaler,
  V2HorizontalPodAutoscalerBehavior,
  V2HorizontalPodAutoscalerCondition,
  V2MetricSpec,
  V2MetricStatus,
} from "#api/generated/types.ts";
import { goJson } from "#api/go-text.ts";
import { canonicalQuantity, QuantityError } from "#api/quantity.ts";

const prefix = "autoscaling.alpha.kubernetes.io/";
const metricsKey = `${prefix}metrics`;
const statusesKey = `${prefix}current-metrics`;
const conditionsKey = `${prefix}conditions`;
const behaviorKey = `${prefix}behavior`;
const keys = [metricsKey, statusesKey, conditionsKey, behaviorKey];

interface Values {
  value?: string;
  averageValue?: string;
  averageUtilization?: number;
}
type Source = Record<string, unknown>;
const text = (value: unknown): string | undefined => (value === undefined ? undefined : goJson(value));

export function autoscalerToV1({ metadata, spec, status }: V2HorizontalPodAutoscaler): V1HorizontalPodAutoscaler {
  const cpu = spec?.metrics?.find(isOfCpu)?.resource?.target.averageUtilization;
  const currentCpu = status?.currentMetrics?.find(isOfCpu);
  const others = (spec?.metrics ?? []).filter((metric) => !isCpu(metric));
  const added: Record<string, string | undefined> = {
    [metricsKey]: others.length === 0 ? undefined : text(others.map(metricToV1)),
    [statusesKey]: status?.currentMetrics?.length ? text(status.currentMetrics.map(statusToV1)) : undefined,
    [conditionsKey]: status?.conditions?.length ? text(status.conditions.map(conditionToV1)) : undefined,
    [behaviorKey]: text(behaviorToText(spec?.behavior)),
  };
  return {
    kind: "HorizontalPodAutoscaler",
    apiVersion: "autoscaling/v1",
    metadata: withAnnotations(metadata, added),
    spec: {
      scaleTargetRef: spec?.scaleTargetRef as NonNullable<V1HorizontalPodAutoscaler["spec"]>["scaleTargetRef"],
      ...defined({ minReplicas: spec?.minReplicas }),
      maxReplicas: spec?.maxReplicas ?? 0,
      ...defined({ targetCPUUtilizationPercentage: cpu }),
    },
    status: {
      ...defined({ observedGeneration: status?.observedGeneration, lastScaleTime: status?.lastScaleTime }),
      currentReplicas: status?.currentReplicas ?? 0,
      desiredReplicas: status?.desiredReplicas ?? 0,
      ...defined({ currentCPUUtilizationPercentage: currentCpu?.resource?.current.averageUtilization }),
    },
  };
}

const isOfCpu = ({ type, resource }: V2MetricSpec | V2MetricStatus): boolean =>
  type === "Resource" && resource?.name === "cpu";

/** What the old field can tell; another measure of the processor before it hides it, as upstream does. */
const isCpu = (metric: V2MetricSpec): boolean =>
  isOfCpu(metric) && metric.resource?.target?.averageUtilization !== undefined;

const conditionToV1 = ({ type, status, lastTransitionTime, reason, message }: V2HorizontalPodAutoscalerCondition) => ({
  type,
  status,
  lastTransitionTime: lastTransitionTime ?? null,
  ...defined({ reason, message }),
});

function withAnnotations<T extends { annotations?: Record<string, string> }>(
  metadata: T,
  added: Record<string, string | undefined>,
): T {
  const annotations: Record<string, string> = { ...metadata.annotations };
  for (const key of keys) delete annotations[key];
  for (const [key, value] of Object.entries(added)) if (value !== undefined) annotations[key] = value;
  const { annotations: _old, ...rest } = metadata;
  return (Object.keys(annotations).length === 0 ? rest : { ...rest, annotations }) as T;
}

/** Without the members that are undefined. */
function defined<T extends object>(object: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: Exclude<T[Key], undefined>;
  };
}

const metricToV1 = (metric: V2MetricSpec): Source => toV1(metric, "target");
const statusToV1 = (metric: V2MetricStatus): Source => toV1(metric, "current");

/** `way`: "target" for what should be, "current" for what is; the old names of values begin with it. */
function toV1(metric: V2MetricSpec | V2MetricStatus, way: "target" | "current"): Source {
  const { type, object, pods, resource, containerResource, external } = metric as V2MetricSpec;
  const values = (source: object | undefined): Values => (source as Record<string, Values> | undefined)?.[way] ?? {};
  // Amounts of what is are no pointers in the old types.
  const none = way === "current" ? "0" : undefined;
  const utilization = (source: object | undefined) =>
    defined({
      [`${way}AverageUtilization`]: values(source).averageUtilization,
      [`${way}AverageValue`]: values(source).averageValue ?? none,
    });
  return defined({
    type,
    object:
      object &&
      defined({
        target: object.describedObject,
        metricName: object.metric.name,
        [`${way}Value`]: values(object).value ?? "0",
        selector: object.metric.selector,
        averageValue: values(object).averageValue,
      }),
    pods:
      pods &&
      defined({
        metricName: pods.metric.name,
        [`${way}AverageValue`]: values(pods).averageValue ?? "0",
        selector: pods.metric.selector,
      }),
    resource: resource && { name: resource.name, ...utilization(resource) },
    containerResource: containerResource && {
      name: containerResource.name,
      ...utilization(containerResource),
      container: containerResource.container,
    },
    external:
      external &&
      defined({
        metricName: external.metric.name,
        metricSelector: external.metric.selector,
        [`${way}Value`]: values(external).value ?? none,
        [`${way}AverageValue`]: values(external).averageValue,
      }),
  });
}

function behaviorToText(behavior: V2HorizontalPodAutoscalerBehavior | undefined): unknown {
  if (behavior === undefined) return undefined;
  const rules = (one: V2HPAScalingRules | undefined) =>
    one === undefined
      ? null
      : {
          StabilizationWindowSeconds: one.stabilizationWindowSeconds ?? null,
          SelectPolicy: one.selectPolicy ?? null,
          Policies: (one.policies ?? []).map(({ type, value, periodSeconds }) => ({
            Type: type,
            Value: value,
            PeriodSeconds: periodSeconds,
          })),
          Tolerance: one.tolerance ?? null,
        };
  return { ScaleUp: rules(behavior.scaleUp), ScaleDown: rules(behavior.scaleDown) };
}

export function autoscalerFromV1({ metadata, spec, status }: V1HorizontalPodAutoscaler): V2HorizontalPodAutoscaler {
  const annotations = metadata.annotations ?? {};
  const cpu = spec?.targetCPUUtilizationPercentage;
  const currentCpu = status?.currentCPUUtilizationPercentage;
  const others = readMetrics(annotations[metricsKey], "target") ?? [];
  const statuses = readMetrics(annotations[statusesKey], "current");
  const metrics = cpu === undefined ? others : [...others, cpuMetric("target", { type: "Utilization" }, cpu)];
  const measured = statuses ?? (currentCpu === undefined ? null : [cpuMetric("current", {}, currentCpu)]);
  const conditions = readList(annotations[conditionsKey]) as V2HorizontalPodAutoscalerCondition[] | undefined;
  return {
    kind: "HorizontalPodAutoscaler",
    apiVersion: "autoscaling/v2",
    metadata: withAnnotations(metadata, {}),
    spec: {
      scaleTargetRef: spec?.scaleTargetRef as NonNullable<V2HorizontalPodAutoscaler["spec"]>["scaleTargetRef"],
      ...defined({ minReplicas: spec?.minReplicas }),
      maxReplicas: spec?.maxReplicas ?? 0,
      ...(metrics.length === 0 ? {} : { metrics: metrics as unknown as V2MetricSpec[] }),
      ...defined({ behavior: readBehavior(annotations[behaviorKey]) }),
    },
    status: {
      ...defined({ observedGeneration: status?.observedGeneration, lastScaleTime: status?.lastScaleTime }),
      ...(status?.currentReplicas ? { currentReplicas: status.currentReplicas } : {}),
      desiredReplicas: status?.desiredReplicas ?? 0,
      currentMetrics: measured as unknown as V2MetricStatus[],
      ...defined({ conditions }),
    },
  };
}

const cpuMetric = (way: string, more: object, averageUtilization: number): Source => ({
  type: "Resource",
  resource: { name: "cpu", [way]: { ...more, averageUtilization } },
});

function parse(json: string | undefined): unknown {
  if (json === undefined) return undefined;
  try {
    return JSON.parse(json);
  } catch {
    // What cannot be read is dropped, as upstream does.
    return undefined;
  }
}

function readList(json: string | undefined): Source[] | undefined {
  const value = parse(json);
  return Array.isArray(value) ? (value as Source[]) : undefined;
}

/** Undefined, too, if an amount in it is none. */
function readMetrics(json: string | undefined, way: "target" | "current"): Source[] | undefined {
  try {
    return readList(json)?.map((metric) => fromV1(metric, way));
  } catch (error) {
    if (error instanceof QuantityError) return undefined;
    throw error;
  }
}

/** Amounts that are no pointers in the old types are "0" where there is none; beside another measure that means none. */
function fromV1(metric: Source, way: "target" | "current"): Source {
  const { type, object, pods, resource, containerResource, external } = metric as Record<string, Source | undefined>;
  const target = (kind: string, values: Values): object => ({
    ...(way === "target" ? { type: kind } : {}),
    ...defined(values),
  });
  const read = (given: unknown) =>
    given === undefined || given === null ? undefined : canonicalQuantity(String(given));
  const amount = (source: Source, name: string) => read(source[`${way}${name}`]);
  const beside = (other: unknown, value: string | undefined) =>
    other !== undefined && value === "0" ? undefined : value;
  const identifier = (source: Source, selector: string) =>
    defined({ name: source.metricName, selector: source[selector] });
  const utilization = (source: Source) => {
    const averageUtilization = source[`${way}AverageUtilization`] as number | undefined;
    const averageValue = beside(averageUtilization, amount(source, "AverageValue"));
    return target(averageUtilization === undefined ? "AverageValue" : "Utilization", {
      ...defined({ averageValue, averageUtilization }),
    });
  };
  return defined({
    type,
    object: object && {
      describedObject: object.target,
      [way]: target(object.averageValue === undefined ? "Value" : "AverageValue", {
        ...defined({
          value: beside(object.averageValue, amount(object, "Value") ?? "0"),
          averageValue: read(object.averageValue),
        }),
      }),
      metric: identifier(object, "selector"),
    },
    pods: pods && {
      metric: identifier(pods, "selector"),
      [way]: target("AverageValue", { averageValue: amount(pods, "AverageValue") ?? "0" }),
    },
    resource: resource && { name: resource.name, [way]: utilization(resource) },
    containerResource: containerResource && {
      name: containerResource.name,
      [way]: utilization(containerResource),
      container: containerResource.container,
    },
    external: external && {
      metric: identifier(external, "metricSelector"),
      [way]: target(amount(external, "Value") === undefined ? "AverageValue" : "Value", {
        ...defined({
          value: beside(external[`${way}AverageValue`], amount(external, "Value")),
          averageValue: amount(external, "AverageValue"),
        }),
      }),
    },
  });
}

function readBehavior(json: string | undefined): V2HorizontalPodAutoscalerBehavior | undefined {
  const value = parse(json) as { ScaleUp?: Source | null; ScaleDown?: Source | null } | undefined;
  if (value === undefined || value === null || typeof value !== "object") return undefined;
  const rules = (one: Source | null | undefined): V2HPAScalingRules | undefined =>
    one
      ? (defined({
          stabilizationWindowSeconds: one.StabilizationWindowSeconds ?? undefined,
          selectPolicy: one.SelectPolicy ?? undefined,
          policies: ((one.Policies ?? []) as Source[]).map(({ Type, Value, PeriodSeconds }) => ({
            type: Type,
            value: Value,
            periodSeconds: PeriodSeconds,
          })),
          tolerance: one.Tolerance ?? undefined,
        }) as V2HPAScalingRules)
      : undefined;
  return defined({ scaleUp: rules(value.ScaleUp), scaleDown: rules(value.ScaleDown) });
}
