/** A number of equal pods, by an old selector. Upstream: pkg/registry/core/replicationcontroller/strategy.go. */
import { replicaCountErrors } from "#api/apps/replica-counts.ts";
import { runForeverErrors, statusStrategy, workloadStrategy, workloadWarnings } from "#api/apps/workload.ts";
import { ageColumn, column, containerColumns, integer, labelsText, nameColumn, wide } from "#api/columns.ts";
import type { V1ReplicationController } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { matchesLabels, selectorOfLabels } from "#api/label-selector.ts";
import { defineResource } from "#api/resource.ts";
import { invalid, required } from "#api/validation/field-errors.ts";
import { nonNegative } from "#api/validation/values.ts";
import { defaultTemplate } from "./pod-defaults.ts";

const spec = "core.v1.ReplicationControllerSpec";
const status = "core.v1.ReplicationControllerStatus";

export type ReplicationController = V1ReplicationController;
export const ReplicationController = defineResource<ReplicationController>({
  group: "",
  version: "v1",
  kind: "ReplicationController",
  plural: "replicationcontrollers",
  shortNames: ["rc"],
  categories: ["all"],
  scope: "Namespaced",
  schema: "io.k8s.api.core.v1.ReplicationController",
  defaultPropagation: "Orphan",
  defaults(controller) {
    const template = controller.spec?.template;
    const labels = template?.metadata?.labels;
    if (controller.spec === undefined) controller.spec = {};
    if (labels !== undefined && Object.keys(labels).length > 0) {
      if (Object.keys(controller.spec.selector ?? {}).length === 0) controller.spec.selector = { ...labels };
      if (Object.keys(controller.metadata.labels ?? {}).length === 0) controller.metadata.labels = { ...labels };
    }
    controller.spec.replicas ??= 1;
    defaultTemplate(template);
  },
  ...workloadStrategy(status),
  validate: (controller) => specErrors(controller.spec),
  metadataLooks: { whole: 1, form: 0 },
  warnings: workloadWarnings,
  status: statusStrategy<ReplicationController>((controller) => replicaCountErrors(controller.status)),
  scale: { specReplicas: ".spec.replicas", statusReplicas: ".status.replicas", labelSelector: ".status.selector" },
  columns: [
    nameColumn,
    column(
      "Desired",
      [spec, "replicas"],
      (controller: ReplicationController) => controller.spec?.replicas ?? 0,
      integer,
    ),
    column(
      "Current",
      [status, "replicas"],
      (controller: ReplicationController) => controller.status?.replicas ?? 0,
      integer,
    ),
    column(
      "Ready",
      [status, "readyReplicas"],
      (controller: ReplicationController) => controller.status?.readyReplicas ?? 0,
      integer,
    ),
    ageColumn,
    ...containerColumns((controller: ReplicationController) => controller.spec?.template),
    column(
      "Selector",
      [spec, "selector"],
      (controller: ReplicationController) => labelsText(controller.spec?.selector),
      wide,
    ),
  ],
  fieldSelectors: { "status.replicas": (controller) => String(controller.status?.replicas ?? 0) },
});

function specErrors(specOf: ReplicationController["spec"]): FieldError[] {
  const { minReadySeconds, selector = {}, replicas, template } = specOf ?? {};
  const hasSelector = Object.keys(selector).length > 0;
  const errors = [
    ...nonNegative("spec.minReadySeconds", minReadySeconds),
    ...(hasSelector ? [] : [required("spec.selector")]),
    ...nonNegative("spec.replicas", replicas),
  ];
  if (template === undefined) return [...errors, required("spec.template")];
  const labels = template.metadata?.labels;
  if (hasSelector && !matchesLabels(selectorOfLabels(selector), labels))
    errors.push(
      invalid("spec.template.metadata.labels", labels ?? null, "`selector` does not match template `labels`"),
    );
  return [...errors, ...runForeverErrors(template, "ReplicationController")];
}
