/** Pods that are replaced step by step when their template changes. Upstream: pkg/registry/apps/deployment/strategy.go. */
import { ageColumn, column, containerColumns, nameColumn, selectorText, wide } from "#api/columns.ts";
import type { V1Deployment } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { defaultTemplate } from "#api/core/pod-defaults.ts";
import { defineResource } from "#api/resource.ts";
import { forbidden, invalid, notSupported, required } from "#api/validation/field-errors.ts";
import { immutable, nonNegative, semanticEqual } from "#api/validation/values.ts";
import {
  amountErrors,
  amountValue,
  annotatedNumber,
  atMostErrors,
  collisionErrors,
  countErrors,
  notAbove100Errors,
  selectorErrors,
  statusStrategy,
  templateErrors,
  workloadStrategy,
  workloadWarnings,
} from "./workload.ts";

const status = "apps.v1.DeploymentStatus";
/** A field of old versions, which v1 shows as an annotation. */
const rollbackTo = "deprecated.deployment.rollback.to";
const rollbackText = ({ metadata }: Deployment) =>
  `failed to parse annotation[${rollbackTo}]=${metadata.annotations?.[rollbackTo]} as int64: `;

export type Deployment = V1Deployment;
export const Deployment = defineResource<Deployment>({
  group: "apps",
  version: "v1",
  kind: "Deployment",
  plural: "deployments",
  shortNames: ["deploy"],
  categories: ["all"],
  scope: "Namespaced",
  schema: "io.k8s.api.apps.v1.Deployment",
  hiddenAnnotations: [rollbackTo],
  defaults(deployment) {
    const { spec } = deployment;
    if (deployment.metadata.annotations?.[rollbackTo] !== "")
      annotatedNumber(deployment, "Deployment", rollbackTo, rollbackText(deployment));
    if (spec === undefined) return;
    defaultTemplate(spec.template);
    spec.replicas ??= 1;
    spec.revisionHistoryLimit ??= 10;
    spec.progressDeadlineSeconds ??= 600;
    const strategy = (spec.strategy ??= {});
    strategy.type ||= "RollingUpdate";
    if (strategy.type !== "RollingUpdate") return;
    strategy.rollingUpdate = { maxUnavailable: "25%", maxSurge: "25%", ...strategy.rollingUpdate };
  },
  ...workloadStrategy("apps.v1.DeploymentStatus"),
  metadataLooks: { whole: 1, form: 0 },
  validate: (deployment, old) => [
    ...specErrors(deployment.spec, rollbackErrors(deployment)),
    ...(old === undefined ? [] : immutable("spec.selector", deployment.spec?.selector, old.spec?.selector)),
  ],
  warnings: workloadWarnings,
  generation: (deployment, old) =>
    !semanticEqual(deployment.spec, old.spec) ||
    !semanticEqual(deployment.metadata.annotations ?? {}, old.metadata.annotations ?? {}),
  status: {
    ...statusStrategy<Deployment>(statusErrors),
    prepareUpdate(deployment, old) {
      deployment.spec = old.spec!;
      if (old.metadata.labels === undefined) delete deployment.metadata.labels;
      else deployment.metadata.labels = old.metadata.labels;
    },
    resetFields: [["spec"], ["metadata", "labels"]],
  },
  scale: { specReplicas: ".spec.replicas", statusReplicas: ".status.replicas", labelSelector: ".status.selector" },
  columns: [
    nameColumn,
    column(
      "Ready",
      "Number of the pod with ready state",
      (deployment: Deployment) => `${deployment.status?.readyReplicas ?? 0}/${deployment.spec?.replicas ?? 0}`,
    ),
    column(
      "Up-to-date",
      [status, "updatedReplicas"],
      (deployment: Deployment) => deployment.status?.updatedReplicas ?? 0,
    ),
    column(
      "Available",
      [status, "availableReplicas"],
      (deployment: Deployment) => deployment.status?.availableReplicas ?? 0,
    ),
    ageColumn,
    ...containerColumns((deployment: Deployment) => deployment.spec?.template),
    column(
      "Selector",
      "Label selector for pods. Existing ReplicaSets whose pods are selected by this will be the ones affected by this deployment. It must match the pod template's labels.",
      (deployment: Deployment) => selectorText(deployment.spec?.selector),
      wide,
    ),
  ],
});

/** The old field itself is what upstream finds at fault. */
const rollbackErrors = ({ metadata }: Deployment): FieldError[] =>
  nonNegative("spec.rollback.version", Number(metadata.annotations?.[rollbackTo] ?? 0));

function specErrors(spec: Deployment["spec"], ofRollback: FieldError[]): FieldError[] {
  const {
    replicas,
    selector,
    template,
    minReadySeconds = 0,
    revisionHistoryLimit,
    progressDeadlineSeconds,
  } = spec ?? {};
  const errors = [
    ...nonNegative("spec.replicas", replicas),
    ...selectorErrors(selector, "deployment"),
    ...templateErrors(template, selector, "ReplicaSet"),
    ...strategyErrors(spec?.strategy),
    ...nonNegative("spec.minReadySeconds", minReadySeconds),
    ...nonNegative("spec.revisionHistoryLimit", revisionHistoryLimit),
    ...ofRollback,
    ...nonNegative("spec.progressDeadlineSeconds", progressDeadlineSeconds),
  ];
  if (progressDeadlineSeconds !== undefined && progressDeadlineSeconds <= minReadySeconds)
    errors.push(
      invalid("spec.progressDeadlineSeconds", progressDeadlineSeconds, "must be greater than minReadySeconds"),
    );
  return errors;
}

function strategyErrors(strategy: NonNullable<Deployment["spec"]>["strategy"]): FieldError[] {
  const path = "spec.strategy.rollingUpdate";
  const { type, rollingUpdate } = strategy ?? {};
  if (type === "Recreate")
    return rollingUpdate === undefined
      ? []
      : [forbidden(path, "may not be specified when strategy `type` is 'Recreate'")];
  if (type !== "RollingUpdate")
    return strategy === undefined ? [] : [notSupported("spec.strategy", strategy, ["Recreate", "RollingUpdate"])];
  if (rollingUpdate === undefined) return [required(path, "this should be defaulted and never be nil")];
  const { maxUnavailable, maxSurge } = rollingUpdate;
  const errors = [
    ...amountErrors(`${path}.maxUnavailable`, maxUnavailable),
    ...amountErrors(`${path}.maxSurge`, maxSurge),
  ];
  if (amountValue(maxUnavailable) === 0 && amountValue(maxSurge) === 0)
    errors.push(invalid(`${path}.maxUnavailable`, maxUnavailable, "may not be 0 when `maxSurge` is 0"));
  return [...errors, ...notAbove100Errors(`${path}.maxUnavailable`, maxUnavailable)];
}

const counts = [
  "observedGeneration",
  "replicas",
  "updatedReplicas",
  "readyReplicas",
  "availableReplicas",
  "unavailableReplicas",
  "terminatingReplicas",
  "collisionCount",
];

function statusErrors({ status }: Deployment, old: Deployment | undefined): FieldError[] {
  return [
    ...countErrors(status, "status", counts),
    ...atMostErrors(
      status,
      ["updatedReplicas", "readyReplicas", "availableReplicas"],
      "replicas",
      "cannot be greater than status.replicas",
    ),
    ...atMostErrors(status, ["availableReplicas"], "readyReplicas", "cannot be greater than readyReplicas"),
    ...collisionErrors(status, old?.status),
  ];
}
