/** Bounds and defaults for what pods of a namespace ask for. Upstream: ValidateLimitRange, SetDefaults_LimitRangeItem. */
import { defaultColumns } from "#api/columns.ts";
import type { V1LimitRange, V1LimitRangeItem } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { canonicalQuantity, compareQuantities, roundResourceList, toQuantity } from "#api/quantity.ts";
import { defineResource } from "#api/resource.ts";
import { duplicate, forbidden, invalid, invalidEach, required } from "#api/validation/field-errors.ts";
import { isQualifiedName } from "#api/validation/names.ts";
import { containerResourceNameErrors, isOvercommitAllowed } from "./container-resources.ts";
import { resourceNameErrors } from "./resource-names.ts";

const standardTypes = new Set(["Pod", "Container", "PersistentVolumeClaim"]);

const bounds = ["max", "min", "default", "defaultRequest"] as const;
const amounts = [...bounds, "maxLimitRequestRatio"] as const;

export type LimitRange = V1LimitRange;
export const LimitRange = defineResource<LimitRange>({
  group: "",
  version: "v1",
  kind: "LimitRange",
  plural: "limitranges",
  shortNames: ["limits"],
  scope: "Namespaced",
  schema: "io.k8s.api.core.v1.LimitRange",
  generation: "none",
  metadataLooks: { whole: 0, form: 1 },
  allowCreateOnUpdate: true,
  defaults({ spec }) {
    for (const item of spec?.limits ?? []) {
      for (const field of amounts) roundResourceList(item[field]);
      if (item.type === "Container") defaultItem(item);
    }
  },
  /** One that nobody named is named at random. */
  prepareCreate({ metadata }) {
    metadata.name ||= metadata.uid!;
  },
  validate({ spec }) {
    const seen = new Set<string>();
    return (spec?.limits ?? []).flatMap((item, index) => {
      const path = `spec.limits[${index}]`;
      const repeated = seen.has(item.type) ? [duplicate(`${path}.type`, item.type)] : [];
      seen.add(item.type);
      return [...typeErrors(item.type ?? "", `${path}.type`), ...repeated, ...itemErrors(item, path)];
    });
  },
  columns: defaultColumns,
});

/** What is not said about a container follows from what is: a maximum is a default; a default or else a minimum a request. */
function defaultItem(item: V1LimitRangeItem): void {
  const usual = { ...item.max, ...item.default };
  const request = { ...item.min, ...usual, ...item.defaultRequest };
  if (Object.keys(usual).length > 0) item.default = usual;
  if (Object.keys(request).length > 0) item.defaultRequest = request;
}

function typeErrors(type: string, field: string): FieldError[] {
  const errors = invalidEach(field, type, isQualifiedName(type));
  if (errors.length > 0 || type.includes("/") || standardTypes.has(type)) return errors;
  return [invalid(field, type, "must be a standard limit type or fully qualified")];
}

function itemErrors(item: V1LimitRangeItem, path: string): FieldError[] {
  const nameErrors =
    item.type === "Pod" || item.type === "Container" ? containerResourceNameErrors : resourceNameErrors;
  const errors: FieldError[] = [];
  for (const field of bounds) {
    const list = item[field] ?? {};
    const isUnfit = item.type === "Pod" && (field === "default" || field === "defaultRequest");
    if (!isUnfit) errors.push(...namesErrors(list, nameErrors, `${path}.${field}`));
    else if (Object.keys(list).length > 0)
      errors.push(forbidden(`${path}.${field}`, "may not be specified when `type` is 'Pod'"));
  }
  if (item.type === "PersistentVolumeClaim" && item.min?.storage === undefined && item.max?.storage === undefined)
    errors.push(
      required(`${path}.limits`, "either minimum or maximum storage value is required, but neither was provided"),
    );
  errors.push(...namesErrors(item.maxLimitRequestRatio ?? {}, nameErrors, `${path}.maxLimitRequestRatio`));
  const names = new Set(amounts.flatMap((field) => Object.keys(item[field] ?? {})));
  return [...errors, ...[...names].flatMap((name) => orderErrors(item, name, path))];
}

const namesErrors = (list: object, nameErrors: (name: string, field: string) => FieldError[], path: string) =>
  Object.keys(list).flatMap((name) => nameErrors(name, `${path}[${name}]`));

/** How the amounts of one resource must be ordered. */
function orderErrors(item: V1LimitRangeItem, name: string, path: string): FieldError[] {
  const ofPod = item.type === "Pod";
  const min = item.min?.[name];
  const max = item.max?.[name];
  const usual = ofPod ? undefined : item.default?.[name];
  const request = ofPod ? undefined : item.defaultRequest?.[name];
  const errors: FieldError[] = [];
  type Side = readonly [label: string, amount: string | undefined];
  const notGreater = ([lowLabel, low]: Side, [highLabel, high]: Side, field: string, shown: string | undefined) => {
    if (low === undefined || high === undefined || compareQuantities(low, high) <= 0) return;
    const text = `${lowLabel} value ${canonicalQuantity(low)} is greater than ${highLabel} value ${canonicalQuantity(high)}`;
    errors.push(invalid(`${path}.${field}[${name}]`, canonicalQuantity(shown!), text));
  };
  notGreater(["min", min], ["max", max], "min", min);
  notGreater(["min", min], ["default request", request], "defaultRequest", request);
  notGreater(["default request", request], ["max", max], "defaultRequest", request);
  notGreater(["default request", request], ["default limit", usual], "defaultRequest", request);
  notGreater(["min", min], ["default", usual], "default", min);
  notGreater(["default", usual], ["max", max], "default", max);
  errors.push(...ratioErrors(item.maxLimitRequestRatio?.[name], min, max, `${path}.maxLimitRequestRatio[${name}]`));
  if (usual !== undefined && request !== undefined && !isOvercommitAllowed(name) && compareQuantities(usual, request))
    errors.push(
      invalid(
        `${path}.defaultRequest[${name}]`,
        canonicalQuantity(request),
        `default value ${canonicalQuantity(usual)} must equal to defaultRequest value ${canonicalQuantity(request)} in ${name}`,
      ),
    );
  return errors;
}

function ratioErrors(
  ratio: string | undefined,
  min: string | undefined,
  max: string | undefined,
  field: string,
): FieldError[] {
  if (ratio === undefined) return [];
  const shown = canonicalQuantity(ratio);
  const errors: FieldError[] = [];
  if (compareQuantities(ratio, 1) < 0) errors.push(invalid(field, shown, `ratio ${shown} is less than 1`));
  if (min === undefined || max === undefined) return errors;
  const bound = Number(toQuantity(max).nanos) / Number(toQuantity(min).nanos);
  if (Number(toQuantity(ratio).nanos) / 1e9 > bound)
    errors.push(invalid(field, shown, `ratio ${shown} is greater than max/min = ${bound.toFixed(6)}`));
  return errors;
}
