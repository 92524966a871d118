/** A pod on every node that fits. Upstream: pkg/registry/apps/daemonset/strategy.go. */
import {
  ageColumn,
  column,
  containerColumns,
  integer,
  labelsText,
  nameColumn,
  selectorText,
  wide,
} from "#api/columns.ts";
import { defaultTemplate } from "#api/core/pod-defaults.ts";
import type { V1DaemonSet } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { labelSelectorErrors } from "#api/label-selector.ts";
import { defineResource } from "#api/resource.ts";
import { invalid, notSupported, required } from "#api/validation/field-errors.ts";
import { immutable, nonNegative, semanticEqual } from "#api/validation/values.ts";
import {
  amountErrors,
  amountValue,
  annotatedNumber,
  changedTemplateWarnings,
  collisionErrors,
  countErrors,
  isEmpty,
  mismatchErrors,
  notAbove100Errors,
  readSelector,
  runForeverErrors,
  statusStrategy,
  workloadStrategy,
} from "./workload.ts";

const status = "apps.v1.DaemonSetStatus";
/** A counter of old versions, which v1 shows as an annotation. */
const templateGeneration = "deprecated.daemonset.template.generation";
const strategy = workloadStrategy<DaemonSet>(status);

export type DaemonSet = V1DaemonSet;
export const DaemonSet = defineResource<DaemonSet>({
  group: "apps",
  version: "v1",
  kind: "DaemonSet",
  plural: "daemonsets",
  shortNames: ["ds"],
  categories: ["all"],
  scope: "Namespaced",
  schema: "io.k8s.api.apps.v1.DaemonSet",
  hiddenAnnotations: [templateGeneration],
  defaults(set) {
    const { spec } = set;
    if (annotatedNumber(set, "DaemonSet", templateGeneration) === undefined) countTemplate(set, 0);
    if (spec === undefined) return;
    defaultTemplate(spec.template);
    spec.revisionHistoryLimit ??= 10;
    const update = (spec.updateStrategy ??= {});
    update.type ||= "RollingUpdate";
    if (update.type === "RollingUpdate") update.rollingUpdate = { maxUnavailable: 1, ...update.rollingUpdate };
    // Upstream's internal type has numbers for both, of whatever strategy.
    if (update.rollingUpdate !== undefined)
      update.rollingUpdate = { maxUnavailable: 0, maxSurge: 0, ...update.rollingUpdate };
  },
  ...strategy,
  prepareCreate(set, context) {
    strategy.prepareCreate!(set, context);
    countTemplate(set, Math.max(templateCount(set), 1));
  },
  prepareUpdate(set, old, context) {
    strategy.prepareUpdate!(set, old, context);
    const count = templateCount(old);
    countTemplate(set, semanticEqual(set.spec?.template, old.spec?.template) ? count : count + 1);
  },
  metadataLooks: { whole: 1, form: 0 },
  validate: (set, old) => [
    ...specErrors(set.spec),
    ...(old === undefined ? [] : immutable("spec.selector", set.spec?.selector, old.spec?.selector)),
  ],
  warnings: changedTemplateWarnings,
  status: statusStrategy<DaemonSet>((set, old) => [
    ...countErrors(set.status, "status", counts),
    ...collisionErrors(set.status, old?.status),
  ]),
  columns: [
    nameColumn,
    column(
      "Desired",
      [status, "desiredNumberScheduled"],
      (set: DaemonSet) => set.status?.desiredNumberScheduled ?? 0,
      integer,
    ),
    column(
      "Current",
      [status, "currentNumberScheduled"],
      (set: DaemonSet) => set.status?.currentNumberScheduled ?? 0,
      integer,
    ),
    column("Ready", [status, "numberReady"], (set: DaemonSet) => set.status?.numberReady ?? 0, integer),
    column(
      "Up-to-date",
      [status, "updatedNumberScheduled"],
      (set: DaemonSet) => set.status?.updatedNumberScheduled ?? 0,
      integer,
    ),
    column("Available", [status, "numberAvailable"], (set: DaemonSet) => set.status?.numberAvailable ?? 0, integer),
    column("Node Selector", ["core.v1.PodSpec", "nodeSelector"], (set: DaemonSet) =>
      labelsText(set.spec?.template?.spec?.nodeSelector),
    ),
    ageColumn,
    ...containerColumns((set: DaemonSet) => set.spec?.template),
    column(
      "Selector",
      "A label query over pods that are managed by the daemon set. Must match in order to be controlled. It must match the pod template's labels. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors",
      (set: DaemonSet) => selectorText(set.spec?.selector),
      wide,
    ),
  ],
});

const templateCount = ({ metadata }: DaemonSet) => Number(metadata.annotations?.[templateGeneration] ?? 0) || 0;

function countTemplate({ metadata }: DaemonSet, count: number): void {
  metadata.annotations = { ...metadata.annotations, [templateGeneration]: String(count) };
}

function specErrors(spec: DaemonSet["spec"]): FieldError[] {
  const { selector, template } = spec ?? {};
  return [
    ...labelSelectorErrors(selector, "spec.selector"),
    ...(readSelector(selector) === undefined ? [] : mismatchErrors(template, selector)),
    ...(selector && isEmpty(selector)
      ? [invalid("spec.selector", selector, "empty selector is invalid for daemonset")]
      : []),
    ...runForeverErrors(template, "DaemonSet"),
    ...nonNegative("spec.minReadySeconds", spec?.minReadySeconds),
    ...updateErrors(spec?.updateStrategy),
    ...nonNegative("spec.revisionHistoryLimit", spec?.revisionHistoryLimit),
  ];
}

function updateErrors(strategyOf: NonNullable<DaemonSet["spec"]>["updateStrategy"]): FieldError[] {
  if (strategyOf === undefined || strategyOf.type === "OnDelete") return [];
  const path = "spec.updateStrategy.rollingUpdate";
  if (strategyOf.type !== "RollingUpdate")
    return [notSupported("spec.updateStrategy", strategyOf, ["RollingUpdate", "OnDelete"])];
  if (strategyOf.rollingUpdate === undefined) return [required(path)];
  const { maxUnavailable, maxSurge } = strategyOf.rollingUpdate;
  const errors: FieldError[] = [
    ...amountErrors(`${path}.maxUnavailable`, maxUnavailable),
    ...amountErrors(`${path}.maxSurge`, maxSurge),
    ...notAbove100Errors(`${path}.maxUnavailable`, maxUnavailable),
    ...notAbove100Errors(`${path}.maxSurge`, maxSurge),
  ];
  const hasUnavailable = amountValue(maxUnavailable) !== 0;
  const hasSurge = amountValue(maxSurge) !== 0;
  if (hasUnavailable && hasSurge)
    errors.push(invalid(`${path}.maxSurge`, maxSurge, "may not be set when maxUnavailable is non-zero"));
  else if (!hasUnavailable && !hasSurge)
    errors.push(required(`${path}.maxUnavailable`, "cannot be 0 when maxSurge is 0"));
  return errors;
}

const counts = [
  "currentNumberScheduled",
  "numberMisscheduled",
  "desiredNumberScheduled",
  "numberReady",
  "observedGeneration",
  "updatedNumberScheduled",
  "numberAvailable",
  "numberUnavailable",
  "collisionCount",
];
