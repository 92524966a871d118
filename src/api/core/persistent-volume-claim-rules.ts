/** Rules of claims. Upstream: ValidatePersistentVolumeClaim and its updates, pkg/api/persistentvolumeclaim/util.go. */
import type { V1PersistentVolumeClaim, V1PersistentVolumeClaimSpec } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { compareQuantities } from "#api/quantity.ts";
import { forbidden, invalid, invalidEach, notSupported, required } from "#api/validation/field-errors.ts";
import { isQualifiedName } from "#api/validation/names.ts";
import { immutable, semanticEqual } from "#api/validation/values.ts";
import { changedFields } from "./changed-fields.ts";
import { claimSpecErrors } from "./claim-template.ts";
import { basicQuantityErrors } from "./persistent-volume-rules.ts";
import { fractionWarnings } from "./pod-warnings.ts";
import { isNativeResource, quantityValueErrors } from "./resource-names.ts";
import { betaClassAnnotation } from "./storage-texts.ts";

type Claim = V1PersistentVolumeClaim;
type Spec = V1PersistentVolumeClaimSpec;

/** One data source in two fields. Old clients know only the first one, which takes claims and snapshots alone. */
export function normalizeDataSources(spec: Spec | undefined, old: Spec | undefined): void {
  if (spec === undefined) return;
  if ((spec.dataSourceRef?.namespace ?? "") !== "" && old?.dataSourceRef === undefined) delete spec.dataSourceRef;
  const hadSource = old?.dataSource !== undefined || old?.dataSourceRef !== undefined;
  if (!hadSource && spec.dataSourceRef === undefined && !isPlainSource(spec.dataSource)) delete spec.dataSource;
  const { dataSource, dataSourceRef } = spec;
  if (dataSource !== undefined && dataSourceRef === undefined) spec.dataSourceRef = sameSource(dataSource);
  else if (dataSourceRef !== undefined && dataSource === undefined && (dataSourceRef.namespace ?? "") === "")
    spec.dataSource = sameSource(dataSourceRef);
}

function isPlainSource(source: Spec["dataSource"]): boolean {
  const { apiGroup, kind } = source ?? {};
  if (kind === "PersistentVolumeClaim") return (apiGroup ?? "") === "";
  return kind === "VolumeSnapshot" && apiGroup === "snapshot.storage.k8s.io";
}

/** A group that was not said shows as null. */
const sameSource = ({ apiGroup, kind, name }: NonNullable<Spec["dataSource"]>) => ({
  apiGroup: (apiGroup ?? null) as string,
  kind,
  name,
});

export function claimErrors(claim: Claim, old: Claim | undefined): FieldError[] {
  const errors = claimSpecErrors(claim.spec ?? {}, "spec");
  // Upstream looks at a changed spec twice.
  return old === undefined ? errors : [...errors, ...errors, ...changeErrors(claim, old)];
}

const immutableText =
  "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";

function changeErrors(claim: Claim, old: Claim): FieldError[] {
  const spec = claim.spec ?? {};
  const before = old.spec ?? {};
  const errors: FieldError[] = [];
  const annotation = claim.metadata.annotations?.[betaClassAnnotation];
  const oldAnnotation = old.metadata.annotations?.[betaClassAnnotation];
  const leavesAnnotation = isClassMoved(claim, old);
  if (!leavesAnnotation && annotation !== oldAnnotation)
    errors.push(invalid(`metadata.annotations.${betaClassAnnotation}`, annotation ?? "", "field is immutable"));
  const [now, kept] = [comparable(claim, old, leavesAnnotation), withName(before, spec)];
  if (!semanticEqual(now, kept))
    errors.push(forbidden("spec", `${immutableText}\n${changedFields("core.PersistentVolumeClaimSpec", now, kept)}`));
  return [
    ...errors,
    ...shrinkErrors(spec, old),
    ...immutable("volumeMode", spec.volumeMode, before.volumeMode),
    ...attributesClassErrors(spec.volumeAttributesClassName, old),
  ];
}

/** A volume's name may be filled in once. */
const withName = (before: Spec, { volumeName }: Spec): Spec => {
  if ((before.volumeName ?? "") !== "") return before;
  const { volumeName: _, ...rest } = before;
  return volumeName === undefined ? rest : { ...rest, volumeName };
};

/** The new spec without what may change. */
function comparable(claim: Claim, old: Claim, leavesAnnotation: boolean): Spec {
  const before = old.spec ?? {};
  const { storageClassName, volumeAttributesClassName: attributesClass, resources, ...rest } = claim.spec ?? {};
  const kept: Spec = { ...rest };
  const isBound = claim.status?.phase === "Bound";
  const keptClass = isBound ? before.volumeAttributesClassName : attributesClass;
  if (keptClass !== undefined) kept.volumeAttributesClassName = keptClass;
  if (resources !== undefined) {
    const storage = before.resources?.requests?.["storage"];
    const hasRequests = isBound && resources.requests !== undefined && storage !== undefined;
    kept.resources = hasRequests ? { ...resources, requests: { ...resources.requests, storage } } : resources;
  }
  const isFilled = storageClassName !== undefined && before.storageClassName === undefined;
  const oldAnnotation = old.metadata.annotations?.[betaClassAnnotation];
  const mayFill = isFilled && (oldAnnotation === undefined || oldAnnotation === storageClassName);
  if (storageClassName !== undefined && !leavesAnnotation && !mayFill) kept.storageClassName = storageClassName;
  return kept;
}

/** From the annotation of old versions to the field of the same value. */
function isClassMoved(claim: Claim, old: Claim): boolean {
  const before = old.metadata.annotations?.[betaClassAnnotation];
  const annotation = claim.metadata.annotations?.[betaClassAnnotation];
  return (
    before !== undefined &&
    old.spec?.storageClassName === undefined &&
    claim.spec?.storageClassName === before &&
    (annotation === undefined || annotation === before)
  );
}

function shrinkErrors(spec: Spec, old: Claim): FieldError[] {
  const size = spec.resources?.requests?.["storage"] ?? "0";
  const before = old.spec?.resources?.requests?.["storage"] ?? "0";
  if (compareQuantities(size, before) >= 0) return [];
  if (compareQuantities(size, old.status?.capacity?.["storage"] ?? "0") > 0) return [];
  return [forbidden("spec.resources.requests.storage", "field can not be less than status.capacity")];
}

/** A class that the volume has cannot be taken away; one that never came to it can. */
function attributesClassErrors(name: string | undefined, { spec, status }: Claim): FieldError[] {
  const isKept = name === spec?.volumeAttributesClassName || (name ?? "") !== "";
  if (isKept || status?.currentVolumeAttributesClassName === undefined) return [];
  const to = name === undefined ? "nil" : "empty string";
  const text = `update to ${to} is forbidden when status.currentVolumeAttributesClassName is not nil`;
  return [forbidden("spec.volumeAttributesClassName", text)];
}

const resizeStates = [
  "ControllerResizeInProgress",
  "ControllerResizeInfeasible",
  "NodeResizeInProgress",
  "NodeResizeInfeasible",
  "NodeResizePending",
].sort();

export function claimStatusErrors({ spec, status }: Claim): FieldError[] {
  const errors = (spec?.accessModes ?? []).length === 0 ? [required("Spec.accessModes")] : [];
  for (const [name, amount] of Object.entries(status?.capacity ?? {}))
    errors.push(...basicQuantityErrors(amount, `status.capacity[${name}]`));
  const statesPath = "status.allocatedResourceStatuses";
  for (const [name, state] of Object.entries(status?.allocatedResourceStatuses ?? {})) {
    errors.push(...resourceKeyErrors(name, statesPath));
    if (!resizeStates.includes(state)) errors.push(notSupported(statesPath, name, resizeStates));
  }
  for (const [name, amount] of Object.entries(status?.allocatedResources ?? {}))
    errors.push(...allocatedErrors(name, amount, "status.allocatedResources"));
  return errors;
}

function allocatedErrors(name: string, amount: string, path: string): FieldError[] {
  const keyErrors = resourceKeyErrors(name, path);
  if (keyErrors.length > 0) return keyErrors;
  const field = `${path}[${name}]`;
  const errors = basicQuantityErrors(amount, field);
  return errors.length > 0 ? errors : quantityValueErrors("storage", amount, field);
}

function resourceKeyErrors(name: string, field: string): FieldError[] {
  const errors = invalidEach(field, name, isQualifiedName(name));
  if (errors.length > 0 || !isNativeResource(name) || name === "storage") return errors;
  return [notSupported(field, name, ["storage"])];
}

export function claimWarnings({ metadata, spec }: Claim): string[] {
  const isAnnotated = metadata.annotations?.[betaClassAnnotation] !== undefined;
  return [
    ...(isAnnotated
      ? [
          `metadata.annotations[${betaClassAnnotation}]: deprecated since v1.8; use "storageClassName" attribute instead`,
        ]
      : []),
    ...fractionWarnings(spec?.resources?.requests, "spec.resources.requests", ["storage"]),
    ...fractionWarnings(spec?.resources?.limits, "spec.resources.limits", ["storage"]),
  ];
}
