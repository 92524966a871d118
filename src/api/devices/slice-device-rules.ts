/** The rules of one device of a slice. Upstream: validateDevice in pkg/apis/resource/validation/validation.go. */
import { nodeSelectorErrors } from "#api/core/pod-scheduling.ts";
import type {
  V1Counter,
  V1Device,
  V1DeviceAttribute,
  V1DeviceCapacity,
  V1DeviceCounterConsumption,
} from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { isLongerThan } from "#api/go-text.ts";
import { forbidden, invalid, raw, required, tooLong, tooMany } from "#api/validation/field-errors.ts";
import { dnsLabel, dnsSubdomain, semanticEqual } from "#api/validation/values.ts";
import { bindingConditionsErrors } from "./binding-condition-rules.ts";
import { taintErrors } from "./device-configuration.ts";
import { listErrors, mapErrors, qualifiedNameErrors, setErrors } from "./device-names.ts";
import { requestPolicyErrors } from "./request-policy-rules.ts";

const attributesAndCapacitiesMax = 32;
const attributeValuesMax = 48;
const taintsMax = 16;
const consumptionsMax = 2;
const countersMax = 32;
const valueBytesMax = 64;
const labelBytesMax = 63;
const semver =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/;

/** `old`: the device of this name as it was. What is unchanged in capacity and taints is not looked at again. */
export function deviceErrors(
  device: V1Device,
  old: V1Device | undefined,
  path: string,
  isPlacedByDevice: boolean,
): FieldError[] {
  const { name = "", attributes = {}, capacity = {}, taints, consumesCounters } = device;
  const isKept = (field: "capacity" | "taints") => old !== undefined && semanticEqual(old[field], device[field]);
  return [
    ...dnsLabel(`${path}.name`, name),
    ...sizeErrors(attributes, capacity, path),
    ...mapErrors(attributes, `${path}.attributes`, qualifiedNameErrors, attributeErrors),
    ...(isKept("capacity")
      ? []
      : mapErrors(capacity, `${path}.capacity`, qualifiedNameErrors, (one, at) => capacityErrors(one, at, device))),
    ...(isKept("taints") ? [] : listErrors(taints, taintsMax, `${path}.taints`, taintErrors)),
    ...setErrors(
      consumesCounters,
      consumptionsMax,
      `${path}.consumesCounters`,
      ({ counterSet = "" }) => counterSet,
      consumptionErrors,
    ),
    ...(isPlacedByDevice ? placeErrors(device, path) : unplacedErrors(device, path)),
    ...bindingConditionsErrors(device, path),
  ];
}

function sizeErrors(
  attributes: Record<string, V1DeviceAttribute>,
  capacity: Record<string, V1DeviceCapacity>,
  path: string,
): FieldError[] {
  const total = Object.keys(attributes).length + Object.keys(capacity).length;
  const values = Object.keys(attributes).length;
  const errors: FieldError[] = [];
  const over = (count: number, what: string, max: number) =>
    errors.push(invalid(path, count, `the total number of ${what} must not exceed ${max}`));
  if (total > attributesAndCapacitiesMax) over(total, "attributes and capacities", attributesAndCapacitiesMax);
  if (values > attributeValuesMax) over(values, "attribute values", attributeValuesMax);
  return errors;
}

/** One value, of one type. */
function attributeErrors(attribute: V1DeviceAttribute, path: string): FieldError[] {
  const { string, version } = attribute;
  const given = Object.values(attribute).filter((value) => value !== undefined).length;
  return [
    ...(string === undefined ? [] : textErrors(string, `${path}.string`)),
    ...(version === undefined ? [] : versionErrors(version, `${path}.version`)),
    ...(given === 1 ? [] : [invalid(path, given === 0 ? "" : attribute, "exactly one value must be specified")]),
  ];
}

const textErrors = (value: string, field: string): FieldError[] =>
  isLongerThan(value, valueBytesMax) ? [tooLong(field, valueBytesMax)] : [];

const versionErrors = (value: string, field: string): FieldError[] => [
  ...(semver.test(value) ? [] : [invalid(field, value, "must be a string compatible with semver.org spec 2.0.0")]),
  ...textErrors(value, field),
];

/** Only what several share can be asked for in parts. */
function capacityErrors({ value, requestPolicy }: V1DeviceCapacity, path: string, device: V1Device): FieldError[] {
  if (requestPolicy === undefined) return [];
  const field = `${path}.requestPolicy`;
  return device.allowMultipleAllocations === true
    ? requestPolicyErrors(value, requestPolicy, field)
    : [forbidden(field, "allowMultipleAllocations must be true")];
}

function consumptionErrors({ counterSet = "", counters }: V1DeviceCounterConsumption, path: string): FieldError[] {
  const field = `${path}.counterSet`;
  return [
    ...(counterSet === "" ? [required(field)] : dnsLabel(field, counterSet)),
    ...counterMapErrors(counters, countersMax, `${path}.counters`),
  ];
}

export function counterMapErrors(
  counters: Readonly<Record<string, V1Counter>> | undefined,
  itemsMax: number,
  path: string,
): FieldError[] {
  const count = Object.keys(counters ?? {}).length;
  if (count === 0) return [required(path)];
  if (count > itemsMax) return [tooMany(path, count, itemsMax)];
  // Any amount will do.
  return mapErrors(
    counters!,
    path,
    (name, at) => dnsLabel(at, name),
    () => [],
    labelBytesMax,
  );
}

const choiceText =
  "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec";

function placeErrors({ nodeName, nodeSelector, allNodes }: V1Device, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const given: string[] = [];
  if (nodeName === "") errors.push(invalid(`${path}.nodeName`, nodeName, "must not be empty"));
  else if (nodeName !== undefined) {
    given.push("`nodeName`");
    errors.push(...dnsSubdomain(`${path}.nodeName`, nodeName));
  }
  if (nodeSelector !== undefined) {
    given.push("`nodeSelector`");
    errors.push(...nodeSelectorErrors(nodeSelector, `${path}.nodeSelector`));
  }
  if (allNodes === true) given.push("`allNodes`");
  else if (allNodes === false)
    errors.push(invalid(`${path}.allNodes`, allNodes, "must be either unset or set to true"));
  if (given.length === 0) errors.push(required(path, choiceText));
  if (given.length > 1) errors.push(invalid(path, `{${given.join(", ")}}`, choiceText));
  return errors;
}

function unplacedErrors({ nodeName, nodeSelector, allNodes }: V1Device, path: string): FieldError[] {
  if (nodeName === undefined && nodeSelector === undefined && allNodes === undefined) return [];
  const text =
    "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec";
  return [invalid(path, raw("null"), text)];
}
