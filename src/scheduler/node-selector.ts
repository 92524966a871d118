/** Which nodes a node selector finds. Upstream: component-helpers/scheduling/corev1/nodeaffinity. */
import type { V1NodeSelector, V1NodeSelectorRequirement, V1NodeSelectorTerm, V1PodSpec } from "#api/generated/types.ts";
import { type LabelOperator, type LabelSelector, matchesLabels, selectorOfLabels } from "#api/label-selector.ts";
import type { NodeInfo } from "./node-info.ts";

export type NodeMatcher = (node: Pick<NodeInfo, "name" | "labels">) => boolean;

const operators: Readonly<Record<string, LabelOperator>> = {
  In: "in",
  NotIn: "notin",
  Exists: "exists",
  DoesNotExist: "!",
  Gt: "gt",
  Lt: "lt",
};

/** Any of the terms; no terms find nothing. */
export function nodeSelectorMatcher(selector: V1NodeSelector): NodeMatcher {
  const terms = selector.nodeSelectorTerms.map(termMatcher);
  return (node) => terms.some((matches) => matches(node));
}

/** All of a term's expressions and fields; an empty term finds nothing. */
export function termMatcher({ matchExpressions = [], matchFields = [] }: V1NodeSelectorTerm): NodeMatcher {
  if (matchExpressions.length === 0 && matchFields.length === 0) return () => false;
  const labels = selectorOf(matchExpressions);
  const fields = selectorOf(matchFields);
  return (node) =>
    (matchExpressions.length === 0 || matchesLabels(labels, node.labels)) &&
    (matchFields.length === 0 || matchesLabels(fields, { "metadata.name": node.name }));
}

function selectorOf(requirements: readonly V1NodeSelectorRequirement[]): LabelSelector {
  return {
    requirements: requirements.map(({ key, operator, values = [] }) => ({
      key,
      operator: operators[operator] ?? "!",
      values,
    })),
  };
}

/** The node selector and the required node affinity of a pod; undefined if it has neither. */
export function requiredNodes(spec: V1PodSpec): NodeMatcher | undefined {
  const selector = Object.keys(spec.nodeSelector ?? {}).length > 0 ? selectorOfLabels(spec.nodeSelector) : undefined;
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const affinity = required === undefined ? undefined : nodeSelectorMatcher(required);
  if (selector === undefined) return affinity;
  if (affinity === undefined) return (node) => matchesLabels(selector, node.labels);
  return (node) => matchesLabels(selector, node.labels) && affinity(node);
}
