/** Pods with names and volumes of their own, one after the other. Upstream: pkg/registry/apps/statefulset/strategy.go. */
import { ageColumn, column, containerColumns, nameColumn } from "#api/columns.ts";
import { defaultClaimSpec, defaultTemplate } from "#api/core/pod-defaults.ts";
import { fractionWarnings } from "#api/core/pod-warnings.ts";
import type {
  V1PersistentVolumeClaim,
  V1PersistentVolumeClaimSpec,
  V1StatefulSet,
  V1StatefulSetSpec,
} from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { emptyValue } from "#api/empty-value.ts";
import { defineResource } from "#api/resource.ts";
import { forbidden, invalid, required } from "#api/validation/field-errors.ts";
import { nameIsDnsLabel } from "#api/validation/names.ts";
import { annotationsErrors, labelsErrors } from "#api/validation/object-meta.ts";
import { podAnnotationsErrors } from "#api/core/pod-annotations.ts";
import { dnsLabel, nonNegative, oneOf, semanticEqual } from "#api/validation/values.ts";
import {
  atMostErrors,
  changedTemplateWarnings,
  collisionErrors,
  countErrors,
  endErrors,
  mismatchErrors,
  readSelector,
  runForeverErrors,
  selectorErrors,
  selectorInvalid,
  statusStrategy,
  workloadStrategy,
} from "./workload.ts";

const strategy = workloadStrategy<StatefulSet>("apps.v1.StatefulSetStatus");

export type StatefulSet = V1StatefulSet;
export const StatefulSet = defineResource<StatefulSet>({
  group: "apps",
  version: "v1",
  kind: "StatefulSet",
  plural: "statefulsets",
  shortNames: ["sts"],
  categories: ["all"],
  scope: "Namespaced",
  schema: "io.k8s.api.apps.v1.StatefulSet",
  validateName: nameIsDnsLabel,
  defaults({ spec }) {
    if (spec !== undefined) defaultSpec(spec);
  },
  ...strategy,
  prepareCreate(set, context) {
    strategy.prepareCreate!(set, context);
    dropGated(set);
  },
  prepareUpdate(set, old, context) {
    strategy.prepareUpdate!(set, old, context);
    dropGated(set);
  },
  metadataLooks: { whole: 1, form: 0 },
  validate: (set, old) =>
    old === undefined ? specErrors(set.spec) : [...specErrors(set.spec, old.spec), ...changeErrors(set, old)],
  warnings: (set, old) => [
    ...changedTemplateWarnings(set, old),
    ...claims(set).flatMap(({ spec }, index) => {
      const path = `spec.volumeClaimTemplates[${index}]`;
      // On update upstream names a step of the path, by its field in Go.
      return claimTemplateWarnings(spec, old === undefined ? path : `${path}.Spec`);
    }),
    ...((set.spec?.revisionHistoryLimit ?? 0) < 0
      ? ["spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"]
      : []),
  ],
  status: statusStrategy<StatefulSet>(statusErrors),
  scale: { specReplicas: ".spec.replicas", statusReplicas: ".status.replicas", labelSelector: ".status.selector" },
  columns: [
    nameColumn,
    column(
      "Ready",
      "Number of the pod with ready state",
      (set: StatefulSet) => `${set.status?.readyReplicas ?? 0}/${set.spec?.replicas ?? 0}`,
    ),
    ageColumn,
    ...containerColumns((set: StatefulSet) => set.spec?.template),
  ],
});

const claimTemplateWarnings = (spec: V1PersistentVolumeClaimSpec | undefined, path: string): string[] =>
  (["requests", "limits"] as const).flatMap((amounts) =>
    fractionWarnings(spec?.resources?.[amounts], `${path}.resources.${amounts}`, ["storage"]),
  );

const claims = ({ spec }: StatefulSet): V1PersistentVolumeClaim[] => spec?.volumeClaimTemplates ?? [];

function defaultSpec(spec: V1StatefulSetSpec): void {
  defaultTemplate(spec.template);
  spec.podManagementPolicy ||= "OrderedReady";
  const update = (spec.updateStrategy ??= {});
  update.type ||= "RollingUpdate";
  if (update.type === "RollingUpdate") {
    update.rollingUpdate ??= {};
    update.rollingUpdate.partition ??= 0;
  }
  spec.persistentVolumeClaimRetentionPolicy ??= {};
  spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= "Retain";
  spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= "Retain";
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= 10;
  for (const claim of spec.volumeClaimTemplates ?? []) {
    claim.kind ||= "PersistentVolumeClaim";
    claim.apiVersion ||= "v1";
    const claimSpec = (claim.spec ??= emptyValue<V1PersistentVolumeClaimSpec>("core.v1.PersistentVolumeClaimSpec"));
    claim.status ??= {};
    claim.status.phase ||= "Pending";
    defaultClaimSpec(claimSpec);
  }
}

/** Parallel updates are off in this release: upstream drops their field. */
function dropGated({ spec }: StatefulSet): void {
  delete spec?.updateStrategy?.rollingUpdate?.maxUnavailable;
}

function specErrors(spec: StatefulSet["spec"], old?: StatefulSet["spec"]): FieldError[] {
  const { podManagementPolicy = "", selector } = spec ?? {};
  const errors: FieldError[] = [];
  const policies = ["OrderedReady", "Parallel"];
  if (podManagementPolicy === "" && spec?.podManagementPolicy !== undefined)
    errors.push(required("spec.podManagementPolicy"));
  else if (podManagementPolicy !== "" && !policies.includes(podManagementPolicy))
    errors.push(invalid("spec.podManagementPolicy", podManagementPolicy, "must be 'OrderedReady' or 'Parallel'"));
  errors.push(...updateErrors(spec), ...retentionErrors(spec));
  errors.push(
    ...nonNegative("spec.replicas", spec?.replicas),
    ...nonNegative("spec.minReadySeconds", spec?.minReadySeconds),
  );
  if (spec?.ordinals !== undefined) errors.push(...nonNegative("spec.ordinals.start", spec.ordinals.start));
  if (old === undefined && spec?.serviceName) errors.push(...dnsLabel("spec.serviceName", spec.serviceName));
  errors.push(...selectorErrors(selector, "statefulset"));
  return [...errors, ...templateOfSetErrors(spec)];
}

/** Without a selector that can be read, nobody looks at the template but for how it ends. */
function templateOfSetErrors(spec: StatefulSet["spec"]): FieldError[] {
  const { selector } = spec ?? {};
  const template = templateWithClaims(spec);
  if (readSelector(selector) === undefined)
    return [selectorInvalid(selector, ""), ...endErrors(template, "StatefulSet")];
  return [
    ...mismatchErrors(template, selector),
    ...repeatedTemplateErrors(spec?.template),
    ...runForeverErrors(template, "StatefulSet"),
  ];
}

/** Claims are volumes of the template, by their names. */
function templateWithClaims(spec: StatefulSet["spec"]) {
  const template = spec?.template;
  if (template?.spec === undefined || (spec?.volumeClaimTemplates ?? []).length === 0) return template;
  const own = new Set((template.spec.volumes ?? []).map(({ name }) => name));
  const added = spec!
    .volumeClaimTemplates!.map(({ metadata }) => metadata?.name ?? "")
    .filter((name) => name !== "" && !own.has(name))
    .map((name) => ({ name, persistentVolumeClaim: { claimName: name } }));
  return { ...template, spec: { ...template.spec, volumes: [...(template.spec.volumes ?? []), ...added] } };
}

/** Upstream checks labels and annotations here and again with the rest of the template. */
function repeatedTemplateErrors(template: V1StatefulSetSpec["template"] | undefined): FieldError[] {
  const { labels, annotations } = template?.metadata ?? {};
  return [
    ...labelsErrors(labels, "spec.template.labels"),
    ...annotationsErrors(annotations, "spec.template.annotations"),
    ...podAnnotationsErrors(annotations, template?.spec ?? { containers: [] }, "spec.template.annotations"),
  ];
}

function updateErrors(spec: StatefulSet["spec"]): FieldError[] {
  if (spec?.updateStrategy === undefined) return [];
  const { type, rollingUpdate } = spec.updateStrategy;
  const path = "spec.updateStrategy";
  if (type === "OnDelete")
    return rollingUpdate === undefined
      ? []
      : [invalid(`${path}.rollingUpdate`, rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'")];
  if (type === "RollingUpdate") return nonNegative(`${path}.rollingUpdate.partition`, rollingUpdate?.partition);
  return [invalid(path, spec.updateStrategy, "must be 'RollingUpdate' or 'OnDelete'")];
}

function retentionErrors(spec: StatefulSet["spec"]): FieldError[] {
  const policy = spec?.persistentVolumeClaimRetentionPolicy;
  if (policy === undefined) return [];
  const path = "spec.persistentVolumeClaimRetentionPolicy";
  return (["whenDeleted", "whenScaled"] as const).flatMap((field) =>
    oneOf(`${path}.${field}`, policy[field], ["Retain", "Delete"]),
  );
}

const changeable = [
  "replicas",
  "ordinals",
  "template",
  "updateStrategy",
  "revisionHistoryLimit",
  "persistentVolumeClaimRetentionPolicy",
  "minReadySeconds",
] as const;

function changeErrors(set: StatefulSet, old: StatefulSet): FieldError[] {
  const rest = (spec: StatefulSet["spec"]) =>
    Object.fromEntries(
      Object.entries(spec ?? {}).filter(([field]) => !(changeable as readonly string[]).includes(field)),
    );
  if (semanticEqual(rest(set.spec), rest(old.spec))) return [];
  const names = changeable.map((field) => `'${field}'`);
  const text = `updates to statefulset spec for fields other than ${names.slice(0, -1).join(", ")} and ${names.at(-1)} are forbidden`;
  return [forbidden("spec", text)];
}

function statusErrors({ status }: StatefulSet, old: StatefulSet | undefined): FieldError[] {
  const counted = [
    "replicas",
    "readyReplicas",
    "currentReplicas",
    "updatedReplicas",
    "availableReplicas",
    "observedGeneration",
    "collisionCount",
  ];
  return [
    ...countErrors(status, "status", counted),
    ...atMostErrors(
      status,
      ["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"],
      "replicas",
      "cannot be greater than status.replicas",
    ),
    ...atMostErrors(status, ["availableReplicas"], "readyReplicas", "cannot be greater than status.readyReplicas"),
    ...collisionErrors(status, old?.status),
  ];
}
