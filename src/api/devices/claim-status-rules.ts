/** The rules of what a claim has been given. Upstream: ValidateResourceClaimStatusUpdate. */
import { nodeSelectorErrors } from "#api/core/pod-scheduling.ts";
import { csiDriverErrors } from "#api/core/volume-sources.ts";
import type {
  ResourceV1ResourceClaim,
  V1AllocatedDeviceStatus,
  V1AllocationResult,
  V1DeviceAllocationConfiguration,
  V1DeviceRequestAllocationResult,
  V1ResourceClaimConsumerReference,
  V1ResourceClaimStatus,
} from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { conditionsErrors } from "#api/validation/conditions.ts";
import { forbidden, invalid, notSupported, required } from "#api/validation/field-errors.ts";
import { dnsLabel, immutable, present } from "#api/validation/values.ts";
import { referenceErrors, referencesErrors, requestNames, type RequestNames } from "./claim-rules.ts";
import { configurationErrors, tolerationErrors } from "./device-configuration.ts";
import { configurationsMax } from "./device-class-rules.ts";
import { listErrors, poolNameErrors, setErrors } from "./device-names.ts";

const consumersMax = 256;
const resultsMax = 32;
const tolerationsMax = 16;
const conditionsMax = 8;
const sources = ["FromClaim", "FromClass"];

export function claimStatusErrors(
  { metadata, spec, status = {} }: ResourceV1ResourceClaim,
  old: ResourceV1ResourceClaim | undefined,
): FieldError[] {
  const { allocation, reservedFor, devices } = status;
  const given = new Set((allocation?.devices?.results ?? []).map(deviceKey));
  return [
    ...setErrors(reservedFor, consumersMax, "status.reservedFor", ({ uid }) => uid, consumerErrors),
    ...setErrors(devices, Number.MAX_SAFE_INTEGER, "status.devices", deviceKey, (device, path) =>
      deviceStatusErrors(device, path, given),
    ),
    ...reservationErrors(status, old?.status, metadata.deletionTimestamp !== undefined),
    ...(allocation === undefined
      ? []
      : old?.status?.allocation === undefined
        ? allocationErrors(allocation, requestNames(spec?.devices ?? {}))
        : immutable("status.allocation", allocation, old.status.allocation)),
  ];
}

const deviceKey = ({ driver, pool, device, shareID }: V1AllocatedDeviceStatus): string =>
  [driver, pool, device, ...(shareID === undefined ? [] : [shareID])].join("/");

const consumerErrors = ({ resource, name, uid }: V1ResourceClaimConsumerReference, path: string): FieldError[] => [
  ...present(`${path}.resource`, resource),
  ...present(`${path}.name`, name),
  ...present(`${path}.uid`, uid),
];

/** Only what is allocated can be reserved, and nothing new of what is on its way out. */
function reservationErrors(status: V1ResourceClaimStatus, old: V1ResourceClaimStatus | undefined, isLeaving: boolean) {
  const field = "status.reservedFor";
  const consumers = status.reservedFor ?? [];
  if (consumers.length === 0) return [];
  if (status.allocation === undefined) return [forbidden(field, "may not be specified when `allocated` is not set")];
  const before = new Set((old?.reservedFor ?? []).map(({ uid }) => uid));
  if (!isLeaving || consumers.every(({ uid }) => before.has(uid))) return [];
  const text = "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set";
  return [forbidden(field, text)];
}

function allocationErrors({ devices, nodeSelector }: V1AllocationResult, names: RequestNames): FieldError[] {
  const path = "status.allocation";
  return [
    ...listErrors(devices?.results, resultsMax, `${path}.devices.results`, (result, at) =>
      resultErrors(result, at, names),
    ),
    ...listErrors(devices?.config, 2 * configurationsMax, `${path}.devices.config`, (config, at) => [
      ...sourceErrors(config, at),
      ...referencesErrors(config.requests, `${at}.requests`, names),
      ...configurationErrors(config, at),
    ]),
    ...(nodeSelector === undefined ? [] : nodeSelectorErrors(nodeSelector, `${path}.nodeSelector`)),
  ];
}

function sourceErrors({ source }: Partial<V1DeviceAllocationConfiguration>, path: string): FieldError[] {
  if ((source ?? "") === "") return [required(`${path}.source`)];
  return sources.includes(source!) ? [] : [notSupported(`${path}.source`, source, sources)];
}

function resultErrors(result: V1DeviceRequestAllocationResult, path: string, names: RequestNames): FieldError[] {
  const { request = "", driver, pool = "", device = "", tolerations } = result;
  return [
    ...referenceErrors(request, `${path}.request`, names),
    ...csiDriverErrors(driver, `${path}.driver`),
    ...poolNameErrors(pool, `${path}.pool`),
    ...(device === "" ? [required(`${path}.device`)] : dnsLabel(`${path}.device`, device)),
    ...listErrors(tolerations, tolerationsMax, `${path}.tolerations`, tolerationErrors),
  ];
}

function deviceStatusErrors(device: V1AllocatedDeviceStatus, path: string, given: ReadonlySet<string>): FieldError[] {
  const { driver, pool = "", device: name = "", conditions } = device;
  const errors = [
    ...csiDriverErrors(driver, `${path}.driver`),
    ...poolNameErrors(pool, `${path}.pool`),
    ...(name === "" ? [required(`${path}.device`)] : dnsLabel(`${path}.device`, name)),
  ];
  if (!given.has(deviceKey(device)))
    errors.push(invalid(path, deviceKey(device), "must be an allocated device in the claim"));
  return [
    ...errors,
    ...listErrors(conditions, conditionsMax, `${path}.conditions`, () => []),
    ...conditionsErrors(conditions, `${path}.conditions`),
  ];
}
