/** The rules of storage classes. Upstream: pkg/apis/storage/validation/validation.go, ValidateStorageClass. */
import type { V1StorageClass, V1TopologySelectorTerm } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { termWarnings } from "#api/core/pod-warnings.ts";
import { duplicate, invalidEach, notSupported, required, tooMany } from "#api/validation/field-errors.ts";
import { isQualifiedName } from "#api/validation/names.ts";
import { immutable, semanticEqual } from "#api/validation/values.ts";
import { parametersErrors, provisionerErrors } from "./parameters.ts";

const reclaimPolicies = ["Delete", "Retain"];
const bindingModes = ["Immediate", "WaitForFirstConsumer"];
const immutableFields = ["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"] as const;

export function storageClassErrors(storageClass: V1StorageClass, old: V1StorageClass | undefined): FieldError[] {
  const { provisioner, parameters, reclaimPolicy = "", volumeBindingMode, allowedTopologies } = storageClass;
  return [
    ...provisionerErrors(provisioner, "provisioner"),
    ...parametersErrors(parameters, { mayBeEmpty: true }),
    ...(reclaimPolicy === "" || reclaimPolicies.includes(reclaimPolicy)
      ? []
      : [notSupported("reclaimPolicy", reclaimPolicy, reclaimPolicies)]),
    ...bindingModeErrors(volumeBindingMode),
    ...topologiesErrors(allowedTopologies ?? []),
    ...(old === undefined ? [] : immutableFields.flatMap((field) => immutable(field, storageClass[field], old[field]))),
  ];
}

function bindingModeErrors(mode: string | undefined): FieldError[] {
  const field = "volumeBindingMode";
  if (mode === undefined) return [required(field)];
  return bindingModes.includes(mode) ? [] : [notSupported(field, mode, bindingModes)];
}

/** Upstream has no limit, and tells of each pair of equal terms. */
const topologyTermsMax = 256;

type Labels = Readonly<Record<string, readonly string[]>>;

/**
 * Two terms that say the same are one too many, each time. Upstream compares with as many empty terms as there are terms,
 * so one that says nothing is a duplicate of each.
 */
function topologiesErrors(terms: readonly V1TopologySelectorTerm[]): FieldError[] {
  if (terms.length > topologyTermsMax) return [tooMany("allowedTopologies", terms.length, topologyTermsMax)];
  const seen: Labels[] = terms.map(() => ({}));
  return terms.flatMap((term, index) => {
    const path = `allowedTopologies[${index}]`;
    const { labels, errors } = readTerm(term, path);
    const equals = seen.filter((other) => isSame(other, labels));
    errors.push(...equals.map(() => duplicate(`${path}.matchLabelExpressions`, "")));
    seen.push(labels);
    return errors;
  });
}

function isSame(a: Labels, b: Labels): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => semanticEqual(a[key], b[key]) && key in b);
}

function readTerm({ matchLabelExpressions }: V1TopologySelectorTerm, path: string) {
  const labels: Record<string, readonly string[]> = {};
  const errors: FieldError[] = [];
  for (const [index, { key = "", values }] of (matchLabelExpressions ?? []).entries()) {
    const at = `${path}.matchLabelExpressions[${index}]`;
    errors.push(...valuesErrors(values ?? [], `${at}.values`), ...invalidEach(`${at}.key`, key, isQualifiedName(key)));
    if (Object.hasOwn(labels, key)) errors.push(duplicate(`${at}.key`, key));
    labels[key] = [...new Set(values)].sort();
  }
  return { labels, errors };
}

function valuesErrors(values: readonly string[], path: string): FieldError[] {
  if (values.length === 0) return [required(path)];
  return values.flatMap((value, index) =>
    values.indexOf(value) < index ? [duplicate(`${path}[${index}]`, value)] : [],
  );
}

export const storageClassWarnings = ({ allowedTopologies }: V1StorageClass): string[] =>
  (allowedTopologies ?? []).flatMap(({ matchLabelExpressions }, index) =>
    termWarnings({ matchExpressions: matchLabelExpressions ?? [] }, `allowedTopologies[${index}]`).map((text) =>
      text.replace(".matchExpressions[", ".matchLabelExpressions["),
    ),
  );
