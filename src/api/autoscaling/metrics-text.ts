/** The Targets column: what each metric is and should be. Upstream: formatHPAMetrics. */
import type { V2HorizontalPodAutoscaler, V2MetricSpec, V2MetricStatus } from "#api/generated/types.ts";

const shownMax = 2;
const unknown = "<unknown>";
/** An amount that is not told where something is told: upstream prints its missing pointer. */
const missing = "<nil>";

export function metricsText({ spec, status }: V2HorizontalPodAutoscaler): string {
  const metrics = spec?.metrics ?? [];
  if (metrics.length === 0) return "<none>";
  const texts = metrics.map((metric, index) => metricText(metric, status?.currentMetrics?.[index]));
  const more = texts.length - shownMax;
  const shown = texts.slice(0, shownMax).join(", ");
  return more > 0 ? `${shown} + ${more} more...` : shown;
}

function metricText(metric: V2MetricSpec, status: V2MetricStatus | undefined): string {
  switch (metric.type) {
    case "External":
      return valueText(metric.external?.target, status?.external);
    case "Object":
      return valueText(metric.object?.target, status?.object);
    case "Pods":
      return `${amountText(status?.pods, "averageValue")}/${metric.pods?.target?.averageValue ?? missing}`;
    case "Resource":
      return resourceText(metric.resource, status?.resource);
    case "ContainerResource":
      return resourceText(metric.containerResource, status?.containerResource);
    default:
      return "<unknown type>";
  }
}

interface Values {
  value?: string;
  averageValue?: string;
  averageUtilization?: number;
}

interface Measured {
  current?: Values;
}

const amountText = (status: Measured | undefined, field: "value" | "averageValue"): string =>
  status === undefined ? unknown : (status.current?.[field] ?? missing);

const valueText = (target: Values | undefined, status: Measured | undefined): string =>
  target?.averageValue === undefined
    ? `${amountText(status, "value")}/${target?.value ?? missing}`
    : `${status?.current?.averageValue ?? unknown}/${target.averageValue} (avg)`;

function resourceText(metric: { name: string; target?: Values } | undefined, status: Measured | undefined): string {
  const { name = "", target } = metric ?? {};
  if (target?.averageValue !== undefined)
    return `${name}: ${amountText(status, "averageValue")}/${target.averageValue}`;
  const percent = (value: number | undefined, none: string) => (value === undefined ? none : `${value}%`);
  const current = percent(status?.current?.averageUtilization, unknown);
  return `${name}: ${current}/${percent(target?.averageUtilization, "<auto>")}`;
}
