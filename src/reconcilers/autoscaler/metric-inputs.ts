/**
 * Where the numbers of an autoscaler come from: what is asked of which API, and what is said when that API has no answer.
 * Upstream: pkg/controller/podautoscaler/metrics/client.go.
 */
import { durationMs } from "#api/duration.ts";
import { labelSelectorOf, labelSelectorText } from "#api/label-selector.ts";
import type {
  V1LabelSelector,
  V2CrossVersionObjectReference,
  V2HorizontalPodAutoscaler,
  V2MetricSpec,
} from "#api/generated/types.ts";
import { milliValue } from "#api/quantity.ts";
import { StatusError } from "#api/status-error.ts";
import type { Input, InputRequest, Inputs } from "#reconcilers/reconciler.ts";

/** What one pod uses, in thousandths, when, and over which time. */
export interface PodMetric {
  milli: number;
  at: number;
  windowMs: number;
}

/** By the pod's name. */
export type PodMetrics = Map<string, PodMetric>;

/** A metric that cannot be had. Its message is what the autoscaler's condition says. */
export class MetricError extends Error {}

const customGroup = "custom.metrics.k8s.io";
const defaultWindowMs = 60_000;

/** The requests that reading these metrics takes; `selector` is the one of the target's pods. */
export function metricRequests(
  { metadata: { namespace = "" }, spec }: V2HorizontalPodAutoscaler,
  selector: string,
): Map<string, InputRequest> {
  const requests = new Map<string, InputRequest>();
  for (const [at, metric] of (spec.metrics ?? []).entries()) {
    if (metric.type === "Pods" || metric.type === "Object")
      requests.set(customGroup, { type: "call", path: `/apis/${customGroup}` });
    const request = metricRequest(metric, namespace, selector);
    if (request !== undefined) requests.set(`metric-${at}`, request);
  }
  return requests;
}

function metricRequest(metric: V2MetricSpec, namespace: string, selector: string): InputRequest | undefined {
  const custom = `/apis/${customGroup}/v1beta2/namespaces/${namespace}`;
  switch (metric.type) {
    case "Resource":
    case "ContainerResource":
      return {
        type: "call",
        path: `/apis/metrics.k8s.io/v1beta1/namespaces/${namespace}/pods`,
        query: { labelSelector: selector },
      };
    case "Pods": {
      const { name = "", selector: wanted } = metric.pods?.metric ?? {};
      return {
        type: "call",
        path: `${custom}/pods/*/${encodeURIComponent(name)}`,
        query: { labelSelector: selector, ...metricSelector(wanted) },
      };
    }
    case "Object": {
      const { describedObject, metric: wanted } = metric.object!;
      const path = `${custom}/${resourceOf(describedObject)}/${encodeURIComponent(describedObject.name)}`;
      return {
        type: "call",
        path: `${path}/${encodeURIComponent(wanted.name)}`,
        query: metricSelector(wanted.selector),
      };
    }
    case "External": {
      const { name, selector: wanted } = metric.external!.metric;
      return {
        type: "call",
        path: `/apis/external.metrics.k8s.io/v1beta1/namespaces/${namespace}/${encodeURIComponent(name)}`,
        query: wanted === undefined ? {} : { labelSelector: selectorText(wanted) },
      };
    }
    default:
      return undefined;
  }
}

const selectorText = (selector: V1LabelSelector): string => labelSelectorText(labelSelectorOf(selector));
const metricSelector = (selector: V1LabelSelector | undefined): Record<string, string> =>
  selector === undefined ? {} : { metricLabelSelector: selectorText(selector) };

/** Custom metrics are filed under resources: "deployments.apps". */
function resourceOf({ kind, apiVersion = "v1" }: V2CrossVersionObjectReference): string {
  const plural = pluralOf(kind);
  const [group, version] = apiVersion.split("/");
  return version === undefined ? plural : `${plural}.${group}`;
}

/** As upstream guesses where it has only the kind. */
export function pluralOf(kind: string): string {
  const lower = kind.toLowerCase();
  if (/(s|x|ch|sh)$/.test(lower)) return `${lower}es`;
  return /[^aeiou]y$/.test(lower) ? `${lower.slice(0, -1)}ies` : `${lower}s`;
}

function missing(error: Error, what: string): string {
  const isAbsent = error instanceof StatusError && error.code === 404;
  return isAbsent ? `the server could not find the requested resource (get ${what})` : error.message;
}

/** Of each pod, or of one container of each. */
export function resourceMetrics(answer: Input | undefined, resource: string, container?: string): PodMetrics {
  const start = `unable to get metrics for resource ${resource}:`;
  if (answer?.ok !== true) {
    const why = answer === undefined ? "no answer" : missing(answer.error, "pods.metrics.k8s.io");
    throw new MetricError(`${start} unable to fetch metrics from resource metrics API: ${why}`);
  }
  const { items } = answer.value as { items?: ResourceItem[] | null };
  if ((items ?? []).length === 0) throw new MetricError(`${start} no metrics returned from resource metrics API`);
  const found: PodMetrics = new Map();
  for (const { metadata, containers, timestamp, window } of items ?? []) {
    const chosen = (containers ?? []).filter(({ name }) => container === undefined || name === container);
    const used = chosen.map(({ usage }) => usage?.[resource]);
    if (chosen.length === 0 || used.includes(undefined)) continue;
    const milli = used.reduce((sum, text) => sum + milliValue(text!), 0);
    found.set(metadata.name, {
      milli,
      at: Date.parse(timestamp ?? ""),
      windowMs: durationMs(window) ?? defaultWindowMs,
    });
  }
  return found;
}

interface ResourceItem {
  metadata: { name: string };
  timestamp?: string;
  window?: string;
  containers?: { name: string; usage?: Record<string, string> }[];
}

export function podsMetric(inputs: Inputs, at: number, name: string): PodMetrics {
  const found: PodMetrics = new Map();
  for (const { describedObject, value, timestamp, windowSeconds } of customValues(inputs, at, name, ""))
    found.set(describedObject.name, {
      milli: milliValue(value),
      at: Date.parse(timestamp ?? ""),
      windowMs: windowSeconds === undefined ? defaultWindowMs : windowSeconds * 1_000,
    });
  return found;
}

export function objectMetric(
  inputs: Inputs,
  at: number,
  name: string,
  object: V2CrossVersionObjectReference,
  namespace: string,
): number {
  const [first] = customValues(inputs, at, name, `${object.kind} on ${namespace} ${object.name}/`);
  if (first === undefined)
    throw new MetricError(`unable to get metric ${name}: no metrics returned from custom metrics API`);
  return milliValue(first.value);
}

interface CustomValue {
  describedObject: { name: string };
  value: string;
  timestamp?: string;
  windowSeconds?: number;
}

function customValues(inputs: Inputs, at: number, name: string, about: string): readonly CustomValue[] {
  const start = `unable to get metric ${name}: ${about}unable to fetch metrics from custom metrics API:`;
  if (inputs.get(customGroup)?.ok !== true)
    throw new MetricError(`${start} no custom metrics API (${customGroup}) registered`);
  const answer = inputs.get(`metric-${at}`);
  if (answer?.ok !== true)
    throw new MetricError(`${start} ${answer === undefined ? "no answer" : answer.error.message}`);
  return (answer.value as { items?: CustomValue[] | null }).items ?? [];
}

/** The values of all series of an external metric, added up. */
export function externalMetric(inputs: Inputs, at: number, metric: V2MetricSpec, namespace: string): number {
  const { name, selector } = metric.external!.metric;
  const answer = inputs.get(`metric-${at}`);
  const start = `unable to get external metric ${namespace}/${name}/${goSelector(selector)}:`;
  if (answer?.ok !== true) {
    const why = answer === undefined ? "no answer" : missing(answer.error, `${name}.external.metrics.k8s.io`);
    throw new MetricError(`${start} unable to fetch metrics from external metrics API: ${why}`);
  }
  const items = (answer.value as { items?: { value: string }[] | null }).items ?? [];
  if (items.length === 0) throw new MetricError(`${start} no metrics returned from external metrics API`);
  return items.reduce((sum, { value }) => sum + milliValue(value), 0);
}

/** As Go prints a pointer to one. */
export function goSelector(selector: V1LabelSelector | undefined): string {
  if (selector === undefined) return "nil";
  const labels = Object.entries(selector.matchLabels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const expressions = (selector.matchExpressions ?? []).map(
    ({ key, operator, values }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${(values ?? []).join(" ")}],},`,
  );
  const printed = labels.map(([key, value]) => `${key}: ${value},`).join("");
  return `&LabelSelector{MatchLabels:map[string]string{${printed}},MatchExpressions:[]LabelSelectorRequirement{${expressions.join("")}},}`;
}
