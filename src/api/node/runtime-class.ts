/** How containers of a pod are run. Upstream: pkg/registry/node/runtimeclass/strategy.go. */
import { ageColumn, column, nameColumn } from "#api/columns.ts";
import { overheadErrors } from "#api/core/container-resources.ts";
import { tolerationsErrors } from "#api/core/pod-scheduling.ts";
import { deprecatedLabels } from "#api/core/pod-warnings.ts";
import type { FieldError } from "#api/field-error.ts";
import type { V1RuntimeClass, V1Toleration } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { duplicate, required } from "#api/validation/field-errors.ts";
import { labelsErrors } from "#api/validation/object-meta.ts";
import { dnsLabel, immutable, semanticEqual } from "#api/validation/values.ts";

export type RuntimeClass = V1RuntimeClass;
export const RuntimeClass = defineResource<RuntimeClass>({
  group: "node.k8s.io",
  version: "v1",
  kind: "RuntimeClass",
  plural: "runtimeclasses",
  scope: "Cluster",
  schema: "io.k8s.api.node.v1.RuntimeClass",
  generation: "none",
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  validate({ handler = "", overhead, scheduling }, old) {
    return [
      ...(handler === "" ? [required("handler")] : dnsLabel("handler", handler)),
      ...(overhead?.podFixed === undefined ? [] : overheadErrors(overhead.podFixed, "overhead")),
      ...labelsErrors(scheduling?.nodeSelector, "scheduling.nodeSelector"),
      ...tolerationsErrors(scheduling?.tolerations ?? [], "scheduling.tolerations"),
      ...repeatedErrors(scheduling?.tolerations ?? [], "scheduling.tolerations"),
      ...(old === undefined ? [] : immutable("handler", handler, old.handler)),
    ];
  },
  // Upstream does not say of which label.
  warnings: ({ scheduling }) =>
    Object.keys(scheduling?.nodeSelector ?? {})
      .filter((key) => Object.hasOwn(deprecatedLabels, key))
      .map((key) => `scheduling.nodeSelector: ${deprecatedLabels[key]}`),
  columns: [nameColumn, column("Handler", "", (runtime: RuntimeClass) => runtime.handler ?? ""), ageColumn],
});

/** Two that differ at most in their seconds are one and the same. The value is shown as upstream's internal type. */
const repeatedErrors = (tolerations: readonly V1Toleration[], path: string): FieldError[] =>
  tolerations.flatMap((toleration, index) => {
    const key = listKey(toleration);
    const isNew = tolerations.slice(0, index).every((other) => !semanticEqual(listKey(other), key));
    const shown = { ...key, TolerationSeconds: toleration.tolerationSeconds ?? null };
    return isNew ? [] : [duplicate(`${path}[${index}]`, shown)];
  });

const listKey = ({ key = "", operator = "", value = "", effect = "" }: V1Toleration) => ({
  Key: key,
  Operator: operator,
  Value: value,
  Effect: effect,
});
