/** The rules of slices of devices. Upstream: ValidateResourceSlice, ValidateResourceSliceUpdate. */
import { nodeSelectorErrors } from "#api/core/pod-scheduling.ts";
import { csiDriverErrors } from "#api/core/volume-sources.ts";
import type { V1CounterSet, V1ResourcePool, V1ResourceSlice, V1ResourceSliceSpec } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { goQuote } from "#api/go-text.ts";
import type { RequestContext } from "#api/resource.ts";
import { invalid, required } from "#api/validation/field-errors.ts";
import { dnsLabel, dnsSubdomain, immutable } from "#api/validation/values.ts";
import { formatTime } from "#lib/clock.ts";
import { setErrors, poolNameErrors } from "./device-names.ts";
import { counterMapErrors, deviceErrors } from "./slice-device-rules.ts";

const devicesMax = 128;
const advancedDevicesMax = 64;
const counterSetsMax = 8;
const countersMax = 32;

/** The server says since when a device is tainted. What is alpha in this release is dropped. */
export function prepareSlice(slice: V1ResourceSlice, { now }: RequestContext): void {
  for (const device of slice.spec?.devices ?? []) {
    for (const taint of device.taints ?? []) taint.timeAdded ??= formatTime(now);
    delete device.nodeAllocatableResourceMappings;
    for (const attribute of Object.values(device.attributes ?? {})) for (const list of lists) delete attribute[list];
  }
}

const lists = ["bools", "ints", "strings", "versions"] as const;

export function sliceWarnings({ spec }: V1ResourceSlice): string[] {
  const { driver = "" } = (spec ?? {}) as Partial<V1ResourceSliceSpec>;
  return driver === driver.toLowerCase()
    ? []
    : [`spec.driver: driver names should be lowercase; ${goQuote(driver)} contains uppercase characters`];
}

export function sliceErrors({ spec }: V1ResourceSlice, old: V1ResourceSlice | undefined): FieldError[] {
  const { driver, pool, nodeName, devices, sharedCounters, perDeviceNodeSelection = false } = spec;
  return [
    ...csiDriverErrors(driver, "spec.driver"),
    ...poolErrors(pool, "spec.pool"),
    ...(old === undefined
      ? []
      : [
          ...immutable("spec.pool.name", pool?.name, old.spec.pool?.name),
          ...immutable("spec.driver", driver, old.spec.driver),
          ...immutable("spec.nodeName", nodeName, old.spec.nodeName),
        ]),
    ...placeErrors(spec),
    ...(sharedCounters !== undefined && devices !== undefined
      ? [invalid("spec", "", "only one of `sharedCounters` or `devices` is allowed")]
      : []),
    ...setErrors(
      devices,
      isAdvanced(spec) ? advancedDevicesMax : devicesMax,
      "spec.devices",
      ({ name }) => name,
      (device, path) =>
        deviceErrors(
          device,
          old?.spec.devices?.find(({ name }) => name === device.name),
          path,
          perDeviceNodeSelection,
        ),
    ),
    ...setErrors(sharedCounters, counterSetsMax, "spec.sharedCounters", ({ name }) => name, counterSetErrors),
  ];
}

/** Taints and counters make devices dearer. */
const isAdvanced = ({ devices }: V1ResourceSliceSpec): boolean =>
  (devices ?? []).some(({ taints, consumesCounters }) => (taints ?? []).length + (consumesCounters ?? []).length > 0);

function poolErrors(pool: V1ResourcePool | undefined, path: string): FieldError[] {
  const { name = "", generation = 0, resourceSliceCount: count = 0 } = (pool ?? {}) as Partial<V1ResourcePool>;
  const errors = poolNameErrors(name, `${path}.name`);
  if (count <= 0) errors.push(invalid(`${path}.resourceSliceCount`, count, "must be greater than zero"));
  if (generation < 0) errors.push(invalid(`${path}.generation`, generation, "must be greater than or equal to zero"));
  return errors;
}

const choiceText = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";

/** Where the devices are: said in one way. */
function placeErrors({ nodeName, nodeSelector, allNodes, perDeviceNodeSelection }: V1ResourceSliceSpec): FieldError[] {
  const errors: FieldError[] = [];
  const given: string[] = [];
  if (nodeName === "")
    errors.push(invalid("spec.nodeName", nodeName, "must be either unset or set to a non-empty string"));
  else if (nodeName !== undefined) {
    given.push("`nodeName`");
    errors.push(...dnsSubdomain("spec.nodeName", nodeName));
  }
  if (nodeSelector !== undefined) {
    given.push("`nodeSelector`");
    const terms = nodeSelector.nodeSelectorTerms ?? [];
    errors.push(...nodeSelectorErrors(nodeSelector, "spec.nodeSelector"));
    if (terms.length !== 1)
      errors.push(invalid("spec.nodeSelector.nodeSelectorTerms", terms, "must have exactly one node selector term"));
  }
  for (const [name, value] of [
    ["allNodes", allNodes],
    ["perDeviceNodeSelection", perDeviceNodeSelection],
  ] as const) {
    if (value === true) given.push(`\`${name}\``);
    else if (value === false) errors.push(invalid(`spec.${name}`, value, "must be either unset or set to true"));
  }
  if (given.length === 0) errors.push(required("spec", choiceText));
  if (given.length > 1)
    errors.push(invalid("spec", `{${given.join(", ")}}`, `${choiceText}, but multiple fields are set`));
  return errors;
}

function counterSetErrors({ name = "", counters }: V1CounterSet, path: string): FieldError[] {
  return [
    ...(name === "" ? [required(`${path}.name`)] : dnsLabel(`${path}.name`, name)),
    ...counterMapErrors(counters, countersMax, `${path}.counters`),
  ];
}
