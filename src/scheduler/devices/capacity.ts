/**
 * How much of a device's capacity a request takes: what it asks for, made fit to the device's own policy. Devices that may be
 * given to several claims are full when that adds up. Pure. Upstream: dynamic-resource-allocation/structured/internal.
 */
import type { V1CapacityRequestPolicy, V1Device, V1DeviceCapacity } from "#api/generated/types.ts";
import { addQuantities, compareQuantities, quantityText, subtractQuantities, toQuantity } from "#api/quantity.ts";

/** Capacity → quantity. */
export type Taken = Readonly<Record<string, string>>;

/** What a request takes of a device of which `before` is taken; undefined if there is not so much. */
export function takenOf(device: V1Device, requests: Taken = {}, before: Taken = {}): Taken | undefined {
  const capacities = device.capacity ?? {};
  if (Object.keys(requests).some((name) => capacities[name] === undefined)) return undefined;
  const taken: Record<string, string> = {};
  for (const [name, capacity] of Object.entries(capacities)) {
    const amount = amountOf(capacity, requests[name]);
    if (breaks(capacity.requestPolicy, amount)) return undefined;
    if (compareQuantities(addQuantities(amount, before[name] ?? 0), capacity.value) > 0) return undefined;
    taken[name] = amount;
  }
  return taken;
}

/** Who asks for nothing gets the default, or all; who asks for something gets the next larger amount that there is. */
function amountOf({ value, requestPolicy }: V1DeviceCapacity, asked: string | undefined): string {
  if (asked === undefined) return requestPolicy?.default ?? value;
  const { validRange, validValues = [] } = requestPolicy ?? {};
  if (validRange !== undefined) return withinRange(asked, validRange);
  return validValues.find((each) => compareQuantities(each, asked) >= 0) ?? asked;
}

function withinRange(asked: string, { min, step }: NonNullable<V1CapacityRequestPolicy["validRange"]>): string {
  if (compareQuantities(asked, min) < 0) return min;
  if (step === undefined) return asked;
  const [over, size] = [subtractQuantities(asked, min).nanos, toQuantity(step).nanos];
  const steps = (over + size - 1n) / size;
  return quantityText({ ...toQuantity(min), nanos: toQuantity(min).nanos + steps * size });
}

function breaks(policy: V1CapacityRequestPolicy | undefined, amount: string): boolean {
  if (policy?.default !== undefined && compareQuantities(policy.default, amount) === 0) return false;
  const { validRange, validValues = [] } = policy ?? {};
  if (validRange !== undefined) return validRange.max !== undefined && compareQuantities(amount, validRange.max) > 0;
  return validValues.length > 0 && !validValues.some((each) => compareQuantities(each, amount) === 0);
}

export function addTaken(a: Taken, b: Taken): Taken {
  const sum: Record<string, string> = { ...a };
  for (const [name, amount] of Object.entries(b)) sum[name] = quantityText(addQuantities(sum[name] ?? 0, amount));
  return sum;
}
