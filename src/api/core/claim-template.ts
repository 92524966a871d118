/**
 * The spec of a volume claim, in a claim and in the templates of ephemeral volumes and stateful sets. Upstream:
 * ValidatePersistentVolumeClaimSpec, ValidatePersistentVolumeClaimTemplate.
 */
import type { V1EphemeralVolumeSource, V1ObjectMeta, V1PersistentVolumeClaimSpec } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { labelSelectorErrors } from "#api/label-selector.ts";
import { canonicalQuantity, toQuantity } from "#api/quantity.ts";
import { forbidden, invalid, invalidEach, notSupported, required } from "#api/validation/field-errors.ts";
import { isDns1123Subdomain } from "#api/validation/names.ts";
import { annotationsErrors, labelsErrors } from "#api/validation/object-meta.ts";
import { dnsLabel, dnsSubdomain, present } from "#api/validation/values.ts";

export function ephemeralClaimErrors({ volumeClaimTemplate }: V1EphemeralVolumeSource, path: string): FieldError[] {
  if (volumeClaimTemplate === undefined) return [required(`${path}.volumeClaimTemplate`)];
  const at = `${path}.volumeClaimTemplate`;
  return [
    ...templateMetaErrors(volumeClaimTemplate.metadata, `${at}.metadata`),
    ...claimSpecErrors(volumeClaimTemplate.spec ?? {}, `${at}.spec`),
  ];
}

/** Labels and annotations only. */
export function templateMetaErrors(meta: V1ObjectMeta | undefined, path: string): FieldError[] {
  const errors = [
    ...annotationsErrors(meta?.annotations, `${path}.annotations`),
    ...labelsErrors(meta?.labels, `${path}.labels`),
  ];
  for (const field of forbiddenMeta) {
    const value = meta?.[field];
    if (value !== undefined && value !== null && value !== "" && value !== 0)
      errors.push(forbidden(`${path}.${shownNames[field] ?? field}`, "cannot be set"));
  }
  return errors;
}

/** Upstream makes the names of its fields, and knows no words. */
const shownNames: Readonly<Record<string, string>> = { uid: "uID" };

const forbiddenMeta = [
  "name",
  "generateName",
  "namespace",
  "selfLink",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "ownerReferences",
  "finalizers",
  "managedFields",
] as const;

const accessModes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const volumeModes = ["Block", "Filesystem"];

export function claimSpecErrors(spec: V1PersistentVolumeClaimSpec, path: string): FieldError[] {
  const { accessModes: modes = [], selector, resources, volumeMode, storageClassName } = spec;
  const errors: FieldError[] = [];
  if (modes.length === 0) errors.push(required(`${path}.accessModes`, "at least 1 access mode is required"));
  errors.push(...labelSelectorErrors(selector, `${path}.selector`));
  for (const mode of modes)
    if (!accessModes.includes(mode)) errors.push(notSupported(`${path}.accessModes`, mode, accessModes));
  const others = modes.some((mode) => mode !== "ReadWriteOncePod" && accessModes.includes(mode));
  if (others && modes.includes("ReadWriteOncePod")) {
    const text = "may not use ReadWriteOncePod with other access modes";
    errors.push(forbidden(`${path}.accessModes`, text));
  }
  const storage = resources?.requests?.["storage"];
  if (storage === undefined) errors.push(required(`${path}.resources[storage]`));
  else if (toQuantity(storage).nanos <= 0n)
    errors.push(invalid(`${path}.resources[storage]`, canonicalQuantity(storage), "must be greater than zero"));
  if (storageClassName) errors.push(...dnsSubdomain(`${path}.storageClassName`, storageClassName));
  if (volumeMode !== undefined && !volumeModes.includes(volumeMode))
    errors.push(notSupported(`${path}.volumeMode`, volumeMode, volumeModes));
  errors.push(...dataSourceErrors(spec, path));
  if (spec.volumeAttributesClassName)
    errors.push(
      ...invalidEach(
        `${path}.volumeAttributesClassName`,
        spec.volumeAttributesClassName,
        isDns1123Subdomain(spec.volumeAttributesClassName),
      ),
    );
  return errors;
}

function dataSourceErrors({ dataSource, dataSourceRef }: V1PersistentVolumeClaimSpec, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [field, source] of [
    ["dataSource", dataSource],
    ["dataSourceRef", dataSourceRef],
  ] as const) {
    if (source === undefined) continue;
    errors.push(...present(`${path}.${field}.name`, source.name), ...present(`${path}.${field}.kind`, source.kind));
    const group = source.apiGroup ?? "";
    if (group === "" && source.kind !== "PersistentVolumeClaim") {
      const text = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
      errors.push(invalid(`${path}.${field}`, source.kind, text));
    }
    if (group !== "") errors.push(...invalidEach(`${path}.${field}.apiGroup`, group, isDns1123Subdomain(group)));
    const { namespace } = source as { namespace?: string };
    if (namespace) errors.push(...dnsLabel(`${path}.${field}.namespace`, namespace));
  }
  if (dataSource !== undefined && dataSourceRef !== undefined && dataSourceRef.namespace === undefined) {
    const fields = ["apiGroup", "kind", "name"] as const;
    if (fields.some((field) => (dataSource[field] ?? null) !== (dataSourceRef[field] ?? null)))
      // Upstream shows the path of a field where the value should be.
      errors.push(invalid(path, {}, "must match dataSourceRef"));
  }
  return errors;
}
