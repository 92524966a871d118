/** The Targets column: what each metric is and should be. Upstream: formatHPAMetrics. */
import type { V2HorizontalPodAutoscaler, V2MetricSpec, V2MetricStatus } from "#api/generated/types.ts";

const shownMax = 2;
const unknown = "<unknown>";

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
      return valueText(metric.external?.target, status?.external?.current);
    case "Object":
      return valueText(metric.object?.target, status?.object?.current);
    case "Pods":
      return `${status?.pods?.current?.averageValue ?? unknown}/${metric.pods?.target?.averageValue ?? ""}`;
    case "Resource":
      return resourceText(metric.resource, status?.resource?.current);
    case "ContainerResource":
      return resourceText(metric.containerResource, status?.containerResource?.current);
    default:
      return "<unknown type>";
  }
}

interface Values {
  value?: string;
  averageValue?: string;
  averageUtilization?: number;
}

const valueText = (target: Values | undefined, current: Values | undefined): string =>
  target?.averageValue === undefined
    ? `${current?.value ?? unknown}/${target?.value ?? ""}`
    : `${current?.averageValue ?? unknown}/${target.averageValue} (avg)`;

function resourceText(metric: { name: string; target?: Values } | undefined, current: Values | undefined): string {
  const { name = "", target } = metric ?? {};
  if (target?.averageValue !== undefined) return `${name}: ${current?.averageValue ?? unknown}/${target.averageValue}`;
  const percent = (value: number | undefined, none: string) => (value === undefined ? none : `${value}%`);
  return `${name}: ${percent(current?.averageUtilization, unknown)}/${percent(target?.averageUtilization, "<auto>")}`;
}
